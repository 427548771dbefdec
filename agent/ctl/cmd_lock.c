// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* lock, unlock, revalidate: the agent does it, and answers with the volume's object when it is
 * done. */
#include <stdio.h>
#include <string.h>

#include "agentd/reason.h"
#include "ctl.h"

static int by_agent(struct ctl *c, const char *op, const char *flag)
{
	cJSON *volume = NULL, *status, *list;
	int r = ctl_agent_call(c, op, c->operands[0], flag, &volume);

	if (r < 0)
		return r;
	if (c->json) {
		ctl_print_json(volume);
		cJSON_Delete(volume);
		return 0;
	}
	status = cJSON_CreateObject();
	list = cJSON_AddArrayToObject(status, "volumes");
	cJSON_AddItemToArray(list, volume);
	ctl_print_volumes(status);
	cJSON_Delete(status);
	return 0;
}

/* The kernel's revoke at once; then the agent, if there is one, cleans up and keeps it locked. */
static int lock_now(struct ctl *c)
{
	const char *name = c->operands[0];
	struct cmk_dm_device dev;
	int r = ctl_mapping(c, name, &dev);

	if (r == 0)
		r = cmk_dm_revoke(name, REASON_OPERATOR_LOCK, &c->err);
	if (r < 0)
		return r;
	r = by_agent(c, "lock", "immediate");
	if (!ctl_agent_absent(r))
		return r;
	memset(&c->err, 0, sizeof(c->err));
	ctl_note("%s is locked in the kernel. cmk-agent does not run: no unit was stopped, nothing "
		 "unmounted",
		 name);
	if (c->json)
		printf("{\"volume\":\"%s\",\"state\":\"Inaccessible\",\"reason\":"
		       "\"" REASON_OPERATOR_LOCK "\"}\n",
		       name);
	return 0;
}

int cmd_lock(struct ctl *c)
{
	int r;

	if (c->immediate)
		return lock_now(c);
	r = by_agent(c, "lock", NULL);
	if (ctl_agent_absent(r))
		snprintf(c->err.remedy, sizeof(c->err.remedy),
			 "Start it, or take the key out of the kernel at once: cmkctl lock "
			 "--immediate %.128s",
			 c->operands[0]);
	return r;
}

int cmd_unlock(struct ctl *c)
{
	int r = by_agent(c, "unlock", NULL);

	if (ctl_agent_absent(r))
		snprintf(c->err.remedy, sizeof(c->err.remedy),
			 "Start it, or load the key for one lease: cmkctl open %.128s",
			 c->operands[0]);
	return r;
}

int cmd_revalidate(struct ctl *c)
{
	return by_agent(c, "revalidate", NULL);
}
