/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* What vaults said in their challenges, so that only the first request to each goes without a
 * token. Pure. */
#ifndef CMK_KMS_KNOWN_H
#define CMK_KMS_KNOWN_H

#include "challenge.h"

struct known;

struct known *known_new(void);
void known_free(struct known *k);

/* The challenge of a vault, or NULL. */
const struct challenge *known_find(const struct known *k, const char *host, uint16_t port);

/* Remember it, instead of what was known. Without memory it is simply not remembered. */
void known_put(struct known *k, const char *host, uint16_t port, const struct challenge *c);

#endif
