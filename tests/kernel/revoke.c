// SPDX-License-Identifier: GPL-2.0
/*
 * What a revocation promises: at once, whatever the disk does, and for I/O that is under way too.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <keyutils.h>

#include "dm.h"
#include "kselftest_harness.h"

#define SECTORS		2048ULL
#define BYTES		65536
#define THREADS		32
#define LIMIT_US	50000		/* promised: it returns within 50 ms of guest time */

/* One direct I/O in a thread of its own, so that a test can look at it while it is under way. */
struct job {
	pthread_t thread;
	int fd;
	bool write;
	void *data;
	uint64_t offset;
	int r;
};

static void *job_run(void *arg)
{
	struct job *job = arg;

	job->r = job->write ? t_pwrite(job->fd, job->data, BYTES, job->offset) :
			      t_pread(job->fd, job->data, BYTES, job->offset);
	return NULL;
}

static void jobs_start(struct job *jobs, int fd, bool write, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		jobs[i] = (struct job){
			.fd = fd,
			.write = write,
			.offset = i * BYTES % (SECTORS * 512),
		};
		jobs[i].data = t_alloc(BYTES, 500 + i);
		pthread_create(&jobs[i].thread, NULL, job_run, &jobs[i]);
	}
}

static void jobs_join(struct job *jobs, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		pthread_join(jobs[i].thread, NULL);
}

static bool wait_in_flight(const char *name, long long n)
{
	unsigned int i;

	for (i = 0; i < 500 && t_field(name, 4) < n; i++)
		t_sleep_ms(10);
	return t_field(name, 4) >= n;
}

static uint64_t timed_revoke(const char *name, const char *reason, int *r)
{
	uint64_t start = t_boottime_us();

	*r = t_message(name, "revoke %s", reason);
	return t_boottime_us() - start;
}

FIXTURE(revoke)
{
	int32_t key;
	uint8_t *plain, *data;
	int fd;
};

FIXTURE_SETUP(revoke)
{
	t_remove_all();
	self->key = t_key("cmk", "t:cmk", 1, 64);
	ASSERT_LT(0, self->key);
	ASSERT_EQ(0, t_create("low", SECTORS, "linear", "%s 0", T_RAM));
	ASSERT_EQ(0, t_create("cmk", SECTORS, "cmk", "aes-xts-plain64 :64:cmk:t:cmk 0 /dev/dm-%d 0",
			      t_minor("low")));
	self->plain = t_alloc(BYTES, 2);
	self->data = t_alloc(BYTES, 3);
	self->fd = t_open("cmk", O_RDWR);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, t_pwrite(self->fd, self->plain, BYTES, 0));
}

FIXTURE_TEARDOWN(revoke)
{
	close(self->fd);
	t_remove_all();
}

/* Make the lower device answer after @ms. */
static int slow(unsigned int ms)
{
	return t_reload("low", SECTORS, "delay", "%s 0 %u", T_RAM, ms);
}

TEST_F(revoke, io_fails_at_once_with_enodev)
{
	int r;

	ASSERT_TRUE(t_is("cmk", CMK_STATE_AVAILABLE, CMK_REASON_NONE));
	EXPECT_GT(LIMIT_US, timed_revoke("cmk", "test.reason", &r));
	EXPECT_EQ(0, r);
	EXPECT_TRUE(t_is("cmk", CMK_STATE_INACCESSIBLE, "test.reason"));
	EXPECT_EQ(-ENODEV, t_pread(self->fd, self->data, 4096, 0));
	EXPECT_EQ(-ENODEV, t_pwrite(self->fd, self->data, 4096, 0));
	EXPECT_EQ(2, t_counter("cmk", "err_offline"));
	EXPECT_EQ(1, t_counter("cmk", "revocations"));
}

TEST_F(revoke, twice_keeps_the_first_reason)
{
	EXPECT_EQ(0, t_message("cmk", "revoke first"));
	EXPECT_EQ(0, t_message("cmk", "revoke second"));
	EXPECT_TRUE(t_is("cmk", CMK_STATE_INACCESSIBLE, "first"));
	EXPECT_EQ(1, t_counter("cmk", "revocations"));
}

TEST_F(revoke, the_same_key_brings_the_data_back_in_a_new_generation)
{
	EXPECT_EQ(1, t_field("cmk", 2));
	ASSERT_EQ(0, t_message("cmk", "revoke"));
	EXPECT_TRUE(t_is("cmk", CMK_STATE_INACCESSIBLE, CMK_REASON_REVOKED));
	ASSERT_LT(0, t_key("cmk", "t:cmk", 1, 64));
	ASSERT_EQ(0, t_message("cmk", "key :64:cmk:t:cmk"));
	EXPECT_TRUE(t_is("cmk", CMK_STATE_AVAILABLE, CMK_REASON_NONE));
	EXPECT_EQ(2, t_field("cmk", 2));
	ASSERT_EQ(0, t_pread(self->fd, self->data, BYTES, 0));
	EXPECT_EQ(0, memcmp(self->data, self->plain, BYTES));
}

TEST_F(revoke, a_read_under_way_comes_back_undecrypted)
{
	struct job jobs[THREADS];
	unsigned int i;
	int r;

	ASSERT_EQ(0, slow(1000));
	jobs_start(jobs, self->fd, false, THREADS);
	ASSERT_TRUE(wait_in_flight("cmk", THREADS));
	EXPECT_GT(LIMIT_US, timed_revoke("cmk", "slow", &r));
	EXPECT_EQ(0, r);
	EXPECT_EQ(THREADS, t_field("cmk", 4));
	jobs_join(jobs, THREADS);
	for (i = 0; i < THREADS; i++) {
		EXPECT_EQ(-ENODEV, jobs[i].r);
		/* all jobs read the first written piece or zeroes: neither may be there in clear */
		EXPECT_NE(0, memcmp(jobs[i].data, self->plain, 512));
	}
	EXPECT_NE(0, memcmp(jobs[0].data, self->plain, BYTES));
}

TEST_F(revoke, no_write_reaches_the_disk_that_was_not_encrypted_before)
{
	uint8_t *before = t_alloc(BYTES, 9), *after = t_alloc(BYTES, 10);
	int raw = t_open(T_RAM, O_RDONLY), r;

	ASSERT_LE(0, raw);
	EXPECT_GT(LIMIT_US, timed_revoke("cmk", "w", &r));
	ASSERT_EQ(0, t_pread(raw, before, BYTES, 0));
	EXPECT_EQ(-ENODEV, t_pwrite(self->fd, self->data, BYTES, 0));
	ASSERT_EQ(0, t_pread(raw, after, BYTES, 0));
	EXPECT_EQ(0, memcmp(before, after, BYTES));
	close(raw);
}

TEST_F(revoke, a_disk_that_never_answers_delays_nothing)
{
	struct job jobs[THREADS];
	int r;

	/* a suspended device holds all I/O until it is resumed */
	ASSERT_EQ(0, t_suspend("low", true));
	jobs_start(jobs, self->fd, false, THREADS / 2);
	jobs_start(jobs + THREADS / 2, self->fd, true, THREADS / 2);
	ASSERT_TRUE(wait_in_flight("cmk", THREADS));
	EXPECT_GT(LIMIT_US, timed_revoke("cmk", "hung", &r));
	EXPECT_EQ(0, r);
	/* responsive: new I/O fails although the disk hangs */
	EXPECT_EQ(-ENODEV, t_pread(self->fd, self->data, 4096, 0));
	EXPECT_TRUE(t_is("cmk", CMK_STATE_INACCESSIBLE, "hung"));
	ASSERT_EQ(0, t_resume("low"));
	jobs_join(jobs, THREADS);
	EXPECT_EQ(-ENODEV, jobs[0].r);
	EXPECT_NE(0, memcmp(jobs[0].data, self->plain, BYTES));
	EXPECT_EQ(0, t_field("cmk", 4));
}

TEST_F(revoke, a_flush_passes_when_inaccessible)
{
	close(self->fd);
	ASSERT_EQ(0, t_remove("cmk"));
	ASSERT_EQ(0, t_create("cmk", SECTORS, "cmk", "aes-xts-plain64 :64:cmk:t:cmk 0 %s 0",
			      T_DISK));
	self->fd = t_open("cmk", O_RDWR);
	ASSERT_EQ(0, t_pwrite(self->fd, self->plain, BYTES, 0));
	ASSERT_EQ(0, fsync(self->fd));
	EXPECT_EQ(1, t_counter("cmk", "flushes"));
	ASSERT_EQ(0, t_message("cmk", "revoke"));
	EXPECT_EQ(0, fsync(self->fd));
	EXPECT_EQ(2, t_counter("cmk", "flushes"));
	EXPECT_EQ(-ENODEV, t_pread(self->fd, self->data, 4096, 0));
}

TEST_F(revoke, keyctl_revoke_is_seen_at_once)
{
	ASSERT_EQ(0, keyctl_revoke(self->key));
	EXPECT_TRUE(t_is("cmk", CMK_STATE_INACCESSIBLE, CMK_REASON_KEY_REVOKED));
	EXPECT_EQ(-ENODEV, t_pread(self->fd, self->data, 4096, 0));
}

TEST_F(revoke, keyctl_revoke_reaches_a_key_that_is_in_no_keyring)
{
	ASSERT_EQ(0, keyctl_setperm(self->key, KEY_POS_ALL | KEY_USR_ALL));
	ASSERT_EQ(0, keyctl_unlink(self->key, KEY_SPEC_SESSION_KEYRING));
	t_sleep_ms(300);
	EXPECT_TRUE(t_is("cmk", CMK_STATE_AVAILABLE, CMK_REASON_NONE));
	ASSERT_EQ(0, keyctl_revoke(self->key));
	EXPECT_TRUE(t_is("cmk", CMK_STATE_INACCESSIBLE, CMK_REASON_KEY_REVOKED));
}

TEST_F(revoke, keyctl_invalidate_is_seen)
{
	ASSERT_EQ(0, keyctl_invalidate(self->key));
	EXPECT_TRUE(t_wait_is("cmk", CMK_STATE_INACCESSIBLE, CMK_REASON_KEY_REVOKED, 1000));
}

TEST_F(revoke, the_expiry_of_the_key_is_seen)
{
	ASSERT_EQ(0, keyctl_set_timeout(self->key, 1));
	EXPECT_TRUE(t_wait_is("cmk", CMK_STATE_INACCESSIBLE, CMK_REASON_KEY_REVOKED, 4000));
}

TEST_F(revoke, the_payload_cannot_be_read_nor_loaded_again)
{
	char buffer[64];

	EXPECT_GT(0, keyctl_read(self->key, buffer, sizeof(buffer)));
	ASSERT_EQ(0, t_message("cmk", "revoke"));
	EXPECT_EQ(-EKEYREVOKED, t_message("cmk", "key :64:cmk:t:cmk"));
	EXPECT_TRUE(t_is("cmk", CMK_STATE_INACCESSIBLE, CMK_REASON_REVOKED));
}

TEST_F(revoke, a_live_swap_of_the_key_loses_nothing)
{
	struct job jobs[THREADS];
	unsigned int i;

	jobs_start(jobs, self->fd, true, THREADS / 2);
	for (i = 0; i < 20; i++) {
		ASSERT_LT(0, t_key("cmk", "t:cmk", 1, 64));
		ASSERT_EQ(0, t_message("cmk", "key :64:cmk:t:cmk"));
	}
	jobs_join(jobs, THREADS / 2);
	EXPECT_EQ(21, t_field("cmk", 2));
	EXPECT_TRUE(t_is("cmk", CMK_STATE_AVAILABLE, CMK_REASON_NONE));
	for (i = 0; i < THREADS / 2; i++) {
		ASSERT_EQ(0, jobs[i].r);
		ASSERT_EQ(0, t_pread(self->fd, self->data, BYTES, jobs[i].offset));
		EXPECT_EQ(0, memcmp(self->data, jobs[i].data, BYTES));
	}
	EXPECT_EQ(0, t_counter("cmk", "revocations"));
}

TEST_F(revoke, a_revoked_older_key_does_not_touch_its_successor)
{
	int32_t old = self->key;

	ASSERT_EQ(0, keyctl_setperm(old, KEY_POS_ALL | KEY_USR_ALL));
	ASSERT_LT(0, t_key("cmk", "t:other", 1, 64));
	ASSERT_EQ(0, t_message("cmk", "key :64:cmk:t:other"));
	ASSERT_EQ(0, keyctl_revoke(old));
	EXPECT_TRUE(t_is("cmk", CMK_STATE_AVAILABLE, CMK_REASON_NONE));
}

TEST_HARNESS_MAIN
