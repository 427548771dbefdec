/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Memory for keys: OpenSSL's secure heap (locked, not dumped), wiped on every path. A secret is
 * never formatted, never in argv, in the environment or in a log.
 */
#ifndef CMK_SECRET_H
#define CMK_SECRET_H

#include "base.h"

#define CMK_SECRET_MAX_BYTES 16384 /* a certificate with its key and its chain */

struct secret {
	size_t len;
	uint8_t *bytes; /* secure heap; NULL when empty */
};

#define SECRET_INIT ((struct secret){ 0 })

/**
 * secret_process_init() - set the process up for secrets: secure heap, no core dumps, not
 * ptraceable by others.
 *
 * Every main() calls it first. Return: 0 or -errno.
 */
int secret_process_init(void) _must_check_;

/**
 * secret_alloc() - give an empty secret room for @len zero bytes (1..CMK_SECRET_MAX_BYTES).
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int secret_alloc(struct secret *s, size_t len) _must_check_;

/* Copy @len bytes at @p into an empty secret; the caller wipes its own copy. */
int secret_from(struct secret *s, const void *p, size_t len) _must_check_;

/* Compare in constant time for a given length. */
bool secret_equal(const struct secret *a, const struct secret *b);

/* Wipe and release; the secret is empty afterwards. Safe on an empty one. */
void secret_wipe(struct secret *s);

#define _cleanup_secret_ _cleanup_(secret_wipe)

/**
 * wiping_malloc(), wiping_realloc(), wiping_free() - an allocator that wipes on free.
 *
 * For libraries that hold secrets in ordinary memory for a moment (cJSON, libcurl, OpenSSL's
 * records): the process gives them these as their allocator, so that no freed block keeps a key.
 */
void *wiping_malloc(size_t len);
void *wiping_calloc(size_t n, size_t len);
void *wiping_realloc(void *p, size_t len);
char *wiping_strdup(const char *s);
void wiping_free(void *p);

#endif
