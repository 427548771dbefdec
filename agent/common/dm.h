/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The device-mapper, by libdevmapper. Strings of the contract come from <uapi/dm-cmk.h> only. */
#ifndef CMK_DM_H
#define CMK_DM_H

#include "config.h"
#include "error.h"
#include "luks.h"

#define CMK_DM_UUID_PREFIX "CMK-" /* "CMK-<LUKS UUID>-<mapping name>" */

struct cmk_dm_status {
	bool available;
	char reason[40];
	uint64_t generation;
	int64_t lease_left_ms; /* -1: no lease */
	uint64_t in_flight, queued;
};

struct cmk_dm_device {
	char name[128];
	char uuid[40];	 /* LUKS UUID */
	char lower[256]; /* path of the lower device */
	unsigned int major, minor;
	int open_count;
};

/* CMK_EXIT_MODULE if the target is missing and cannot be loaded. */
int cmk_dm_check_target(struct cmk_error *err) _must_check_;

/**
 * cmk_dm_create() - map @h under @name, Available at once.
 * @key: description of the loaded cmk key, or NULL for "-".
 */
int cmk_dm_create(const char *name, const struct cmk_header *h,
		  const struct cmk_volume_config *opts, const char *key,
		  struct cmk_error *err) _must_check_;
/* -EBUSY when it is open. */
int cmk_dm_remove(const char *name, struct cmk_error *err) _must_check_;

int cmk_dm_load_key(const char *name, const char *key, struct cmk_error *err) _must_check_;
int cmk_dm_renew(const char *name, int64_t lease_ms, struct cmk_error *err) _must_check_;
int cmk_dm_revoke(const char *name, const char *reason, struct cmk_error *err) _must_check_;
int cmk_dm_status(const char *name, struct cmk_dm_status *st, struct cmk_error *err) _must_check_;

/* -ENODEV when there is no such mapping. */
int cmk_dm_info(const char *name, struct cmk_dm_device *dev, struct cmk_error *err) _must_check_;

/**
 * cmk_dm_list() - all mappings whose target is "cmk".
 * @devs: *@devs is the caller's to free. Return: their number, or -errno with @err.
 */
int cmk_dm_list(struct cmk_dm_device **devs, struct cmk_error *err) _must_check_;

#endif
