/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* A KEK's address: https://<vault>.<suffix>[:<port>]/keys/<name>[/<version>], for Key Vault and
 * Managed HSM. Pure. */
#ifndef CMK_KEYID_H
#define CMK_KEYID_H

#include "error.h"

enum cmk_store {
	CMK_STORE_VAULT,
	CMK_STORE_MHSM,
};

struct cmk_keyid {
	enum cmk_store store;
	char host[254];	  /* lower case */
	uint16_t port;	  /* 443 unless the URL says otherwise */
	char name[128];	  /* [0-9A-Za-z-]{1,127} */
	char version[33]; /* 32 hexadecimal digits (lower case), or empty: the current version */
};

/* A custom suffix by configuration, beside the table of the public, China and US Government clouds.
 */
struct cmk_suffix {
	const char *suffix; /* ".vault.example" */
	enum cmk_store store;
};

/**
 * cmk_keyid_parse() - parse a key's URL.
 * @url: what the user or a token gave.
 * @extra: the configured custom suffix, or NULL.
 * @id: filled on success.
 * @err: says which part of the URL is wrong.
 *
 * Return: 0 or -EINVAL.
 */
int cmk_keyid_parse(const char *url, const struct cmk_suffix *extra, struct cmk_keyid *id,
		    struct cmk_error *err) _must_check_;

/**
 * cmk_keyid_format() - the canonical URL; the port only where it is not 443.
 * @buf: at least 512 bytes. Return: @buf.
 */
char *cmk_keyid_format(const struct cmk_keyid *id, char *buf, size_t len);

/* The canonical "https://host[:port]" of the store. */
char *cmk_keyid_store_url(const struct cmk_keyid *id, char *buf, size_t len);

#endif
