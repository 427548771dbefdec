// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* close: the agent stops the units and unmounts, then the mapping goes, and the key with it. */
#include <stdio.h>
#include <string.h>

#include "agentd/steps.h"
#include "ctl.h"

/* Who uses the mapping: mounts, mappings on top, processes. Empty if nobody is found. */
static void name_users(const struct cmk_dm_device *dev, char *text, size_t len)
{
	char names[512] = "";
	struct mounts m = { .n = 0 };
	size_t at = 0;

	text[0] = '\0';
	if (mount_list(dev, &m) < 0)
		m.n = 0;
	for (size_t i = 0; i < m.n && at < len; i++)
		at += snprintf(text + at, len - at, "%smounted on %s", at ? ", " : "", m.points[i]);
	holders_name(dev, &m, names, sizeof(names));
	if (names[0] && at < len)
		snprintf(text + at, len - at, "%sused by %s", at ? ", " : "", names);
}

static int busy(struct ctl *c, const struct cmk_dm_device *dev)
{
	char users[1024];

	name_users(dev, users, sizeof(users));
	return cmk_error_set(&c->err, CMK_EXIT_BUSY, -EBUSY,
			     "Stop what uses it, or unmount it; see lsblk too.",
			     "volume %s: in use%s%s", dev->name, users[0] ? ": " : "", users);
}

/* The agent lets go of it: units stopped, unmounted, no longer watched. */
static int let_go(struct ctl *c, const char *name, bool *agent)
{
	cJSON *answer = NULL;
	int r = ctl_agent_call(c, "forget", name, NULL, &answer);

	*agent = !ctl_agent_absent(r);
	if (!*agent) {
		memset(&c->err, 0, sizeof(c->err));
		r = 0;
	}
	cJSON_Delete(answer);
	return r;
}

/* The mapping stays: it must not stay unwatched. The cause is in c->err already. */
static void take_back(struct ctl *c, const char *name)
{
	cJSON *answer = NULL;

	if (ctl_agent_call(c, "adopt", name, NULL, &answer) < 0)
		ctl_note("%s is still mapped, and cmk-agent does not watch it any more: its lease "
			 "will end",
			 name);
	cJSON_Delete(answer);
}

static int remove_mapping(struct ctl *c, const char *name)
{
	struct cmk_dm_device dev;
	int r = ctl_mapping(c, name, &dev);

	if (r < 0)
		return r;
	/* a bare number of openers: udev may be one of them for a moment, so the removal itself
	 * decides */
	if (dev.open_count > 0) {
		char users[1024];

		name_users(&dev, users, sizeof(users));
		if (users[0])
			return busy(c, &dev);
	}
	r = cmk_dm_remove(name, NULL);
	if (r == -EBUSY)
		return busy(c, &dev);
	return r < 0 ? cmk_dm_remove(name, &c->err) : 0;
}

static int dry_run(struct ctl *c, const struct cmk_dm_device *dev)
{
	const struct cmk_volume_config *v = cmk_config_volume(c->cfg, dev->name);
	char users[1024];

	name_users(dev, users, sizeof(users));
	for (size_t i = 0; v && i < v->n_units; i++)
		printf("would stop %s\n", v->units[i]);
	if (users[0])
		printf("would have to end: %s\n", users);
	printf("would remove /dev/mapper/%s; nothing was done\n", dev->name);
	return 0;
}

int cmd_close(struct ctl *c)
{
	const char *name = c->operands[0];
	struct cmk_dm_device dev;
	bool agent = false;
	int r = ctl_mapping(c, name, &dev);

	if (r < 0)
		return r;
	if (c->dry_run)
		return dry_run(c, &dev);
	r = let_go(c, name, &agent);
	if (r == 0) {
		r = remove_mapping(c, name);
		if (r < 0 && agent)
			take_back(c, name);
	}
	if (r < 0)
		return r;
	if (c->json)
		printf("{\"volume\":\"%s\",\"state\":\"Closed\"}\n", name);
	else
		printf("%s: closed\n", name);
	return 0;
}
