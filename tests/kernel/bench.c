// SPDX-License-Identifier: GPL-2.0
/*
 * Nanoseconds of guest time per direct I/O, which are instructions in a guest that counts them (vm
 * -I). Prints "<device> <read|write> <bytes> <ns>". Usage: bench DEVICE LABEL [ROUNDS]
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "dm.h"

#define SPAN	(8ULL << 20)

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* The middle of five runs, as interrupts hit some of them. */
static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int run(int fd, bool write, void *data, size_t bytes, unsigned int n)
{
	uint64_t at = 0;
	unsigned int i;
	int r = 0;

	for (i = 0; i < n && !r; i++) {
		r = write ? t_pwrite(fd, data, bytes, at) : t_pread(fd, data, bytes, at);
		at = (at + bytes) % SPAN;
	}
	return r;
}

static int cell(const char *label, int fd, bool write, size_t bytes, unsigned int n)
{
	void *data = t_alloc(bytes, 1);
	uint64_t took[5];
	unsigned int i;
	int r = run(fd, write, data, bytes, n / 4 + 2);

	for (i = 0; i < 5 && !r; i++) {
		took[i] = now_ns();
		r = run(fd, write, data, bytes, n);
		took[i] = (now_ns() - took[i]) / n;
	}
	free(data);
	if (r) {
		fprintf(stderr, "bench: %s: error %d\n", label, r);
		return r;
	}
	qsort(took, 5, sizeof(took[0]), by_value);
	printf("%s %s %zu %llu\n", label, write ? "write" : "read", bytes,
	       (unsigned long long)took[2]);
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		size_t bytes;
		unsigned int n;
	} sizes[] = { { 4096, 400 }, { 65536, 40 }, { 1 << 20, 6 } };
	unsigned int i;
	int fd, r = 0;

	if (argc != 3) {
		fprintf(stderr, "usage: bench DEVICE LABEL\n");
		return 2;
	}
	fd = t_open(argv[1], O_RDWR);
	if (fd < 0) {
		fprintf(stderr, "bench: %s cannot be opened: %d\n", argv[1], fd);
		return 1;
	}
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]) && !r; i++) {
		r = cell(argv[2], fd, false, sizes[i].bytes, sizes[i].n);
		if (!r)
			r = cell(argv[2], fd, true, sizes[i].bytes, sizes[i].n);
	}
	close(fd);
	return r ? 1 : 0;
}
