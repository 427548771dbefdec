/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The instance metadata service's URLs. Pure. */
#ifndef CMK_KMS_IMDS_H
#define CMK_KMS_IMDS_H

#include "token_source.h"

/* The URL of a managed identity's token. Return: 0, or -EINVAL if it does not fit. */
int imds_token_url(const struct cmk_kms_config *c, const struct token_wish *wish, char *url,
		   size_t room) _must_check_;

/* The URL of the host's region. Return: @url. */
char *imds_region_url(const struct cmk_kms_config *c, char *url, size_t room);

/* Read a region's name, "westeurope". Return: 0 or -EBADMSG. */
int imds_read_region(const char *body, size_t len, char *region, size_t room) _must_check_;

#endif
