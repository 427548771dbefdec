// SPDX-License-Identifier: GPL-2.0
/*
 * The lease: enforced by the kernel alone, on time, and never a way to bring a key back.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dm.h"
#include "kselftest_harness.h"

#define SECTORS		2048ULL
#define LATE_US		100000		/* promised: within 100 ms of the deadline */
#define ROUNDS		20

FIXTURE(lease)
{
	void *data;
};

FIXTURE_SETUP(lease)
{
	t_remove_all();
	self->data = t_alloc(4096, 1);
	ASSERT_LT(0, t_key("cmk", "t:cmk", 1, 64));
}

FIXTURE_TEARDOWN(lease)
{
	t_remove_all();
}

static int create(unsigned int ms)
{
	return t_create("cmk", SECTORS, "cmk", "aes-xts-plain64 :64:cmk:t:cmk 0 %s 0 1 lease:%u",
			T_RAM, ms);
}

/* Read until it fails; returns the error, and the time of the last success and of the failure. */
static int read_until_failure(void *data, uint64_t *last, uint64_t *failed)
{
	int fd = t_open("cmk", O_RDONLY), r;

	*last = t_boottime_us();
	while (!(r = t_pread(fd, data, 4096, 0)))
		*last = t_boottime_us();
	*failed = t_boottime_us();
	close(fd);
	return r;
}

TEST_F(lease, ends_within_100_ms_of_its_deadline_and_never_early)
{
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		uint64_t before, after, last, failed, ms = 60 + 13 * i;

		t_key("cmk", "t:cmk", 1, 64);
		ASSERT_EQ(0, create(60000));
		before = t_boottime_us();
		ASSERT_EQ(0, t_message("cmk", "lease %u", (unsigned int)ms));
		after = t_boottime_us();
		ASSERT_EQ(-ENODEV, read_until_failure(self->data, &last, &failed));
		EXPECT_LE(before + ms * 1000, failed);
		EXPECT_GT(after + ms * 1000 + LATE_US, last);
		EXPECT_TRUE(t_is("cmk", CMK_STATE_INACCESSIBLE, CMK_REASON_LEASE));
		EXPECT_EQ(0, t_field("cmk", 3));
		EXPECT_EQ(1, t_counter("cmk", "lease_ends"));
		ASSERT_EQ(0, t_remove("cmk"));
	}
}

TEST_F(lease, of_the_table_line_begins_when_the_table_is_loaded)
{
	uint64_t start = t_boottime_us(), last, failed;

	ASSERT_EQ(0, create(300));
	ASSERT_EQ(-ENODEV, read_until_failure(self->data, &last, &failed));
	EXPECT_LE(start + 300000, failed);
	EXPECT_TRUE(t_is("cmk", CMK_STATE_INACCESSIBLE, CMK_REASON_LEASE));
}

TEST_F(lease, a_renewal_moves_the_deadline_both_ways)
{
	uint64_t before, after, last, failed;

	ASSERT_EQ(0, create(300));
	ASSERT_EQ(0, t_message("cmk", "lease 60000"));
	EXPECT_LT(50000, t_field("cmk", 3));
	t_sleep_ms(500);
	EXPECT_TRUE(t_is("cmk", CMK_STATE_AVAILABLE, CMK_REASON_NONE));
	before = t_boottime_us();
	ASSERT_EQ(0, t_message("cmk", "lease 200"));
	after = t_boottime_us();
	ASSERT_EQ(-ENODEV, read_until_failure(self->data, &last, &failed));
	EXPECT_LE(before + 200000, failed);
	EXPECT_GT(after + 200000 + LATE_US, last);
}

TEST_F(lease, misuse_is_refused)
{
	ASSERT_EQ(0, create(60000));
	EXPECT_EQ(-EINVAL, t_message("cmk", "lease 0"));
	EXPECT_EQ(-EINVAL, t_message("cmk", "lease -1"));
	EXPECT_EQ(-EINVAL, t_message("cmk", "lease 10s"));
	EXPECT_EQ(-EINVAL, t_message("cmk", "lease"));
	EXPECT_EQ(-EINVAL, t_message("cmk", "lease 1 2"));
	EXPECT_EQ(-ERANGE, t_message("cmk", "lease %u", CMK_LEASE_MAX_MS + 1));
	EXPECT_EQ(-ERANGE, t_message("cmk", "lease 99999999999999999999"));
	EXPECT_EQ(0, t_message("cmk", "lease %u", CMK_LEASE_MAX_MS));
	EXPECT_TRUE(t_is("cmk", CMK_STATE_AVAILABLE, CMK_REASON_NONE));
}

TEST_F(lease, a_lease_revives_no_key)
{
	ASSERT_EQ(0, create(60000));
	ASSERT_EQ(0, t_message("cmk", "revoke"));
	EXPECT_EQ(-ENOKEY, t_message("cmk", "lease 60000"));
	EXPECT_TRUE(t_is("cmk", CMK_STATE_INACCESSIBLE, CMK_REASON_REVOKED));
}

TEST_F(lease, a_new_key_starts_a_new_lease_of_the_same_length)
{
	ASSERT_EQ(0, create(60000));
	ASSERT_EQ(0, t_message("cmk", "revoke"));
	EXPECT_EQ(0, t_field("cmk", 3));
	ASSERT_LT(0, t_key("cmk", "t:cmk", 1, 64));
	ASSERT_EQ(0, t_message("cmk", "key :64:cmk:t:cmk"));
	EXPECT_LT(55000, t_field("cmk", 3));
	EXPECT_GE(60000, t_field("cmk", 3));
}

TEST_F(lease, without_a_lease_the_key_stays)
{
	char line[T_LINE_MAX];

	ASSERT_EQ(0, t_create("cmk", SECTORS, "cmk", "aes-xts-plain64 :64:cmk:t:cmk 0 %s 0",
			      T_RAM));
	ASSERT_EQ(0, t_status("cmk", line));
	EXPECT_TRUE(!strncmp(line, "available - 1 - 0 0 ", 20));
}

TEST_F(lease, it_runs_while_the_mapping_is_suspended)
{
	ASSERT_EQ(0, create(300));
	ASSERT_EQ(0, t_suspend("cmk", true));
	t_sleep_ms(600);
	EXPECT_TRUE(t_is("cmk", CMK_STATE_INACCESSIBLE, CMK_REASON_LEASE));
	ASSERT_EQ(0, t_resume("cmk"));
	EXPECT_TRUE(t_is("cmk", CMK_STATE_INACCESSIBLE, CMK_REASON_LEASE));
}

TEST_HARNESS_MAIN
