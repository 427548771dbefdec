// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* Secrets live in OpenSSL's secure heap: one locked mapping that is neither dumped nor left behind
 * in swap. */
#include "secret.h"

#include <malloc.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <openssl/crypto.h>

#define SECURE_HEAP_BYTES (1 << 20)
#define SECURE_MIN_BYTES  32

int secret_process_init(void)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
		return -errno;
	/* 2: made, but not locked; a key could reach the swap device */
	if (CRYPTO_secure_malloc_initialized())
		return 0;
	switch (CRYPTO_secure_malloc_init(SECURE_HEAP_BYTES, SECURE_MIN_BYTES)) {
	case 1:
		return 0;
	case 2:
		return -EPERM;
	default:
		return -ENOMEM;
	}
}

int secret_alloc(struct secret *s, size_t len)
{
	if (len == 0 || len > CMK_SECRET_MAX_BYTES || s->bytes)
		return -EINVAL;
	s->bytes = OPENSSL_secure_zalloc(len);
	if (!s->bytes)
		return -ENOMEM;
	/* without the heap OpenSSL falls back to ordinary memory: that is no place for a key */
	if (!CRYPTO_secure_allocated(s->bytes)) {
		OPENSSL_free(s->bytes);
		s->bytes = NULL;
		return -ENOMEM;
	}
	s->len = len;
	return 0;
}

int secret_from(struct secret *s, const void *p, size_t len)
{
	int r = secret_alloc(s, len);

	if (r < 0)
		return r;
	memcpy(s->bytes, p, len);
	return 0;
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
	return a->len == b->len && (a->len == 0 || CRYPTO_memcmp(a->bytes, b->bytes, a->len) == 0);
}

void secret_wipe(struct secret *s)
{
	if (s->bytes)
		OPENSSL_secure_clear_free(s->bytes, s->len);
	*s = SECRET_INIT;
}

void *wiping_malloc(size_t len)
{
	return malloc(len);
}

void *wiping_calloc(size_t n, size_t len)
{
	return calloc(n, len);
}

void *wiping_realloc(void *p, size_t len)
{
	size_t old = p ? malloc_usable_size(p) : 0;
	void *q;

	if (p && old >= len && len)
		return p;
	/* not realloc(), which would leave the old copy in the heap */
	q = malloc(len);
	if (!q)
		return NULL;
	if (p) {
		memcpy(q, p, old < len ? old : len);
		wiping_free(p);
	}
	return q;
}

char *wiping_strdup(const char *s)
{
	return strdup(s);
}

void wiping_free(void *p)
{
	if (!p)
		return;
	explicit_bzero(p, malloc_usable_size(p));
	free(p);
}
