// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The LUKS2 header by libcryptsetup: read with all its tokens, and the DEK held against its digest
 * and the tokens' MACs.
 */
#include "luks_private.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <blkid/blkid.h>
#include <linux/fs.h>

#define SECTOR_BYTES 512

static void on_log(int level, const char *msg, void *usrptr)
{
	struct luks *l = usrptr;

	if (level != CRYPT_LOG_ERROR || l->log[0])
		return;
	snprintf(l->log, sizeof(l->log), "%s", msg);
	l->log[strcspn(l->log, "\n")] = '\0';
}

void luks_close(struct luks *l)
{
	crypt_free(l->cd);
	l->cd = NULL;
}

const char *luks_why(const struct luks *l, int r)
{
	return l->log[0] ? l->log : strerror(-r);
}

enum cmk_exit luks_exit(int r)
{
	switch (r) {
	case -ENOMEM:
		return CMK_EXIT_MEMORY;
	case -EPERM:
	case -EACCES:
		return CMK_EXIT_PERMISSION;
	case -EBUSY:
		return CMK_EXIT_BUSY;
	default:
		return CMK_EXIT_DEVICE;
	}
}

int luks_open(const char *device, struct luks *l, struct cmk_error *err)
{
	int r;

	l->device = device;
	/* a token of ours has no plugin; without this libcryptsetup looks for one in the file
	 * system */
	crypt_token_external_disable();
	crypt_set_log_callback(NULL, on_log, l);
	r = crypt_init(&l->cd, device);
	crypt_set_log_callback(NULL, NULL, NULL);
	if (r < 0)
		return cmk_error_set(err, luks_exit(r), r, NULL, "%s: cannot be opened: %s", device,
				     luks_why(l, r));
	crypt_set_log_callback(l->cd, on_log, l);
	return 0;
}

static int device_size(const char *device, uint64_t *bytes, struct cmk_error *err)
{
	_cleanup_close_ int fd = open(device, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return cmk_error_set(err, luks_exit(-errno), -errno, NULL,
				     "%s: cannot be opened: %s", device, strerror(errno));
	*bytes = st.st_size;
	if (S_ISBLK(st.st_mode) && ioctl(fd, BLKGETSIZE64, bytes) < 0)
		return cmk_error_set(err, CMK_EXIT_DEVICE, -errno, NULL,
				     "%s: its size cannot be read: %s", device, strerror(errno));
	return 0;
}

/* Was there a LUKS2 header once? Then one that does not load is damaged. */
static bool has_magic(const char *device)
{
	_cleanup_close_ int fd = open(device, O_RDONLY | O_CLOEXEC);
	char magic[MAGIC_BYTES];

	if (fd < 0)
		return false;
	if (pread(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
	    memcmp(magic, MAGIC_FIRST, sizeof(magic)) == 0)
		return true;
	for (off_t off = SECOND_MIN_OFF; off <= SECOND_MAX_OFF; off *= 2) {
		if (pread(fd, magic, sizeof(magic), off) == sizeof(magic) &&
		    memcmp(magic, MAGIC_SECOND, sizeof(magic)) == 0)
			return true;
	}
	return false;
}

static int load_header(struct luks *l, struct cmk_error *err)
{
	int r = crypt_load(l->cd, CRYPT_LUKS2, NULL);

	if (r == 0)
		return 0;
	if (r != -EINVAL)
		return cmk_error_set(err, luks_exit(r), r, NULL,
				     "%s: its header cannot be read: %s", l->device,
				     luks_why(l, r));
	if (has_magic(l->device))
		return cmk_error_set(err, CMK_EXIT_HEADER, r,
				     "If you have a header backup: cryptsetup luksHeaderRestore",
				     "%s: the LUKS2 header is damaged in both its copies",
				     l->device);
	return cmk_error_set(err, CMK_EXIT_DEVICE, r, "cmkctl format makes a device a volume.",
			     "%s: no LUKS2 header", l->device);
}

/* A header that somebody else made, or that is halfway through something, is no volume of ours. */
static int check_header(struct luks *l, struct cmk_error *err)
{
	const char *subsystem = crypt_get_subsystem(l->cd), *cipher = crypt_get_cipher(l->cd);
	const char *mode = crypt_get_cipher_mode(l->cd);
	int sector_size = crypt_get_sector_size(l->cd);
	uint32_t requirements = 0;

	if (!subsystem || strcmp(subsystem, CMK_SUBSYSTEM) != 0)
		return cmk_error_set(
			err, CMK_EXIT_DEVICE, -EINVAL, "A volume is made by cmkctl format.",
			"%s: a LUKS2 device, but none of this project (subsystem \"%.32s\")",
			l->device, subsystem ? subsystem : "");
	if (crypt_persistent_flags_get(l->cd, CRYPT_FLAGS_REQUIREMENTS, &requirements) < 0 ||
	    requirements)
		return cmk_error_set(
			err, CMK_EXIT_HEADER, -EINVAL,
			"If a reencryption was begun, finish it with cryptsetup reencrypt.",
			"%s: the LUKS2 header has requirements (0x%x) that are not met here",
			l->device, requirements);
	if (!cipher || !mode || strcmp(cipher, "aes") != 0 || strcmp(mode, "xts-plain64") != 0)
		return cmk_error_set(err, CMK_EXIT_HEADER, -EINVAL, NULL,
				     "%s: the cipher is %.32s-%.32s, and not aes-xts-plain64",
				     l->device, cipher ? cipher : "", mode ? mode : "");
	if (sector_size < 512 || sector_size > 4096 || sector_size & (sector_size - 1))
		return cmk_error_set(err, CMK_EXIT_HEADER, -EINVAL, NULL,
				     "%s: the sector size is %d", l->device, sector_size);
	return 0;
}

static int read_geometry(struct luks *l, struct cmk_header *h, struct cmk_error *err)
{
	uint64_t bytes, offset;
	int r = device_size(l->device, &bytes, err);

	if (r < 0)
		return r;
	snprintf(h->device, sizeof(h->device), "%s", l->device);
	snprintf(h->uuid, sizeof(h->uuid), "%s", crypt_get_uuid(l->cd));
	h->data_offset_sectors = crypt_get_data_offset(l->cd);
	h->iv_offset_sectors = crypt_get_iv_offset(l->cd);
	h->sector_size = crypt_get_sector_size(l->cd);
	offset = h->data_offset_sectors * SECTOR_BYTES;
	if (offset == 0 || offset % h->sector_size || offset >= bytes ||
	    bytes - offset < h->sector_size)
		return cmk_error_set(err, CMK_EXIT_HEADER, -EINVAL,
				     "Is the device smaller than it was when it was formatted?",
				     "%s: the data begin at byte %llu of %llu", l->device,
				     (unsigned long long)offset, (unsigned long long)bytes);
	h->size_sectors = (bytes - offset) / h->sector_size * h->sector_size / SECTOR_BYTES;
	return 0;
}

static int read_tokens(struct luks *l, const struct cmk_suffix *extra, struct cmk_header *h,
		       struct cmk_error *err)
{
	struct cmk_error token_err;
	const char *type, *json;

	for (int slot = 0; slot < crypt_token_max(CRYPT_LUKS2); slot++) {
		crypt_token_info info = crypt_token_status(l->cd, slot, &type);

		if (info == CRYPT_TOKEN_INACTIVE || info == CRYPT_TOKEN_INVALID ||
		    strcmp(type, CMK_TOKEN_TYPE) != 0)
			continue;
		if (h->n_tokens == CMK_MAX_TOKENS)
			return cmk_error_set(err, CMK_EXIT_HEADER, -EINVAL, NULL,
					     "%s: more than %d tokens of type cmk", l->device,
					     CMK_MAX_TOKENS);
		memset(&token_err, 0, sizeof(token_err));
		if (crypt_token_json_get(l->cd, slot, &json) < 0 ||
		    cmk_token_parse(json, extra, &h->tokens[h->n_tokens], &token_err) < 0)
			return cmk_error_set(err, CMK_EXIT_HEADER, -EINVAL, token_err.remedy,
					     "%s: slot %d: %s", l->device, slot, token_err.text);
		h->tokens[h->n_tokens++].slot = slot;
	}
	if (h->n_tokens == 0)
		return cmk_error_set(
			err, CMK_EXIT_HEADER, -EINVAL,
			"If you have a header backup: cryptsetup luksHeaderRestore",
			"%s: the LUKS2 header has no token of type cmk, so no copy of the DEK",
			l->device);
	return 0;
}

int cmk_luks_load(const char *device, const struct cmk_suffix *extra, struct cmk_header *h,
		  struct cmk_error *err)
{
	_cleanup_luks_ struct luks l = { 0 };
	int r;

	memset(h, 0, sizeof(*h));
	if (strlen(device) >= sizeof(h->device))
		return cmk_error_set(err, CMK_EXIT_USAGE, -ENAMETOOLONG, NULL,
				     "%.64s...: the path is too long", device);
	r = luks_open(device, &l, err);
	if (r == 0)
		r = load_header(&l, err);
	if (r == 0)
		r = check_header(&l, err);
	if (r == 0)
		r = read_geometry(&l, h, err);
	if (r == 0)
		r = read_tokens(&l, extra, h, err);
	return r;
}

static int verify_digest(struct luks *l, const struct secret *dek, struct cmk_error *err)
{
	int r = crypt_volume_key_verify(l->cd, (const char *)dek->bytes, dek->len);

	if (r >= 0)
		return 0;
	if (r != -EPERM && r != -EINVAL)
		return cmk_error_set(err, luks_exit(r), r, NULL,
				     "%s: the DEK cannot be verified: %s", l->device,
				     luks_why(l, r));
	return cmk_error_set(err, CMK_EXIT_HEADER, -EKEYREJECTED,
			     "The header or its token was changed, or belongs to another device.",
			     "%s: what the vault unwrapped is not this volume's DEK", l->device);
}

int cmk_luks_check_dek(const struct cmk_header *h, const struct secret *dek, struct cmk_error *err)
{
	_cleanup_luks_ struct luks l = { 0 };
	uint8_t mac[CMK_SHA256_BYTES];
	int r = luks_open(h->device, &l, err);

	if (r == 0)
		r = load_header(&l, err);
	if (r < 0)
		return r;
	if (strcmp(crypt_get_uuid(l.cd), h->uuid) != 0)
		return cmk_error_set(err, CMK_EXIT_HEADER, -EBADMSG, "Try again.",
				     "%s: the header has changed meanwhile", h->device);
	r = verify_digest(&l, dek, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < h->n_tokens; i++) {
		r = cmk_token_mac(&h->tokens[i], h->uuid, dek, mac);
		if (r < 0)
			return cmk_error_set(err, CMK_EXIT_MEMORY, r, NULL,
					     "%s: slot %d: no MAC: %s", h->device,
					     h->tokens[i].slot, strerror(-r));
		if (!crypto_equal(mac, h->tokens[i].mac, sizeof(mac)))
			return cmk_error_set(
				err, CMK_EXIT_HEADER, -EBADMSG,
				"The token was changed by somebody who does not have the DEK.",
				"%s: slot %d: the token's MAC is wrong", h->device,
				h->tokens[i].slot);
	}
	return 0;
}

int cmk_luks_resolve(const char *spec, char *path, size_t len, struct cmk_error *err)
{
	_cleanup_free_ char *found = NULL;
	const char *device = spec;
	struct stat st;

	if (strncmp(spec, "UUID=", 5) == 0) {
		found = blkid_evaluate_tag("UUID", spec + 5, NULL);
		if (!found)
			return cmk_error_set(err, CMK_EXIT_DEVICE, -ENODEV,
					     "Is the disk attached? See lsblk -f.",
					     "%s: no device has this UUID", spec);
		device = found;
	}
	if (stat(device, &st) < 0)
		return cmk_error_set(err, luks_exit(-errno), errno == ENOENT ? -ENODEV : -errno,
				     NULL, "%s: %s", device, strerror(errno));
	if (!S_ISBLK(st.st_mode))
		return cmk_error_set(err, CMK_EXIT_DEVICE, -ENOTBLK, NULL, "%s: not a block device",
				     device);
	if ((size_t)snprintf(path, len, "%s", device) >= len)
		return cmk_error_set(err, CMK_EXIT_USAGE, -ENAMETOOLONG, NULL,
				     "%.64s...: the path is too long", device);
	return 0;
}
