/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The LUKS2 token of type "cmk": one wrapped copy of the DEK. JSON in and out, and its MAC. Pure
 * but for OpenSSL. */
#ifndef CMK_TOKEN_H
#define CMK_TOKEN_H

#include "crypto.h"
#include "error.h"
#include "identity.h"
#include "keyid.h"
#include "proto.h"

#define CMK_TOKEN_TYPE	  "cmk"
#define CMK_TOKEN_VERSION 1

enum cmk_mode {
	CMK_MODE_CUSTOMER,
	CMK_MODE_SERVICE,
};

enum cmk_role {
	CMK_ROLE_PRIMARY,
	CMK_ROLE_GEO_BACKUP,
	CMK_ROLE_PENDING,
};

struct cmk_token {
	int slot; /* the LUKS2 token number, -1 before it is written; not part of the MAC */
	enum cmk_mode mode;
	enum cmk_role role;
	struct cmk_keyid kek; /* versioned */
	bool follow_latest;
	struct cmk_public public;
	struct cmk_identity identity;
	enum cmk_alg alg;
	uint8_t wrapped[CMK_RSA_MAX_BYTES];
	size_t wrapped_len;
	int64_t created; /* Unix seconds */
	uint8_t mac[CMK_SHA256_BYTES];
};

/**
 * cmk_token_parse() - read a token's JSON, which an attacker may have written.
 *
 * Return: 0, -EINVAL with @err naming the field, -ENOMEM.
 */
int cmk_token_parse(const char *json, const struct cmk_suffix *extra, struct cmk_token *t,
		    struct cmk_error *err) _must_check_;

/* The JSON, with "type" and "keyslots":[] as LUKS2 wants them. *@json is the caller's to free. */
int cmk_token_format(const struct cmk_token *t, char **json) _must_check_;

/**
 * cmk_token_mac() - HMAC over all fields but slot and mac, each with its length before it, and the
 * LUKS UUID, under HKDF(DEK, "dm-cmk token mac v1").
 */
int cmk_token_mac(const struct cmk_token *t, const char *luks_uuid, const struct secret *dek,
		  uint8_t mac[CMK_SHA256_BYTES]) _must_check_;

const char *cmk_mode_name(enum cmk_mode m);
const char *cmk_role_name(enum cmk_role r);
const char *cmk_alg_name(enum cmk_alg a);

#endif
