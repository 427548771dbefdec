/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* Entra's token endpoint (OAuth 2.0 client credentials), for workloads and service principals. */
#ifndef CMK_KMS_ENTRA_H
#define CMK_KMS_ENTRA_H

#include "token_source.h"

token_first_fn entra_first;

/* The authority that a credential may be sent to for a challenge's @login, or NULL. Pure. */
const char *entra_authority(const char *login);

#endif
