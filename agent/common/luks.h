/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The LUKS2 header, by libcryptsetup; nothing else includes its header. */
#ifndef CMK_LUKS_H
#define CMK_LUKS_H

#include "error.h"
#include "secret.h"
#include "token.h"

#define CMK_MAX_TOKENS 8
#define CMK_SUBSYSTEM  "cmk"

struct cmk_header {
	char device[256];
	char uuid[40];
	uint64_t data_offset_sectors; /* 512-byte sectors, on the device */
	uint64_t size_sectors;	      /* of the data, whole sector_size units */
	uint64_t iv_offset_sectors;
	unsigned int sector_size;
	struct cmk_token tokens[CMK_MAX_TOKENS];
	size_t n_tokens;
};

/**
 * cmk_luks_format() - write a new header without a keyslot: aes-xts-plain64, 64-byte key, subsystem
 * "cmk".
 * @device: a block device that is not in use; the caller has asked the user.
 * @sector_size: 512..4096. @label: may be NULL. @extra: the custom suffix, as for
 * cmk_token_parse().
 * @dek: the new DEK.
 * @token: completed here with the new header's UUID and the MAC, and written in the same step.
 *
 * What was written is read back and checked. On failure no valid header of ours is left behind; a
 * device that was refused before anything was written is as it was. Return: 0 or -errno with @err.
 */
int cmk_luks_format(const char *device, unsigned int sector_size, const char *label,
		    const struct cmk_suffix *extra, const struct secret *dek,
		    struct cmk_token *token, struct cmk_header *h,
		    struct cmk_error *err) _must_check_;

/**
 * cmk_luks_load() - read the header and its cmk tokens.
 *
 * Return: 0; -ENODEV (no such device), -EINVAL (not LUKS2, not of this subsystem, damaged, a token
 * is malformed), each with @err and its exit code.
 */
int cmk_luks_load(const char *device, const struct cmk_suffix *extra, struct cmk_header *h,
		  struct cmk_error *err) _must_check_;

/**
 * cmk_luks_check_dek() - is @dek the volume's DEK (LUKS2 digest), and are all tokens untampered
 * (MAC)?
 *
 * Return: 0, -EKEYREJECTED or -EBADMSG with @err.
 */
int cmk_luks_check_dek(const struct cmk_header *h, const struct secret *dek,
		       struct cmk_error *err) _must_check_;

/* "UUID=..." or a path -> the path of the block device. */
int cmk_luks_resolve(const char *spec, char *path, size_t len, struct cmk_error *err) _must_check_;

#endif
