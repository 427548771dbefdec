// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* status and list: what the agent says; where none runs, what the kernel and the headers say. */
#include <string.h>

#include "ctl.h"

/* @name: one volume, or NULL. Closed volumes of cmk.conf are there too. */
static int get_status(struct ctl *c, const char *name, cJSON **status)
{
	int r = ctl_agent_call(c, "status", NULL, NULL, status);

	if (ctl_agent_absent(r)) {
		memset(&c->err, 0, sizeof(c->err));
		ctl_note("cmk-agent does not run: this is what the kernel and the headers say");
		r = ctl_local_status(c, name, status);
	}
	if (r < 0)
		return r;
	ctl_local_closed(c, *status, name);
	return 0;
}

/* Leave only the volume of that name. */
static int select_volume(struct ctl *c, cJSON *status, const char *name)
{
	cJSON *volumes = cJSON_GetObjectItemCaseSensitive(status, "volumes");

	for (int i = cJSON_GetArraySize(volumes) - 1; i >= 0; i--) {
		if (strcmp(ctl_text(cJSON_GetArrayItem(volumes, i), "volume"), name) != 0)
			cJSON_DeleteItemFromArray(volumes, i);
	}
	if (cJSON_GetArraySize(volumes) > 0)
		return 0;
	return cmk_error_set(&c->err, CMK_EXIT_DEVICE, -ENODEV, "See cmkctl list.",
			     "volume %s: neither open nor in %s", name,
			     c->config_path ? c->config_path : CMK_CONFIG_PATH);
}

static int run(struct ctl *c, const char *name, void (*print)(const cJSON *status))
{
	cJSON *status = NULL;
	int r = get_status(c, name, &status);

	if (r == 0 && name)
		r = select_volume(c, status, name);
	if (r == 0 && c->json)
		ctl_print_json(status);
	else if (r == 0)
		print(status);
	cJSON_Delete(status);
	return r;
}

int cmd_status(struct ctl *c)
{
	return run(c, c->operands[0], ctl_print_volumes);
}

int cmd_list(struct ctl *c)
{
	return run(c, NULL, ctl_print_table);
}
