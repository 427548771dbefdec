/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* WWW-Authenticate headers: what a vault wants a token for, and where from. Pure. */
#ifndef CMK_KMS_CHALLENGE_H
#define CMK_KMS_CHALLENGE_H

#include "common/base.h"

struct challenge {
	char login[128];    /* host of the authority: "login.microsoftonline.com" */
	char tenant[37];    /* GUID in lower case, or empty ("common") */
	char resource[254]; /* "https://vault.azure.net", without a slash at its end; may be empty
			       with claims */
	char claims[2048];  /* of a claims challenge, base64 as it came; else empty */
};

/**
 * challenge_parse() - read the value of one WWW-Authenticate header.
 * @value: as it came.
 * @c: filled on success.
 *
 * Return: 0, -ENOENT if it holds no Bearer challenge, -EINVAL if that one is malformed or lacks
 * authority or resource.
 */
int challenge_parse(const char *value, struct challenge *c) _must_check_;

/**
 * challenge_fits() - may a token for the challenge's resource be sent to @host?
 *
 * Only if @host lies under the resource's host ("a.vault.azure.net" under "vault.azure.net"):
 * otherwise whoever sent the challenge would get a token that is good elsewhere.
 */
bool challenge_fits(const struct challenge *c, const char *host);

/**
 * challenge_realm() - the file that Azure Arc's "Basic realm=<path>" names.
 *
 * Return: 0, -ENOENT, -EINVAL.
 */
int challenge_realm(const char *value, char *path, size_t room) _must_check_;

#endif
