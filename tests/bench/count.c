// SPDX-License-Identifier: GPL-2.0
/*
 * Counts the instructions of one direct I/O operation: in a guest that counts them (-icount
 * shift=0) a nanosecond of its monotonic clock is an instruction. Batches are shorter than, or as
 * many as needed to miss, the timer's tick; the smallest is the operation without it. The loop's
 * own few instructions are in every device's figure.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SPAN (4ULL << 20) /* bytes at the device's start that the operations walk over */

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void run(int fd, int writing, char *buf, size_t bytes, unsigned int ops)
{
	static uint64_t offset;

	for (unsigned int i = 0; i < ops; i++) {
		ssize_t n = writing ? pwrite(fd, buf, bytes, (off_t)offset)
				    : pread(fd, buf, bytes, (off_t)offset);

		if (n != (ssize_t)bytes) {
			fprintf(stderr, "count: %zu bytes at %llu: %s\n", bytes,
				(unsigned long long)offset, n < 0 ? strerror(errno) : "short");
			exit(1);
		}
		offset = (offset + bytes) % SPAN;
	}
}

int main(int argc, char **argv)
{
	uint64_t min = UINT64_MAX, total = 0;
	unsigned int ops, batches;
	size_t bytes;
	char *buf;
	int fd, writing;

	if (argc != 6) {
		fprintf(stderr,
			"usage: count DEVICE read|write BYTES OPERATIONS BATCHES\n"
			"prints the operation's least and mean nanoseconds over the batches\n");
		return 2;
	}
	writing = !strcmp(argv[2], "write");
	bytes = strtoul(argv[3], NULL, 10);
	ops = (unsigned int)strtoul(argv[4], NULL, 10);
	batches = (unsigned int)strtoul(argv[5], NULL, 10);
	fd = open(argv[1], (writing ? O_RDWR : O_RDONLY) | O_DIRECT | O_CLOEXEC);
	if (fd < 0) {
		fprintf(stderr, "count: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	buf = aligned_alloc(4096, bytes);
	if (!buf)
		return 1;
	memset(buf, 0x5a, bytes);

	run(fd, writing, buf, bytes, ops * 2);
	for (unsigned int i = 0; i < batches; i++) {
		uint64_t start = now_ns(), took;

		run(fd, writing, buf, bytes, ops);
		took = (now_ns() - start) / ops;
		total += took;
		min = took < min ? took : min;
	}
	printf("%llu %llu\n", (unsigned long long)min, (unsigned long long)(total / batches));
	free(buf);
	return close(fd) ? 1 : 0;
}
