/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The DEK's way into the kernel: a cmk key in a keyring of our own, dropped as soon as the target
 * has it. */
#ifndef CMK_KEYRING_H
#define CMK_KEYRING_H

#include "error.h"
#include "secret.h"

struct cmk_keyring_key {
	int32_t keyring, key; /* serials, 0 when empty */
	char description[64]; /* "cmk:<LUKS UUID>" */
};

/**
 * cmk_keyring_load() - make a keyring, put the DEK in as a key of type "cmk".
 *
 * Return: 0, or -errno with @err (CMK_EXIT_MODULE if the key type is not known).
 */
int cmk_keyring_load(const char *uuid, const struct secret *dek, struct cmk_keyring_key *k,
		     struct cmk_error *err) _must_check_;

/* Unlink the key and the keyring; the kernel's target keeps its own reference. Safe on an empty
 * one. */
void cmk_keyring_drop(struct cmk_keyring_key *k);

#endif
