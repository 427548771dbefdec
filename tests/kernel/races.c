// SPDX-License-Identifier: GPL-2.0
/*
 * Everything that changes a mapping against everything else, under I/O whose data is verified:
 * whatever happens, a read that succeeds returns what was written, and nothing hangs.
 * CMK_RACE_SECONDS makes it longer.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <keyutils.h>

#include "dm.h"
#include "kselftest_harness.h"

#define SECTORS		8192ULL
#define WORKERS		6
#define SLICE		(SECTORS * 512 / WORKERS / 65536 * 65536)

static atomic_bool stop;
static atomic_ulong reads, writes, wrong, strange;

/* One worker owns a slice: it writes a page's pattern and reads it back later. */
struct worker {
	pthread_t thread;
	unsigned int nr;
	uint32_t seed[SLICE / 4096];	/* of what is on the disk; 0: unknown, a write failed */
};

static bool expected_error(int r)
{
	return r == -ENODEV || r == -EIO;	/* EIO: a table without the key was swapped in */
}

static void worker_write(struct worker *w, int fd, uint8_t *data, unsigned int page, unsigned int n)
{
	unsigned int i, seed = random() | 1;
	int r;

	for (i = 0; i < n; i++) {
		t_fill(data + i * 4096, 4096, seed + i);
		w->seed[page + i] = 0;
	}
	r = t_pwrite(fd, data, n * 4096, w->nr * SLICE + page * 4096ULL);
	if (r) {
		strange += !expected_error(r);
		return;
	}
	for (i = 0; i < n; i++)
		w->seed[page + i] = seed + i;
	writes++;
}

static void worker_read(struct worker *w, int fd, uint8_t *data, unsigned int page, unsigned int n)
{
	static _Thread_local uint8_t want[4096];
	unsigned int i;
	int r = t_pread(fd, data, n * 4096, w->nr * SLICE + page * 4096ULL);

	if (r) {
		strange += !expected_error(r);
		return;
	}
	for (i = 0; i < n; i++) {
		if (!w->seed[page + i])
			continue;
		t_fill(want, sizeof(want), w->seed[page + i]);
		wrong += memcmp(want, data + i * 4096, 4096) != 0;
	}
	reads++;
}

static void *worker_run(void *arg)
{
	struct worker *w = arg;
	uint8_t *data = t_alloc(64 * 4096, 1);
	int fd = t_open("cmk", O_RDWR);

	while (!stop) {
		unsigned int n = 1 + random() % (random() % 3 ? 4 : 64);
		unsigned int page = random() % (SLICE / 4096 - n);

		if (random() % 2)
			worker_write(w, fd, data, page, n);
		else
			worker_read(w, fd, data, page, n);
	}
	close(fd);
	free(data);
	return NULL;
}

static int load(const char *how, const char *opts)
{
	t_key("cmk", "t:race", 1, 64);
	if (!strcmp(how, "message"))
		return t_message("cmk", "key :64:cmk:t:race");
	return t_reload("cmk", SECTORS, "cmk", "aes-xts-plain64 :64:cmk:t:race 0 %s 0 %s", T_RAM, opts);
}

static void *controller_run(void *arg)
{
	const char *opts = arg;

	while (!stop) {
		int32_t key;

		switch (random() % 12) {
		case 0:
			t_message("cmk", "revoke race");
			break;
		case 1:
			t_message("cmk", "lease %ld", 1 + random() % 20);
			break;
		case 2:
			t_suspend("cmk", random() % 2);
			t_resume("cmk");
			break;
		case 3:
			load("reload", opts);
			break;
		case 4:
			key = t_key("cmk", "t:race", 1, 64);
			if (key > 0)
				keyctl_revoke(key);
			break;
		case 5:
			key = t_key("cmk", "t:race", 1, 64);
			if (key > 0)
				keyctl_invalidate(key);
			break;
		case 6:
			t_field("cmk", 0);
			break;
		default:
			load("message", opts);
			break;
		}
	}
	return NULL;
}

FIXTURE(races)
{
	struct worker *workers;
};

FIXTURE_SETUP(races)
{
	t_remove_all();
	self->workers = calloc(WORKERS, sizeof(*self->workers));
	ASSERT_NE(NULL, self->workers);
}

FIXTURE_TEARDOWN(races)
{
	t_remove_all();
}

FIXTURE_VARIANT(races)
{
	const char *opts;
};

FIXTURE_VARIANT_ADD(races, error)
{
	.opts = "1 lease:60000",
};

FIXTURE_VARIANT_ADD(races, queue)
{
	.opts = "3 lease:60000 on_inaccessible:queue queue_timeout:50",
};

TEST_F_TIMEOUT(races, no_wrong_byte_no_hang, 1000)
{
	const char *seconds = getenv("CMK_RACE_SECONDS");
	pthread_t controllers[2];
	unsigned int i;

	ASSERT_LT(0, t_key("cmk", "t:race", 1, 64));
	ASSERT_EQ(0, t_create("cmk", SECTORS, "cmk", "aes-xts-plain64 :64:cmk:t:race 0 %s 0 %s",
			      T_RAM, variant->opts));
	for (i = 0; i < WORKERS; i++) {
		self->workers[i].nr = i;
		pthread_create(&self->workers[i].thread, NULL, worker_run, &self->workers[i]);
	}
	for (i = 0; i < 2; i++)
		pthread_create(&controllers[i], NULL, controller_run, (void *)variant->opts);
	t_sleep_ms(1000 * (seconds ? atoi(seconds) : 10));
	stop = true;
	for (i = 0; i < 2; i++)
		pthread_join(controllers[i], NULL);
	t_resume("cmk");
	for (i = 0; i < WORKERS; i++)
		pthread_join(self->workers[i].thread, NULL);

	TH_LOG("%lu reads, %lu writes verified", reads, writes);
	EXPECT_EQ(0, wrong);
	EXPECT_EQ(0, strange);
	EXPECT_LT(20, reads);
	EXPECT_LT(20, writes);
	EXPECT_EQ(0, t_field("cmk", 4));
	/* and it still works */
	EXPECT_EQ(0, load("message", variant->opts));
	EXPECT_TRUE(t_is("cmk", CMK_STATE_AVAILABLE, CMK_REASON_NONE));
}

TEST_HARNESS_MAIN
