// SPDX-License-Identifier: GPL-2.0
/*
 * Revokes a mapping under load, again and again: asynchronous reads and writes are kept in flight
 * on it, and after each `revoke` it says how long the message took, and how long, by the mapping's
 * own counter, it took until the key was zeroized, which is after the last cipher call.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "dm.h"

#define BYTES	  4096
#define DEPTH_MAX 1024
#define NAME	  "drain"
#define LOWER	  "drain-lower"
#define DELAY_MS  2   /* of the lower device, so that the depth is there */
#define LOAD_MS	  100 /* before each revoke */
#define POLL_US	  130 /* no divisor of the timer's tick, with which the slow device's answers come \
		       */
#define POLLS 10000

static unsigned int depth;

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void check(const char *what, int r)
{
	if (r >= 0)
		return;
	fprintf(stderr, "drain: %s: %s\n", what, strerror(-r));
	t_remove_all();
	exit(1);
}

static void prepare(struct iocb *cb, int fd, char *buf, unsigned int i, bool writing)
{
	memset(cb, 0, sizeof(*cb));
	cb->aio_data = i;
	cb->aio_fildes = (uint32_t)fd;
	cb->aio_lio_opcode = writing ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD;
	cb->aio_buf = (uint64_t)(uintptr_t)(buf + (size_t)i * BYTES);
	cb->aio_nbytes = BYTES;
	cb->aio_offset = (int64_t)i * BYTES;
}

/* Keeps the depth until I/O fails, as it does after the revoke, then takes back what is under way.
 */
static void *load(void *unused)
{
	static struct io_event events[DEPTH_MAX];
	static struct iocb cb[DEPTH_MAX];
	unsigned int i, in_flight = 0;
	aio_context_t ctx = 0;
	bool failed = false;
	char *buf = t_alloc((size_t)depth * BYTES, 1);
	int fd = t_open(NAME, O_RDWR);

	(void)unused;
	check("open", fd);
	check("io_setup", syscall(SYS_io_setup, depth, &ctx) ? -errno : 0);
	for (i = 0; i < depth; i++) {
		struct iocb *one = &cb[i];

		prepare(one, fd, buf, i, i & 1);
		check("io_submit", syscall(SYS_io_submit, ctx, 1, &one) == 1 ? 0 : -errno);
		in_flight++;
	}
	while (in_flight) {
		int n = (int)syscall(SYS_io_getevents, ctx, 1, depth, events, NULL);

		check("io_getevents", n < 0 ? -errno : 0);
		for (int k = 0; k < n; k++) {
			struct iocb *one = &cb[events[k].data];

			in_flight--;
			failed |= events[k].res != BYTES;
			if (failed)
				continue;
			one->aio_lio_opcode ^= IOCB_CMD_PREAD ^ IOCB_CMD_PWRITE;
			if (syscall(SYS_io_submit, ctx, 1, &one) == 1)
				in_flight++;
			else
				failed = true;
		}
	}
	syscall(SYS_io_destroy, ctx);
	close(fd);
	free(buf);
	return NULL;
}

/* Waits for most of the depth to be in the mapping at once. */
static long long wait_for_depth(void)
{
	long long in_flight = 0;

	for (unsigned int i = 0; i < POLLS; i++) {
		in_flight = t_field(NAME, 4);
		if (in_flight >= depth - depth / 8)
			break;
		usleep(POLL_US);
	}
	return in_flight;
}

int main(int argc, char **argv)
{
	unsigned int rounds, i;

	if (argc != 3 || (depth = (unsigned int)strtoul(argv[1], NULL, 10)) < 1 ||
	    depth > DEPTH_MAX) {
		fprintf(stderr, "usage: drain DEPTH ROUNDS\n"
				"prints, for each round: drain <in flight> <us of the message> <us "
				"to the key's end>\n");
		return 2;
	}
	rounds = (unsigned int)strtoul(argv[2], NULL, 10);
	check("the slow device", t_create(LOWER, T_RAM_SECTORS, "delay",
					  T_RAM " 0 %u " T_RAM " 0 %u", DELAY_MS, DELAY_MS));
	check("add_key", t_key("cmk", NAME, 1, 64));
	check("the mapping",
	      t_create(NAME, T_RAM_SECTORS, "cmk",
		       "aes-xts-plain64 :64:cmk:" NAME " 0 /dev/dm-%d 0", t_minor(LOWER)));
	for (i = 0; i < rounds; i++) {
		pthread_t thread;
		long long in_flight;
		double start, took;

		check("the load", -pthread_create(&thread, NULL, load, NULL));
		t_sleep_ms(LOAD_MS);
		in_flight = wait_for_depth();
		start = now_us();
		check("revoke", t_message(NAME, "revoke bench"));
		took = now_us() - start;
		printf("drain %lld %.0f %lld\n", in_flight, took, t_counter(NAME, "drain_us"));
		pthread_join(thread, NULL);
		check("add_key", t_key("cmk", NAME, 1, 64));
		check("key", t_message(NAME, "key :64:cmk:" NAME));
	}
	check("remove", t_remove(NAME));
	check("remove", t_remove(LOWER));
	return 0;
}
