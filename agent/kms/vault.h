/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The data plane of Key Vault and Managed HSM: URLs, bodies, and what an answer must look like.
 * Pure. */
#ifndef CMK_KMS_VAULT_H
#define CMK_KMS_VAULT_H

#include "common/proto.h"

#define VAULT_URL_MAX  640
#define VAULT_BODY_MAX 1024

/* The URL of the request's GET_KEY or UNWRAP. Return: @url. */
char *vault_url(const struct cmk_kms_request *rq, const char *api_version, char *url, size_t room);

/* The body of an UNWRAP. Return: its length. */
size_t vault_body(const struct cmk_kms_request *rq, char *body, size_t room);

/**
 * vault_read_key() - read the 200 answer to a GET_KEY.
 * @extra: the custom suffix, or NULL.
 * @an: key, kty, n, e, attributes and recovery are set.
 *
 * The answer must be about the key that was asked for. Return: 0 or -EBADMSG (@an's evidence says
 * what is wrong).
 */
int vault_read_key(const struct cmk_kms_request *rq, const struct cmk_suffix *extra,
		   const char *body, size_t len, struct cmk_kms_answer *an) _must_check_;

/* The 200 answer to an UNWRAP: the bytes go to @an's output. Return: 0, -EBADMSG or -ENOMEM. */
int vault_read_unwrap(const struct cmk_kms_request *rq, const struct cmk_suffix *extra,
		      const char *body, size_t len, struct cmk_kms_answer *an) _must_check_;

#endif
