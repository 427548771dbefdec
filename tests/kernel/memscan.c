// SPDX-License-Identifier: GPL-2.0
/*
 * Runs on the host: looks for an AES-XTS key in an image of a guest's memory. Prints how often each
 * half of the key is there, and how many of the round keys that follow from the halves. Usage:
 * memscan IMAGE KEYFILE
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HALF	32	/* AES-256 */
#define ROUNDS	15

static uint8_t sbox[256];

static uint8_t gf_mul(uint8_t a, uint8_t b)
{
	uint8_t r = 0;

	for (; b; b >>= 1) {
		if (b & 1)
			r ^= a;
		a = (a << 1) ^ (a & 0x80 ? 0x1b : 0);
	}
	return r;
}

/* The S-box by its definition: the inverse in GF(2^8), then the affine map. */
static void make_sbox(void)
{
	unsigned int i, j;

	for (i = 0; i < 256; i++) {
		uint8_t inv = 0, x;

		for (j = 1; j < 256 && !inv; j++)
			if (gf_mul(i, j) == 1)
				inv = j;
		x = inv;
		for (j = 1; j < 5; j++)
			x ^= inv << j | inv >> (8 - j);
		sbox[i] = x ^ 0x63;
	}
}

static void expand(const uint8_t *key, uint8_t *schedule)
{
	uint8_t rcon = 1, t[4];
	unsigned int i, j;

	memcpy(schedule, key, HALF);
	for (i = HALF / 4; i < ROUNDS * 4; i++) {
		memcpy(t, schedule + 4 * (i - 1), 4);
		if (i % 8 == 0) {
			uint8_t first = t[0];

			t[0] = sbox[t[1]] ^ rcon;
			t[1] = sbox[t[2]];
			t[2] = sbox[t[3]];
			t[3] = sbox[first];
			rcon = gf_mul(rcon, 2);
		} else if (i % 8 == 4) {
			for (j = 0; j < 4; j++)
				t[j] = sbox[t[j]];
		}
		for (j = 0; j < 4; j++)
			schedule[4 * i + j] = schedule[4 * (i - 8) + j] ^ t[j];
	}
}

static unsigned int count(const uint8_t *mem, size_t size, const uint8_t *what, size_t len)
{
	const uint8_t *p = mem, *end = mem + size;
	unsigned int n = 0;

	while ((p = memmem(p, end - p, what, len))) {
		n++;
		p++;
	}
	return n;
}

int main(int argc, char **argv)
{
	uint8_t key[2 * HALF], schedule[ROUNDS * 16];
	unsigned int half, i, halves[2], round_keys = 0;
	struct stat st;
	uint8_t *mem;
	int fd;

	if (argc != 3)
		return 2;
	fd = open(argv[2], O_RDONLY);
	if (fd < 0 || read(fd, key, sizeof(key)) != sizeof(key))
		return 2;
	fd = open(argv[1], O_RDONLY);
	if (fd < 0 || fstat(fd, &st))
		return 2;
	mem = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (mem == MAP_FAILED)
		return 2;
	make_sbox();
	for (half = 0; half < 2; half++) {
		expand(key + half * HALF, schedule);
		halves[half] = count(mem, st.st_size, key + half * HALF, HALF);
		for (i = 2; i < ROUNDS; i++)
			round_keys += count(mem, st.st_size, schedule + 16 * i, 16);
	}
	printf("%u %u %u\n", halves[0], halves[1], round_keys);
	return 0;
}
