// SPDX-License-Identifier: GPL-2.0
/*
 * The data on the lower device is dm-crypt's and OpenSSL's, bit for bit: for each sector size, way
 * of counting the IV, key size and offset, what one writes the other reads.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "dm.h"
#include "kselftest_harness.h"

#define SECTORS		4096ULL		/* 2 MiB: more than one bio can carry */
#define BYTES		(SECTORS * 512)

struct layout {
	unsigned int sector_size;
	bool iv_large;
	unsigned int key_bytes;
	uint64_t iv_offset, offset;
	const char *lower;
};

/* The reference: XTS over each unit with the plain64 IV. */
static int openssl_encrypt(const struct layout *l, const uint8_t *key, const uint8_t *in,
			   uint8_t *out, size_t bytes, uint64_t sector)
{
	const EVP_CIPHER *cipher = l->key_bytes == 64 ? EVP_aes_256_xts() : EVP_aes_128_xts();
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n, r = 0;
	size_t at;

	for (at = 0; at < bytes && !r; at += l->sector_size) {
		uint64_t unit = l->iv_offset + sector + at / 512;
		uint64_t iv[2] = { l->iv_large ? unit / (l->sector_size / 512) : unit, 0 };

		if (!EVP_EncryptInit_ex(ctx, cipher, NULL, key, (uint8_t *)iv) ||
		    !EVP_EncryptUpdate(ctx, out + at, &n, in + at, l->sector_size))
			r = -EIO;
	}
	EVP_CIPHER_CTX_free(ctx);
	return r;
}

/* The same words for both targets. */
static int create(const char *target, const struct layout *l)
{
	return t_create(target, SECTORS, target,
			"aes-xts-plain64 :%u:logon:t:key %llu %s %llu %u sector_size:%u%s",
			l->key_bytes, (unsigned long long)l->iv_offset, l->lower,
			(unsigned long long)l->offset, 1 + l->iv_large, l->sector_size,
			l->iv_large ? " iv_large_sectors" : "");
}

/*
 * Write or read the whole device in pieces of random length at their places, in random order of
 * lengths.
 */
static int sweep(int fd, uint8_t *data, bool write, unsigned int unit, unsigned int seed)
{
	uint64_t at = 0;
	int r = 0;

	srandom(seed);
	while (at < BYTES && !r) {
		size_t n = unit * (1 + random() % (random() % 4 ? 16 : 512));

		if (n > BYTES - at)
			n = BYTES - at;
		r = write ? t_pwrite(fd, data + at, n, at) : t_pread(fd, data + at, n, at);
		at += n;
	}
	return r;
}

static int through(const char *name, uint8_t *data, bool write, unsigned int unit,
		   unsigned int seed)
{
	int fd = t_open(name, O_RDWR);
	int r = fd < 0 ? fd : sweep(fd, data, write, unit, seed);

	if (fd >= 0)
		close(fd);
	return r;
}

FIXTURE(oracle)
{
	uint8_t *plain, *cipher, *got;
	uint8_t key[CMK_KEY_BYTES_256];
};

FIXTURE_VARIANT(oracle)
{
	struct layout l;
};

#define LAYOUT_ON(name, size, large, bytes, iv, off, lower)					\
	FIXTURE_VARIANT_ADD(oracle, name) { .l = { size, large, bytes, iv, off, lower } }
#define LAYOUT(name, size, large, bytes, iv, off)						\
	LAYOUT_ON(name, size, large, bytes, iv, off, T_RAM)

/* clang-format off */
LAYOUT(size_512,			512, false, 64, 0, 0);
LAYOUT(size_512_large,			512, true, 64, 0, 0);
LAYOUT(size_1024,			1024, false, 64, 0, 0);
LAYOUT(size_1024_large,			1024, true, 64, 0, 0);
LAYOUT(size_2048,			2048, false, 64, 0, 0);
LAYOUT(size_2048_large,			2048, true, 64, 0, 0);
LAYOUT(size_4096,			4096, false, 64, 0, 0);
LAYOUT(size_4096_large,			4096, true, 64, 0, 0);
LAYOUT(size_512_key_32,			512, false, 32, 0, 0);
LAYOUT(size_4096_large_key_32,		4096, true, 32, 0, 0);
LAYOUT(size_512_offsets,		512, false, 64, 3, 4097);
LAYOUT(size_4096_offsets,		4096, false, 64, 8000, 8192);
LAYOUT(size_4096_large_offsets,		4096, true, 64, 8000, 8192);
LAYOUT(size_4096_iv_above_32_bits,	4096, false, 64, 0x123456789a8ULL, 0);
LAYOUT(size_1024_large_iv_above_32_bits, 1024, true, 64, 0x123456789a8ULL, 16);
LAYOUT_ON(size_512_on_disk,		512, false, 64, 8, 0, T_DISK);
LAYOUT_ON(size_4096_on_disk,		4096, false, 64, 0, 8, T_DISK);
LAYOUT_ON(size_4096_large_on_disk,	4096, true, 64, 8, 16, T_DISK);
/* clang-format on */

FIXTURE_SETUP(oracle)
{
	t_remove_all();
	self->plain = t_alloc(BYTES, 1);
	self->cipher = t_alloc(BYTES, 2);
	self->got = t_alloc(BYTES, 3);
	t_key_bytes(7, self->key, variant->l.key_bytes);
	ASSERT_LT(0, t_key("logon", "t:key", 7, variant->l.key_bytes));
	ASSERT_EQ(0, openssl_encrypt(&variant->l, self->key, self->plain, self->cipher, BYTES, 0));
	ASSERT_EQ(0, create("cmk", &variant->l));
}

FIXTURE_TEARDOWN(oracle)
{
	t_remove_all();
}

TEST_F(oracle, writes_what_openssl_computes_and_dm_crypt_reads)
{
	int raw;

	ASSERT_EQ(0, through("cmk", self->plain, true, variant->l.sector_size, 11));
	raw = t_open(variant->l.lower, O_RDONLY);
	ASSERT_LE(0, raw);
	ASSERT_EQ(0, t_pread(raw, self->got, BYTES, variant->l.offset * 512));
	EXPECT_EQ(0, memcmp(self->got, self->cipher, BYTES));
	close(raw);

	ASSERT_EQ(0, t_remove("cmk"));
	ASSERT_EQ(0, create("crypt", &variant->l));
	t_fill(self->got, BYTES, 4);
	ASSERT_EQ(0, through("crypt", self->got, false, variant->l.sector_size, 12));
	EXPECT_EQ(0, memcmp(self->got, self->plain, BYTES));
}

TEST_F(oracle, reads_what_dm_crypt_and_openssl_write)
{
	int raw;

	ASSERT_EQ(0, t_remove("cmk"));
	ASSERT_EQ(0, create("crypt", &variant->l));
	ASSERT_EQ(0, through("crypt", self->plain, true, variant->l.sector_size, 13));
	ASSERT_EQ(0, t_remove("crypt"));
	ASSERT_EQ(0, create("cmk", &variant->l));
	ASSERT_EQ(0, through("cmk", self->got, false, variant->l.sector_size, 14));
	EXPECT_EQ(0, memcmp(self->got, self->plain, BYTES));

	/* other data, encrypted by OpenSSL and put there past any device-mapper */
	t_fill(self->plain, BYTES, 5);
	ASSERT_EQ(0, openssl_encrypt(&variant->l, self->key, self->plain, self->cipher, BYTES, 0));
	ASSERT_EQ(0, t_remove("cmk"));
	raw = t_open(variant->l.lower, O_WRONLY);
	ASSERT_LE(0, raw);
	ASSERT_EQ(0, t_pwrite(raw, self->cipher, BYTES, variant->l.offset * 512));
	close(raw);
	ASSERT_EQ(0, create("cmk", &variant->l));
	ASSERT_EQ(0, through("cmk", self->got, false, variant->l.sector_size, 15));
	EXPECT_EQ(0, memcmp(self->got, self->plain, BYTES));
}

TEST_HARNESS_MAIN
