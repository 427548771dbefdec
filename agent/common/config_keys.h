/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The keys of cmk.conf: one table for each section, for config.c alone. Pure. */
#ifndef CMK_CONFIG_KEYS_H
#define CMK_CONFIG_KEYS_H

#include "config.h"

#define CMK_VOLUME_NAME_ALLOWED                                                                    \
	"1 to 127 of the characters A-Z a-z 0-9 # + - . : = @ _, and not \".\", \"..\" or "        \
	"\"control\""

enum cmk_section {
	CMK_SECTION_NONE,
	CMK_SECTION_AGENT,
	CMK_SECTION_KMS,
	CMK_SECTION_VOLUME,
};

struct cmk_key;

/* Where a value goes: the configuration, or the volume of the section under way. */
struct cmk_key_target {
	struct cmk_config *cfg;
	struct cmk_volume_config *volume;
};

/* One key: what it may be is said once, by @allowed, for the error and for the reader. */
struct cmk_key {
	const char *name;
	/* Return: 0, or -EINVAL or -ERANGE: not what @allowed says; -ENOSPC: too many or too long.
	 */
	int (*parse)(const struct cmk_key *key, void *base, const char *value);
	size_t offset; /* of the field in struct cmk_config or struct cmk_volume_config */
	size_t room;   /* bytes of a string field */
	int64_t min, max;
	bool list; /* may be given several times */
	const char *allowed;
};

/**
 * cmk_config_key() - find a key of a section.
 * @section: one of the three named sections.
 * @name: the key.
 * @index: its place among all keys, 0..63, to remember which were given; may be NULL.
 *
 * Return: the key, or NULL.
 */
const struct cmk_key *cmk_config_key(enum cmk_section section, const char *name,
				     unsigned int *index);

/* What the keys are where the file does not give them; a volume's lease is the agent's then. */
void cmk_config_defaults(struct cmk_config *cfg);

/* Is @name one that the device-mapper and this project can use for a mapping? */
bool cmk_config_volume_name_ok(const char *name);

#endif
