// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* Writes a new LUKS2 header, without a keyslot and with one cmk token, and leaves none behind if
 * that fails. */
#include "luks_private.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* The digest guards 512 random bits: more iterations than the least would guard nothing. */
#define DIGEST_ITERATIONS 1000

static int write_token(struct luks *l, const struct secret *dek, struct cmk_token *token,
		       struct cmk_error *err)
{
	_cleanup_free_ char *json = NULL;
	int r = cmk_token_mac(token, crypt_get_uuid(l->cd), dek, token->mac);

	if (r == 0)
		r = cmk_token_format(token, &json);
	if (r < 0)
		return cmk_error_set(err, CMK_EXIT_MEMORY, r, NULL,
				     "%s: the token cannot be made: %s", l->device, strerror(-r));
	r = crypt_token_json_set(l->cd, CRYPT_ANY_TOKEN, json);
	if (r < 0)
		return cmk_error_set(err, luks_exit(r), r, NULL,
				     "%s: the token cannot be written: %s", l->device,
				     luks_why(l, r));
	token->slot = r;
	return 0;
}

/* A random (version 4) UUID, RFC 4122. Ours tells the header that we wrote from one that was there
 * before. */
static int make_uuid(char uuid[37])
{
	uint8_t b[16];

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		return -EIO;
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	for (size_t i = 0, at = 0; i < sizeof(b); i++)
		at += sprintf(uuid + at, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x",
			      b[i]);
	return 0;
}

/*
 * Make what was written no header any more: both copies, wherever the second one can be. A device
 * that was refused before anything was written stays as it is.
 */
static void wipe_header(const char *device, const char *uuid)
{
	_cleanup_luks_ struct luks l = { 0 };
	_cleanup_close_ int fd = -1;
	static const char zeros[4096];

	if (luks_open(device, &l, NULL) < 0 || crypt_load(l.cd, CRYPT_LUKS2, NULL) < 0 ||
	    strcmp(crypt_get_uuid(l.cd), uuid) != 0)
		return;
	fd = open(device, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || pwrite(fd, zeros, sizeof(zeros), 0) < 0)
		return;
	for (off_t off = SECOND_MIN_OFF; off <= SECOND_MAX_OFF; off *= 2) {
		if (pwrite(fd, zeros, sizeof(zeros), off) < 0)
			break;
	}
	fsync(fd);
}

static int write_header(struct luks *l, const char *uuid, unsigned int sector_size,
			const char *label, const struct secret *dek, struct cmk_error *err)
{
	static const struct crypt_pbkdf_type pbkdf = {
		.type = CRYPT_KDF_PBKDF2,
		.hash = "sha256",
		.iterations = DIGEST_ITERATIONS,
		.flags = CRYPT_PBKDF_NO_BENCHMARK,
	};
	struct crypt_params_luks2 params = {
		.sector_size = sector_size,
		.label = label,
		.subsystem = CMK_SUBSYSTEM,
	};
	int r = crypt_set_pbkdf_type(l->cd, &pbkdf);

	if (r == 0)
		r = crypt_format(l->cd, CRYPT_LUKS2, "aes", "xts-plain64", uuid,
				 (const char *)dek->bytes, dek->len, &params);
	if (r < 0)
		return cmk_error_set(err, luks_exit(r), r, NULL, "%s: cannot be formatted: %s",
				     l->device, luks_why(l, r));
	return 0;
}

int cmk_luks_format(const char *device, unsigned int sector_size, const char *label,
		    const struct cmk_suffix *extra, const struct secret *dek,
		    struct cmk_token *token, struct cmk_header *h, struct cmk_error *err)
{
	_cleanup_luks_ struct luks l = { 0 };
	char uuid[37];
	int r;

	if (dek->len != CMK_DEK_BYTES)
		return cmk_error_set(err, CMK_EXIT_USAGE, -EINVAL, NULL, "%s: a DEK has %d bytes",
				     device, CMK_DEK_BYTES);
	if (make_uuid(uuid) < 0)
		return cmk_error_set(err, CMK_EXIT_DEVICE, -EIO, NULL,
				     "no random bytes from the kernel");
	r = luks_open(device, &l, err);
	if (r < 0)
		return r;
	r = write_header(&l, uuid, sector_size, label, dek, err);
	if (r == 0)
		r = write_token(&l, dek, token, err);
	/* what counts is what can be read back */
	if (r == 0)
		r = cmk_luks_load(device, extra, h, err);
	if (r == 0)
		r = cmk_luks_check_dek(h, dek, err);
	if (r < 0)
		wipe_header(device, uuid);
	return r;
}
