/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* All that the agent does with OpenSSL's algorithms. Their sources stand at each function in
 * crypto.c. */
#ifndef CMK_CRYPTO_H
#define CMK_CRYPTO_H

#include "base64url.h"
#include "secret.h"

#define CMK_SHA256_BYTES 32
#define CMK_DEK_BYTES	 64 /* AES-256-XTS */

/* An RSA public key in JWK's terms: big-endian, no leading zero. */
struct cmk_public {
	uint8_t n[512];
	size_t n_len; /* 256, 384 or 512 */
	uint8_t e[8];
	size_t e_len;
};

/* Fill an empty secret with @len random bytes from the private DRBG. */
int crypto_random_secret(struct secret *s, size_t len) _must_check_;

/* A random GUID, version 4 (RFC 4122), in lower case. */
int crypto_guid(char guid[37]) _must_check_;

/**
 * crypto_oaep_encrypt() - RSA-OAEP with SHA-256 and MGF1-SHA-256 (RFC 8017, 7.1.1; JWA
 * "RSA-OAEP-256").
 * @out: at least @pub->n_len bytes, which is what it fills.
 *
 * Return: 0, -EINVAL (unfit key or message too long), -ENOMEM.
 */
int crypto_oaep_encrypt(const struct cmk_public *pub, const struct secret *msg,
			uint8_t *out) _must_check_;

/* HKDF-SHA-256 (RFC 5869) without salt; @okm is empty. */
int crypto_hkdf(const struct secret *ikm, const char *info, struct secret *okm,
		size_t len) _must_check_;

/* HMAC-SHA-256 (RFC 2104). */
int crypto_hmac(const struct secret *key, const void *p, size_t len,
		uint8_t mac[CMK_SHA256_BYTES]) _must_check_;

/* Constant-time comparison. */
bool crypto_equal(const void *a, const void *b, size_t len);

#endif
