/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The words that a token's JSON has for its enums, for token.c and token_parse.c alone. */
#ifndef CMK_TOKEN_NAMES_H
#define CMK_TOKEN_NAMES_H

#include "token.h"

/* How many each has; an empty name stands for a value that is not used. */
#define CMK_TOKEN_MODES	 (CMK_MODE_SERVICE + 1)
#define CMK_TOKEN_ROLES	 (CMK_ROLE_PENDING + 1)
#define CMK_TOKEN_STORES (CMK_STORE_MHSM + 1)
#define CMK_TOKEN_ALGS	 (CMK_ALG_RSA_OAEP + 1)

extern const char *const cmk_token_modes[CMK_TOKEN_MODES];
extern const char *const cmk_token_roles[CMK_TOKEN_ROLES];
extern const char *const cmk_token_stores[CMK_TOKEN_STORES];
extern const char *const cmk_token_algs[CMK_TOKEN_ALGS];

#endif
