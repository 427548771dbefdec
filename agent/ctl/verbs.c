// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The table of verbs: a new one is a row here and a function cmd_*(). */
#include <string.h>

#include "ctl.h"

static const struct ctl_verb verbs[] = {
	{ "format", "DEVICE", 1, 1, "kislyfnjc",
	  "make a device a volume whose DEK is wrapped by a KEK",
	  "The KEK is checked first (see `kek check`), and the vault must unwrap the new DEK "
	  "before anything is\n"
	  "written. All data on the device are lost.",
	  cmd_format },
	{ "open", "NAME | DEVICE NAME", 1, 2, "tnjc",
	  "unwrap the DEK and map the volume as /dev/mapper/NAME",
	  "With NAME alone the device is the one of [volume NAME] in cmk.conf. A running cmk-agent "
	  "then watches\n"
	  "the volume, mounts it and starts its units as configured.",
	  cmd_open },
	{ "close", "NAME", 1, 1, "njc",
	  "stop its units, unmount it, remove the mapping and its key", NULL, cmd_close },
	{ "status", "[NAME]", 0, 1, "jc",
	  "the state of one volume or of all: why, since when, until when, what to do", NULL,
	  cmd_status },
	{ "list", "", 0, 0, "jc", "a table of all volumes, configured or mapped", NULL, cmd_list },
	{ "dump", "NAME | DEVICE", 1, 1, "jc", "what the header and its tokens say", NULL,
	  cmd_dump },
	{ "verify", "NAME | DEVICE", 1, 1, "jc",
	  "prove that the volume can be opened now, by a real unwrap; changes nothing", NULL,
	  cmd_verify },
	{ "lock", "NAME", 1, 1, "mjc",
	  "stop its units, unmount it and take its key out of the kernel",
	  "It stays locked until `unlock`.", cmd_lock },
	{ "unlock", "NAME", 1, 1, "jc", "lift a lock, and open the volume again if its KEK allows",
	  NULL, cmd_unlock },
	{ "revalidate", "NAME", 1, 1, "jc", "ask the vault now, with a fresh token", NULL,
	  cmd_revalidate },
	{ "kek check", "URL", 1, 1, "ijc", "hold a key against what a KEK must be, line by line",
	  NULL, cmd_kek_check },
};

/* Does the verb's name begin with this word, and end there or go on with a second one? */
static bool first_word(const struct ctl_verb *v, const char *word, const char **second)
{
	size_t len = strlen(word);

	if (strncmp(v->name, word, len) != 0 || (v->name[len] && v->name[len] != ' '))
		return false;
	*second = v->name[len] ? v->name + len + 1 : NULL;
	return true;
}

const struct ctl_verb *ctl_verb_find(int argc, char *const argv[], int *words)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs) && argc >= 2 && argv[1][0]; i++) {
		const char *second;

		if (!first_word(&verbs[i], argv[1], &second))
			continue;
		if (second && (argc < 3 || strcmp(second, argv[2]) != 0))
			continue;
		*words = second ? 2 : 1;
		return &verbs[i];
	}
	return NULL;
}

const struct ctl_verb *ctl_verb_next(const struct ctl_verb *v)
{
	size_t i = v ? (size_t)(v - verbs) + 1 : 0;

	return i < ARRAY_SIZE(verbs) ? &verbs[i] : NULL;
}
