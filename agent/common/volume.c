// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* Opens a volume with its KEK: header, vault, kernel, one step after the other, and back where a
 * step fails. */
#include "volume.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "keyring.h"
#include "timeutil.h"
#include "vault.h"

const struct cmk_token *cmk_volume_token(const struct cmk_header *h, struct cmk_error *err)
{
	for (size_t i = 0; i < h->n_tokens; i++) {
		if (h->tokens[i].role == CMK_ROLE_PRIMARY && h->tokens[i].mode == CMK_MODE_CUSTOMER)
			return &h->tokens[i];
	}
	cmk_error_set(err, CMK_EXIT_HEADER, -EINVAL, NULL,
		      "%s: no token of role primary and mode customer-managed", h->device);
	return NULL;
}

int cmk_volume_unwrap(const struct cmk_config *cfg, struct cmk_worker *w,
		      const struct cmk_header *h, struct cmk_judgement *j, int64_t *proved_ms,
		      struct secret *dek, struct cmk_error *err)
{
	const struct cmk_token *t = cmk_volume_token(h, err);
	struct cmk_kms_answer an;
	int r;

	memset(j, 0, sizeof(*j));
	if (!t)
		return -EINVAL;
	r = cmk_vault_get(cfg, w, &t->kek, &t->identity, &an, j, err);
	if (r == 0)
		r = cmk_vault_judge_key(&an, j, err);
	if (r == 0)
		r = cmk_vault_unwrap(cfg, w, t, proved_ms, dek, j, err);
	if (r == 0) {
		r = cmk_luks_check_dek(h, dek, err);
		if (r < 0)
			secret_wipe(dek);
	}
	return r;
}

/* Is the volume open by another name? */
static int check_twin(const char *name, const struct cmk_header *h, struct cmk_error *err)
{
	_cleanup_free_ struct cmk_dm_device *devs = NULL;
	int n = cmk_dm_list(&devs, err);

	for (int i = 0; i < n; i++) {
		if (strcmp(devs[i].uuid, h->uuid) == 0 && strcmp(devs[i].name, name) != 0)
			return cmk_error_set(err, CMK_EXIT_BUSY, -EBUSY, "Close that one first.",
					     "volume %s: it is open already, as %s on %s", name,
					     devs[i].name, devs[i].lower);
	}
	return n < 0 ? n : 0;
}

/* @mapped: is there a mapping @name already, of this volume and without a key? */
static int check_mapping(const char *name, const struct cmk_header *h, bool *mapped,
			 struct cmk_error *err)
{
	struct cmk_error why = { 0 };
	struct cmk_dm_device dev;
	struct cmk_dm_status st;
	int r = check_twin(name, h, err);

	if (r < 0)
		return r;
	/* a name that another target has is refused by the kernel */
	*mapped = cmk_dm_info(name, &dev, &why) == 0;
	if (!*mapped)
		return 0;
	if (strcmp(dev.uuid, h->uuid) != 0)
		return cmk_error_set(err, CMK_EXIT_BUSY, -EBUSY,
				     "Choose another name, or close that volume.",
				     "volume %s: the mapping of that name is of another device, %s",
				     name, dev.lower);
	r = cmk_dm_status(name, &st, err);
	if (r < 0)
		return r;
	if (st.available)
		return cmk_error_set(err, CMK_EXIT_BUSY, -EALREADY, NULL,
				     "volume %s: it is open already", name);
	return 0;
}

/* Bring the key into an Inaccessible mapping. The lease is cut to what the proof is good for. */
static int revive(const char *name, const char *key, int64_t left_ms, struct cmk_error *err)
{
	int r = cmk_dm_load_key(name, key, err);

	if (r < 0)
		return r;
	r = cmk_dm_renew(name, left_ms, err);
	if (r < 0) {
		int undo = cmk_dm_revoke(name, "no-lease", err);

		return undo < 0 ? undo : r;
	}
	return 0;
}

static int load(const char *name, const struct cmk_header *h, const struct cmk_volume_config *opts,
		bool mapped, int64_t left_ms, struct secret *dek, struct cmk_error *err)
{
	struct cmk_volume_config with = *opts;
	struct cmk_keyring_key key;
	int r = cmk_keyring_load(h->uuid, dek, &key, err);

	secret_wipe(dek);
	if (r < 0)
		return r;
	with.lease_ms = left_ms;
	r = mapped ? revive(name, key.description, left_ms, err)
		   : cmk_dm_create(name, h, &with, key.description, err);
	cmk_keyring_drop(&key);
	return r;
}

int cmk_volume_activate(const struct cmk_config *cfg, struct cmk_worker *w, const char *name,
			const char *device, const struct cmk_volume_config *opts,
			struct cmk_judgement *j, struct cmk_error *err)
{
	int64_t proved_ms = 0, left_ms, lease_ms = opts->lease_ms ? opts->lease_ms : cfg->lease_ms;
	_cleanup_secret_ struct secret dek = SECRET_INIT;
	struct cmk_suffix room;
	struct cmk_header h;
	char path[256];
	bool mapped = false;
	int r;

	memset(j, 0, sizeof(*j));
	r = cmk_luks_resolve(device, path, sizeof(path), err);
	if (r == 0)
		r = cmk_luks_load(path, cmk_config_suffix(cfg, &room), &h, err);
	if (r == 0)
		r = cmk_dm_check_target(err);
	if (r == 0)
		r = check_mapping(name, &h, &mapped, err);
	if (r == 0)
		r = cmk_volume_unwrap(cfg, w, &h, j, &proved_ms, &dek, err);
	if (r < 0)
		return r;
	left_ms = lease_ms - (boottime_ms() - proved_ms);
	if (left_ms <= 0)
		return cmk_error_set(err, CMK_EXIT_UNREACHABLE, -ETIMEDOUT,
				     "Is the vault slow, or this machine overloaded?",
				     "volume %s: the lease of %" PRId64
				     " ms ended before the key was loaded",
				     name, lease_ms);
	return load(name, &h, opts, mapped, left_ms, &dek, err);
}
