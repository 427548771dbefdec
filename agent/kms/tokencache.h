/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Tokens by identity and resource. Whoever needs one that is being fetched waits for the same
 * fetch; a token is fetched again some time before it ends; all are wiped with their memory.
 */
#ifndef CMK_KMS_TOKENCACHE_H
#define CMK_KMS_TOKENCACHE_H

#include "token_source.h"

struct tokencache;

struct token {
	const char *text;
	int64_t fetched_ms; /* boottime */
};

/**
 * token_done_fn - a fetch has ended.
 * @token: valid during the call; NULL on failure.
 * @failure: then why.
 */
typedef void token_done_fn(void *arg, const struct token *token,
			   const struct cmk_evidence *failure);

struct tokencache *tokencache_new(struct http *http, const struct cmk_kms_config *c);

/* Wipe and release all; nobody's function is called. NULL is fine. */
void tokencache_free(struct tokencache *tc);

/**
 * tokencache_get() - a token, at once or later.
 * @wish: copied as far as it is needed later.
 * @newer_than_ms: a cached token must have been fetched after this (boottime); -1: any.
 * @timeout_ms: of each exchange of a fetch.
 * @token: filled if the return value is 1; valid until the next call.
 * @done, @arg: called if the return value is 0: later, or before this returns. It must not call
 * this function.
 *
 * Return: 1, 0, or -ENOMEM.
 */
int tokencache_get(struct tokencache *tc, const struct token_wish *wish, int64_t newer_than_ms,
		   int64_t timeout_ms, struct token *token, token_done_fn *done,
		   void *arg) _must_check_;

/* Whoever waits with @arg does not any more. */
void tokencache_cancel(struct tokencache *tc, const void *arg);

#endif
