/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* /etc/cmk/cmk.conf, read once, checked whole, and immutable afterwards. Specified in
 * Documentation/cmk.conf.md. */
#ifndef CMK_CONFIG_H
#define CMK_CONFIG_H

#include "error.h"
#include "keyid.h"

#define CMK_CONFIG_PATH	   "/etc/cmk/cmk.conf"
#define CMK_CONTROL_SOCKET "/run/cmk/agent.sock"
#define CMK_MAX_UNITS	   16
#define CMK_MAX_VAULTS	   64

enum cmk_on_lock {
	CMK_LOCK_ORDERLY,   /* units, unmount, then the kernel's revoke */
	CMK_LOCK_IMMEDIATE, /* the kernel's revoke first */
};

enum cmk_on_inaccessible {
	CMK_INACCESSIBLE_ERROR,
	CMK_INACCESSIBLE_QUEUE,
};

/* One [volume NAME] section: the mapping's name is NAME. */
struct cmk_volume_config {
	char name[128];
	char device[256]; /* path, or UUID=<LUKS UUID> */
	char mount[256];  /* absolute mount point, or empty */
	char mount_options[256];
	char units[CMK_MAX_UNITS][256]; /* stopped in this order, started in reverse */
	size_t n_units;
	enum cmk_on_lock on_lock;
	enum cmk_on_inaccessible on_inaccessible;
	bool allow_discards;
	int64_t lease_ms; /* this volume's lease; defaults to [agent] lease */
};

struct cmk_config {
	/* [agent] */
	int64_t probe_interval_ms;	   /* 60 s */
	unsigned int probe_jitter_percent; /* 10 */
	int64_t lease_ms;		   /* 600 s */
	int64_t confirm_after_ms;	   /* 5 s */
	int64_t lock_budget_ms;		   /* 60 s */
	char socket[108];
	/* [kms] */
	char kms_path[256];		  /* the worker's binary */
	char kms_user[33];		  /* cmk-kms */
	char ca_file[256];		  /* empty: the system's CAs */
	char proxy[256];		  /* empty: none; never used for IMDS */
	char api_version[16];		  /* 7.4 */
	char imds[128];			  /* http://169.254.169.254 */
	int64_t connect_timeout_ms;	  /* 5 s */
	int64_t total_timeout_ms;	  /* 20 s */
	char vaults[CMK_MAX_VAULTS][254]; /* pins: host names, or "*.vault.azure.net" */
	size_t n_vaults;
	char suffix[128]; /* custom suffix, or empty */
	enum cmk_store suffix_store;
	/* [volume NAME] */
	struct cmk_volume_config *volumes;
	size_t n_volumes;
};

/**
 * cmk_config_load() - read and check a configuration file.
 * @path: the file; a missing file is an error, every unknown section, key or bad value is one too.
 * @cfg: filled on success; cmk_config_free() releases it.
 * @err: "FILE:LINE: what is wrong", with what is allowed.
 *
 * Return: 0, -EINVAL, -ENOENT, -EACCES (also for a file that others can write), -ENOMEM.
 */
int cmk_config_load(const char *path, struct cmk_config **cfg, struct cmk_error *err) _must_check_;
void cmk_config_free(struct cmk_config *cfg);

/* The section of mapping @name, or NULL. */
const struct cmk_volume_config *cmk_config_volume(const struct cmk_config *cfg, const char *name);

/* May the vault of @id be contacted? With no pin configured, none may. */
bool cmk_config_vault_allowed(const struct cmk_config *cfg, const struct cmk_keyid *id);

/* The custom suffix as cmk_keyid_parse() takes it, or NULL. @out is the caller's room for it. */
const struct cmk_suffix *cmk_config_suffix(const struct cmk_config *cfg, struct cmk_suffix *out);

#endif
