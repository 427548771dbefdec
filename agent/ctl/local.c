// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The state of volumes where no agent runs to ask: what the kernel and the headers say. The objects
 * have the fields of the agent's that can be known without it.
 */
#include <stdio.h>
#include <string.h>

#include "agentd/reason.h"
#include "common/timeutil.h"
#include "common/volume.h"
#include "ctl.h"

static void add_header(struct ctl *c, cJSON *v, const char *device)
{
	struct cmk_error why = { 0 };
	const struct cmk_token *t;
	struct cmk_header h;
	char path[256], url[512];

	if (cmk_luks_resolve(device, path, sizeof(path), &why) < 0 ||
	    cmk_luks_load(path, c->suffix, &h, &why) < 0) {
		cJSON_AddStringToObject(v, "device", device);
		cJSON_AddStringToObject(v, "error", why.text);
		return;
	}
	cJSON_AddStringToObject(v, "device", path);
	cJSON_AddStringToObject(v, "uuid", h.uuid);
	t = cmk_volume_token(&h, &why);
	if (!t)
		return;
	cJSON_AddStringToObject(v, "kek", cmk_keyid_format(&t->kek, url, sizeof(url)));
	cJSON_AddStringToObject(v, "identity", cmk_identity_format(&t->identity, url, sizeof(url)));
}

static void add_config(struct ctl *c, cJSON *v, const char *name)
{
	const struct cmk_volume_config *config = cmk_config_volume(c->cfg, name);
	cJSON *units = cJSON_AddArrayToObject(v, "units");

	cJSON_AddStringToObject(v, "mount", config ? config->mount : "");
	for (size_t i = 0; config && i < config->n_units; i++)
		cJSON_AddItemToArray(units, cJSON_CreateString(config->units[i]));
}

static void add_lease(cJSON *v, int64_t left_ms)
{
	char utc[32];

	if (left_ms < 0) {
		cJSON_AddNullToObject(v, "lease_left_ms");
		cJSON_AddNullToObject(v, "deadline");
		return;
	}
	cJSON_AddNumberToObject(v, "lease_left_ms", left_ms);
	cJSON_AddStringToObject(v, "deadline",
				utc_format(utc, sizeof(utc), realtime_s() + left_ms / 1000));
}

static cJSON *mapped_volume(struct ctl *c, const struct cmk_dm_device *dev)
{
	cJSON *v = cJSON_CreateObject();
	struct cmk_error why = { 0 };
	struct cmk_dm_status st;
	const char *reason;

	cJSON_AddStringToObject(v, "volume", dev->name);
	if (cmk_dm_status(dev->name, &st, &why) < 0) {
		cJSON_AddStringToObject(v, "error", why.text);
		return v;
	}
	reason = st.available ? "OK" : reason_from_kernel(st.reason);
	cJSON_AddStringToObject(v, "state", st.available ? "Available" : "Inaccessible");
	cJSON_AddStringToObject(v, "reason", reason);
	if (!st.available)
		cJSON_AddStringToObject(v, "meaning", reason_text(reason));
	cJSON_AddStringToObject(v, "remedy",
				st.available
					? "start cmk-agent, or the volume locks when its lease ends"
					: "start cmk-agent, or run cmkctl open on it");
	add_lease(v, st.available ? st.lease_left_ms : -1);
	cJSON_AddNumberToObject(v, "generation", st.generation);
	add_header(c, v, dev->lower);
	add_config(c, v, dev->name);
	return v;
}

static cJSON *closed_volume(struct ctl *c, const struct cmk_volume_config *config)
{
	cJSON *v = cJSON_CreateObject();

	cJSON_AddStringToObject(v, "volume", config->name);
	cJSON_AddStringToObject(v, "state", "Closed");
	cJSON_AddStringToObject(v, "reason", "OK");
	cJSON_AddNullToObject(v, "lease_left_ms");
	cJSON_AddNullToObject(v, "deadline");
	add_header(c, v, config->device);
	add_config(c, v, config->name);
	return v;
}

void ctl_local_closed(struct ctl *c, cJSON *status, const char *name)
{
	cJSON *volumes = cJSON_GetObjectItemCaseSensitive(status, "volumes");

	for (size_t i = 0; i < c->cfg->n_volumes; i++) {
		const struct cmk_volume_config *config = &c->cfg->volumes[i];
		const cJSON *v;
		bool known = name && strcmp(config->name, name) != 0;

		cJSON_ArrayForEach(v, volumes) known =
			known || strcmp(ctl_text(v, "volume"), config->name) == 0;
		if (!known)
			cJSON_AddItemToArray(volumes, closed_volume(c, config));
	}
}

int ctl_local_status(struct ctl *c, const char *name, cJSON **status)
{
	_cleanup_free_ struct cmk_dm_device *devs = NULL;
	int n = cmk_dm_list(&devs, &c->err);
	cJSON *volumes;

	if (n < 0)
		return n;
	*status = cJSON_CreateObject();
	cJSON_AddNullToObject(*status, "agent");
	volumes = cJSON_AddArrayToObject(*status, "volumes");
	for (int i = 0; i < n; i++) {
		if (!name || strcmp(devs[i].name, name) == 0)
			cJSON_AddItemToArray(volumes, mapped_volume(c, &devs[i]));
	}
	return 0;
}
