// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* open: map the volume, then hand it to the agent, which watches it, mounts it and starts its
 * units. */
#include <stdio.h>
#include <string.h>

#include "common/config_keys.h"
#include "common/timeutil.h"
#include "common/volume.h"
#include "ctl.h"

struct open_request {
	const char *name;
	const char *device;
	struct cmk_volume_config opts;
};

static int read_request(struct ctl *c, struct open_request *o)
{
	const struct cmk_volume_config *v;

	o->name = c->operands[c->n_operands - 1];
	if (!cmk_config_volume_name_ok(o->name))
		return cmk_error_set(&c->err, CMK_EXIT_USAGE, -EINVAL, NULL,
				     "open: `%.128s` cannot be a name: %s", o->name,
				     CMK_VOLUME_NAME_ALLOWED);
	v = cmk_config_volume(c->cfg, o->name);
	if (v)
		o->opts = *v;
	else
		o->opts.lease_ms = c->cfg->lease_ms;
	if (c->n_operands == 2)
		o->device = c->operands[0];
	else if (v)
		o->device = v->device;
	else
		return cmk_error_set(
			&c->err, CMK_EXIT_USAGE, -ENOENT,
			"Add the section, or give the device: cmkctl open DEVICE NAME.",
			"open: %s has no section [volume %s]",
			c->config_path ? c->config_path : CMK_CONFIG_PATH, o->name);
	return 0;
}

/* All but the mapping. */
static int dry_run(struct ctl *c, const struct open_request *o, struct cmk_worker *w)
{
	_cleanup_secret_ struct secret dek = SECRET_INIT;
	struct cmk_judgement j;
	struct cmk_header h;
	int64_t proved_ms;
	char path[256];
	int r = cmk_luks_resolve(o->device, path, sizeof(path), &c->err);

	if (r == 0)
		r = cmk_luks_load(path, c->suffix, &h, &c->err);
	if (r == 0)
		r = cmk_dm_check_target(&c->err);
	if (r == 0)
		r = cmk_volume_unwrap(c->cfg, w, &h, &j, &proved_ms, &dek, &c->err);
	if (r == 0 && !c->json)
		printf("%s: %s would be opened; nothing was done\n", o->name, path);
	return r;
}

/* Without an agent the volume is open all the same, for one lease. */
static int hand_over(struct ctl *c, const struct open_request *o, cJSON **volume)
{
	struct cmk_dm_status st;
	char utc[32];
	int r = ctl_agent_call(c, "adopt", o->name, c->no_start ? NULL : "start", volume);

	if (r == 0 && !c->no_start && *ctl_text(*volume, "error"))
		return cmk_error_set(&c->err, CMK_EXIT_DEVICE, -EIO,
				     "The volume is open. A new one needs a filesystem, then cmkctl "
				     "unlock.",
				     "volume %s: %s", o->name, ctl_text(*volume, "error"));
	if (!ctl_agent_absent(r))
		return r;
	memset(&c->err, 0, sizeof(c->err));
	r = cmk_dm_status(o->name, &st, &c->err);
	if (r < 0)
		return r;
	ctl_note("%s is open, but cmk-agent does not run: nothing renews the lease, which ends at "
		 "%s",
		 o->name, utc_format(utc, sizeof(utc), realtime_s() + st.lease_left_ms / 1000));
	return 0;
}

static void print_result(const struct ctl *c, const struct open_request *o, cJSON *volume)
{
	cJSON *obj = NULL;

	if (c->json) {
		if (!volume) {
			obj = cJSON_CreateObject();
			cJSON_AddStringToObject(obj, "volume", o->name);
			cJSON_AddStringToObject(obj, "state", "Available");
		}
		ctl_print_json(volume ? volume : obj);
		cJSON_Delete(obj);
	} else {
		printf("%s: open as /dev/mapper/%s\n", o->name, o->name);
	}
}

int cmd_open(struct ctl *c)
{
	_cleanup_worker_ struct cmk_worker *w = NULL;
	struct open_request o = { 0 };
	struct cmk_judgement j;
	cJSON *volume = NULL;
	int r = read_request(c, &o);

	if (r == 0)
		r = cmk_worker_spawn(c->cfg, &w, &c->err);
	if (r < 0)
		return r;
	if (c->dry_run)
		return dry_run(c, &o, w);
	r = cmk_volume_activate(c->cfg, w, o.name, o.device, &o.opts, &j, &c->err);
	if (r == 0)
		r = hand_over(c, &o, &volume);
	if (r == 0)
		print_result(c, &o, volume);
	cJSON_Delete(volume);
	return r;
}
