/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* One libcryptsetup context, for luks.c and luks_format.c alone. */
#ifndef CMK_LUKS_PRIVATE_H
#define CMK_LUKS_PRIVATE_H

#include <libcryptsetup.h>

#include "luks.h"

/* LUKS2 on-disk format, 2.1: the magic of the two copies, and where the second one can be. */
#define MAGIC_BYTES    6
#define MAGIC_FIRST    "LUKS\xba\xbe"
#define MAGIC_SECOND   "SKUL\xba\xbe"
#define SECOND_MIN_OFF 0x4000
#define SECOND_MAX_OFF 0x400000

/* libcryptsetup's own words about a failure: the first error is the cause. */
struct luks {
	struct crypt_device *cd;
	const char *device;
	char log[256];
};

int luks_open(const char *device, struct luks *l, struct cmk_error *err) _must_check_;
void luks_close(struct luks *l);
#define _cleanup_luks_ _cleanup_(luks_close)

/* Why a call failed: libcryptsetup's words, or errno's where it has none. */
const char *luks_why(const struct luks *l, int r);
enum cmk_exit luks_exit(int r);

#endif
