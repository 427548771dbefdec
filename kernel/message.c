// SPDX-License-Identifier: GPL-2.0
/*
 * The messages to a live mapping: key, lease and revoke. A wrong one is answered by an errno and
 * one line in the log that says what to do.
 */
#include <linux/ctype.h>

#include "cmk.h"

/* A handler returns 0 or -errno, then with *error set to a constant for the log. */
struct cmk_verb {
	const char *name;
	unsigned int min_args, max_args;
	int (*run)(struct cmk_dev *dev, unsigned int argc, char **argv, const char **error);
	const char *usage;
};

static int cmk_verb_key(struct cmk_dev *dev, unsigned int argc, char **argv, const char **error)
{
	struct cmk_key *key;
	int r;

	if (!strcmp(argv[0], "-")) {
		*error = "key: - is for the table line only: to take the key away, send revoke";
		return -EINVAL;
	}
	key = cmk_key_load(dev, argv[0], error);
	if (IS_ERR(key))
		return PTR_ERR(key);
	r = cmk_state_up(dev, key);
	if (r)
		*error = r == -EBUSY ? "key: refused during a hibernation: load it after that" :
				       "key: it was revoked while it was being loaded";
	return r;
}

static int cmk_verb_lease(struct cmk_dev *dev, unsigned int argc, char **argv, const char **error)
{
	u64 ms;
	int r = -EINVAL;

	*error = "lease: give milliseconds, 1 to 604800000 (seven days)";
	/* kstrtoull() would take a sign and a newline */
	if (isdigit(argv[0][0]) && !strchr(argv[0], '\n'))
		r = kstrtoull(argv[0], 10, &ms);
	if (r)
		return r;
	if (!ms)
		return -EINVAL;
	if (ms > CMK_LEASE_MAX_MS)
		return -ERANGE;
	r = cmk_lease_renew(dev, ms);
	if (r)
		*error = "lease: the mapping is inaccessible, and a lease revives no key: send key";
	return r;
}

static bool cmk_reason_valid(const char *reason)
{
	const char *p;

	for (p = reason; *p; p++)
		if (!isascii(*p) || (!isalnum(*p) && !strchr("._-", *p)))
			return false;
	return p != reason && p - reason <= CMK_REASON_MAX && strcmp(reason, CMK_REASON_NONE);
}

static int cmk_verb_revoke(struct cmk_dev *dev, unsigned int argc, char **argv,
			   const char **error)
{
	const char *reason = argc ? argv[0] : CMK_REASON_REVOKED;

	if (!cmk_reason_valid(reason)) {
		*error = "revoke: the reason must be one word of 1 to 32 of A-Z a-z 0-9 . _ -";
		return -EINVAL;
	}
	cmk_revoke(dev, reason);
	return 0;
}

static const struct cmk_verb cmk_verbs[] = {
	{ "key",	1, 1, cmk_verb_key,	"send: key :<bytes>:<type>:<description>" },
	{ "lease",	1, 1, cmk_verb_lease,	"send: lease <ms>" },
	{ "revoke",	0, 1, cmk_verb_revoke,	"send: revoke [<reason>]" },
};

static int cmk_message_run(struct cmk_dev *dev, unsigned int argc, char **argv, const char **error)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cmk_verbs); i++) {
		const struct cmk_verb *verb = &cmk_verbs[i];

		if (strcmp(argv[0], verb->name))
			continue;
		if (argc - 1 < verb->min_args || argc - 1 > verb->max_args) {
			*error = verb->usage;
			return -EINVAL;
		}
		return verb->run(dev, argc - 1, argv + 1, error);
	}
	*error = "unknown message: send key, lease or revoke";
	return -EINVAL;
}

/**
 * cmk_message() - a message to the live mapping
 * @ti: the target
 * @argc: number of words, at least 1
 * @argv: the words
 * @result: unused, no message has an answer
 * @maxlen: unused
 *
 * Return: 0 or -errno.
 */
int cmk_message(struct dm_target *ti, unsigned int argc, char **argv, char *result,
		unsigned int maxlen)
{
	const char *error = NULL;
	int r = cmk_message_run(ti->private, argc, argv, &error);

	if (r)
		DMERR("%s: message refused: %s", dm_device_name(dm_table_get_md(ti->table)),
		      error);
	return r;
}
