// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The DEK's way into the kernel. The target looks the key up as the calling process, so the keyring
 * hangs on the calling thread's for that moment. It must not stay there: since 6.9 an open block
 * device pins its opener's credentials, with that keyring and all that is in it.
 */
#include "keyring.h"

#include <stdio.h>
#include <string.h>

#include <keyutils.h>
#include <uapi/dm-cmk.h>

/* Root may see, find, revoke and invalidate the key from outside; nobody may read it, the type has
 * no way to. */
#define KEY_PERM                                                                                   \
	(KEY_POS_VIEW | KEY_POS_SEARCH | KEY_POS_LINK | KEY_POS_SETATTR | KEY_USR_VIEW |           \
	 KEY_USR_SEARCH | KEY_USR_SETATTR)

static int load_failed(int r, const char *uuid, struct cmk_error *err)
{
	if (r == -ENODEV)
		return cmk_error_set(err, CMK_EXIT_MODULE, r, "modprobe dm-cmk",
				     "volume %s: the kernel has no key type \"" CMK_KEY_TYPE "\"",
				     uuid);
	if (r == -EDQUOT)
		return cmk_error_set(
			err, CMK_EXIT_MEMORY, r,
			"Raise kernel.keys.root_maxkeys and kernel.keys.root_maxbytes.",
			"volume %s: root's quota of keys is used up", uuid);
	return cmk_error_set(err, r == -ENOMEM ? CMK_EXIT_MEMORY : CMK_EXIT_DEVICE, r, NULL,
			     "volume %s: the DEK cannot be put into the kernel's keyring: %s", uuid,
			     strerror(-r));
}

int cmk_keyring_load(const char *uuid, const struct secret *dek, struct cmk_keyring_key *k,
		     struct cmk_error *err)
{
	int r;

	*k = (struct cmk_keyring_key){ 0 };
	snprintf(k->description, sizeof(k->description), "cmk:%s", uuid);
	k->keyring = add_key("keyring", k->description, NULL, 0, KEY_SPEC_THREAD_KEYRING);
	if (k->keyring < 0) {
		r = -errno;
		k->keyring = 0;
		return load_failed(r, uuid, err);
	}
	k->key = add_key(CMK_KEY_TYPE, k->description, dek->bytes, dek->len, k->keyring);
	if (k->key < 0 || keyctl_setperm(k->key, KEY_PERM) < 0) {
		r = -errno;
		if (k->key < 0)
			k->key = 0;
		cmk_keyring_drop(k);
		return load_failed(r, uuid, err);
	}
	return 0;
}

void cmk_keyring_drop(struct cmk_keyring_key *k)
{
	/* the key first: it goes now, and not when the garbage collector comes to its keyring */
	if (k->key)
		keyctl_unlink(k->key, k->keyring);
	if (k->keyring)
		keyctl_unlink(k->keyring, KEY_SPEC_THREAD_KEYRING);
	k->key = 0;
	k->keyring = 0;
}
