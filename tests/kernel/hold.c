// SPDX-License-Identifier: GPL-2.0
/*
 * on_inaccessible:queue: I/O waits for the key and then goes on as if nothing had been, but never
 * longer than queue_timeout, and never in the way of a suspend.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/aio_abi.h>

#include "dm.h"
#include "kselftest_harness.h"

#define SECTORS		16384ULL
#define PIECE		4096
#define MANY		1500

/* Many direct I/Os at once, from one thread. */
struct batch {
	aio_context_t ctx;
	struct iocb cb[MANY];
	struct iocb *list[MANY];
	struct io_event events[MANY];
	uint8_t *data;
	unsigned int n;
};

static int batch_start(struct batch *b, int fd, bool write, unsigned int n, size_t piece)
{
	unsigned int i;
	long done = 0, r;

	*b = (struct batch){ .n = n, .data = t_alloc(n * piece, 77) };
	if (syscall(SYS_io_setup, MANY, &b->ctx))
		return -errno;
	for (i = 0; i < n; i++) {
		b->cb[i] = (struct iocb){
			.aio_fildes = fd,
			.aio_lio_opcode = write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD,
			.aio_buf = (uintptr_t)b->data + i * piece,
			.aio_nbytes = piece,
			.aio_offset = i * piece,
			.aio_data = piece,
		};
		b->list[i] = &b->cb[i];
	}
	while (done < n) {
		r = syscall(SYS_io_submit, b->ctx, n - done, b->list + done);
		if (r <= 0)
			return r ? -errno : -EIO;
		done += r;
	}
	return 0;
}

/* Wait for all; returns how many came back with @result (bytes, or -errno). */
static unsigned int batch_end(struct batch *b, long long result)
{
	unsigned int i, good = 0;
	long n = syscall(SYS_io_getevents, b->ctx, b->n, b->n, b->events, NULL);

	for (i = 0; i < n; i++)
		good += b->events[i].res == result;
	syscall(SYS_io_destroy, b->ctx);
	return good;
}

FIXTURE(hold)
{
	struct batch b;
	uint8_t *data;
	int fd;
};

static int create(unsigned int timeout_ms)
{
	int r = t_create("low", SECTORS, "linear", "%s 0", T_RAM);

	return r ? r : t_create("cmk", SECTORS, "cmk",
				"aes-xts-plain64 :64:cmk:t:cmk 0 /dev/dm-%d 0 2 "
				"on_inaccessible:queue queue_timeout:%u",
				t_minor("low"), timeout_ms);
}

static int key_back(void)
{
	t_key("cmk", "t:cmk", 1, 64);
	return t_message("cmk", "key :64:cmk:t:cmk");
}

FIXTURE_SETUP(hold)
{
	t_remove_all();
	ASSERT_LT(0, t_key("cmk", "t:cmk", 1, 64));
	ASSERT_EQ(0, create(20000));
	self->fd = t_open("cmk", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->data = t_alloc(MANY * PIECE, 77);
}

FIXTURE_TEARDOWN(hold)
{
	close(self->fd);
	t_remove_all();
}

TEST_F(hold, thousands_of_bios_wait_for_the_key_and_then_go_on)
{
	ASSERT_EQ(0, t_message("cmk", "revoke"));
	ASSERT_EQ(0, batch_start(&self->b, self->fd, true, MANY, PIECE));
	EXPECT_EQ(MANY, t_field("cmk", 5));
	EXPECT_EQ(MANY, t_field("cmk", 4));
	ASSERT_EQ(0, key_back());
	EXPECT_EQ(MANY, batch_end(&self->b, PIECE));
	EXPECT_EQ(0, t_field("cmk", 5));

	ASSERT_EQ(0, t_message("cmk", "revoke"));
	ASSERT_EQ(0, batch_start(&self->b, self->fd, false, MANY, PIECE));
	t_fill(self->b.data, MANY * PIECE, 1);
	EXPECT_EQ(MANY, t_field("cmk", 5));
	ASSERT_EQ(0, key_back());
	EXPECT_EQ(MANY, batch_end(&self->b, PIECE));
	EXPECT_EQ(0, memcmp(self->b.data, self->data, MANY * PIECE));
	EXPECT_EQ(0, t_counter("cmk", "err_offline"));
}

TEST_F(hold, a_large_write_is_cut_and_complete)
{
	ASSERT_EQ(0, t_message("cmk", "revoke"));
	ASSERT_EQ(0, batch_start(&self->b, self->fd, true, 1, 1 << 20));
	ASSERT_EQ(0, key_back());
	EXPECT_EQ(1, batch_end(&self->b, 1 << 20));
	ASSERT_EQ(0, t_pread(self->fd, self->data, 1 << 20, 0));
	EXPECT_EQ(0, memcmp(self->b.data, self->data, 1 << 20));
}

TEST_F(hold, a_read_under_way_is_held_undecrypted_and_then_decrypted)
{
	ASSERT_EQ(0, t_pwrite(self->fd, self->data, 64 * PIECE, 0));
	ASSERT_EQ(0, t_suspend("low", true));
	ASSERT_EQ(0, batch_start(&self->b, self->fd, false, 64, PIECE));
	t_fill(self->b.data, 64 * PIECE, 1);
	ASSERT_EQ(0, t_message("cmk", "revoke"));
	ASSERT_EQ(0, t_resume("low"));
	t_sleep_ms(200);
	EXPECT_EQ(64, t_field("cmk", 5));
	EXPECT_NE(0, memcmp(self->b.data, self->data, PIECE));
	ASSERT_EQ(0, key_back());
	EXPECT_EQ(64, batch_end(&self->b, PIECE));
	EXPECT_EQ(0, memcmp(self->b.data, self->data, 64 * PIECE));
}

TEST_F(hold, queue_timeout_ends_the_wait)
{
	uint64_t start;

	close(self->fd);
	t_remove_all();
	t_key("cmk", "t:cmk", 1, 64);
	ASSERT_EQ(0, create(400));
	self->fd = t_open("cmk", O_RDWR);
	ASSERT_EQ(0, t_message("cmk", "revoke"));
	start = t_boottime_us();
	ASSERT_EQ(0, batch_start(&self->b, self->fd, false, 100, PIECE));
	EXPECT_EQ(100, batch_end(&self->b, -ENODEV));
	EXPECT_LE(start + 400000, t_boottime_us());
	EXPECT_GT(start + 1500000, t_boottime_us());
	EXPECT_EQ(100, t_counter("cmk", "held_expired"));
	/* and the next one has its own time */
	start = t_boottime_us();
	EXPECT_EQ(-ENODEV, t_pread(self->fd, self->data, PIECE, 0));
	EXPECT_LE(start + 400000, t_boottime_us());
}

TEST_F(hold, a_suspend_does_not_wait_for_held_bios)
{
	ASSERT_EQ(0, t_message("cmk", "revoke"));
	ASSERT_EQ(0, batch_start(&self->b, self->fd, false, 100, PIECE));
	ASSERT_EQ(0, t_suspend("cmk", false));
	EXPECT_EQ(100, batch_end(&self->b, -ENODEV));
	ASSERT_EQ(0, t_resume("cmk"));
	/* held again after the resume */
	ASSERT_EQ(0, batch_start(&self->b, self->fd, false, 100, PIECE));
	EXPECT_EQ(100, t_field("cmk", 5));
	ASSERT_EQ(0, key_back());
	EXPECT_EQ(100, batch_end(&self->b, PIECE));
}

TEST_F(hold, a_noflush_suspend_pushes_held_bios_back)
{
	ASSERT_EQ(0, t_pwrite(self->fd, self->data, 100 * PIECE, 0));
	ASSERT_EQ(0, t_message("cmk", "revoke"));
	ASSERT_EQ(0, batch_start(&self->b, self->fd, false, 100, PIECE));
	t_fill(self->b.data, 100 * PIECE, 1);
	ASSERT_EQ(0, t_suspend("cmk", true));
	EXPECT_EQ(0, t_field("cmk", 5));
	ASSERT_EQ(0, key_back());
	ASSERT_EQ(0, t_resume("cmk"));
	EXPECT_EQ(100, batch_end(&self->b, PIECE));
	EXPECT_EQ(0, memcmp(self->b.data, self->data, 100 * PIECE));
}

TEST_F(hold, a_noflush_suspend_pushes_cut_writes_back)
{
	ASSERT_EQ(0, t_message("cmk", "revoke"));
	ASSERT_EQ(0, batch_start(&self->b, self->fd, true, 2, 1 << 20));
	ASSERT_EQ(0, t_suspend("cmk", true));
	ASSERT_EQ(0, key_back());
	ASSERT_EQ(0, t_resume("cmk"));
	EXPECT_EQ(2, batch_end(&self->b, 1 << 20));
	ASSERT_EQ(0, t_pread(self->fd, self->data, 2 << 20, 0));
	EXPECT_EQ(0, memcmp(self->b.data, self->data, 2 << 20));
}

TEST_F(hold, a_key_that_comes_and_goes_loses_nothing)
{
	unsigned int i;

	ASSERT_EQ(0, t_message("cmk", "revoke"));
	ASSERT_EQ(0, batch_start(&self->b, self->fd, true, MANY, PIECE));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, key_back());
		ASSERT_EQ(0, t_message("cmk", "revoke"));
	}
	ASSERT_EQ(0, key_back());
	EXPECT_EQ(MANY, batch_end(&self->b, PIECE));
	ASSERT_EQ(0, t_pread(self->fd, self->b.data, 1 << 20, 0));
	EXPECT_EQ(0, memcmp(self->b.data, self->data, 1 << 20));
}

TEST_HARNESS_MAIN
