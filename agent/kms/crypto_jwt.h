/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The client assertion of a service principal with a certificate. */
#ifndef CMK_KMS_CRYPTO_JWT_H
#define CMK_KMS_CRYPTO_JWT_H

#include "common/secret.h"

/**
 * crypto_jwt_make() - sign an assertion: RS256, x5t, good for ten minutes (RFC 7523; Entra's
 * "certificate credentials").
 * @pem: a certificate and its RSA key, unencrypted, in any order.
 * @client_id: issuer and subject. @url: audience, the token endpoint. @now: Unix seconds.
 * @jwt: the caller's to wiping_free().
 *
 * Return: 0, -EINVAL (not such a PEM), -ENOMEM, -EIO.
 */
int crypto_jwt_make(const struct secret *pem, const char *client_id, const char *url, int64_t now,
		    char **jwt) _must_check_;

#endif
