// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* Which KEK a volume hangs on: its LUKS2 header, read in a job, for the disk may hang. */
#include <stdio.h>
#include <string.h>

#include "agent.h"
#include "common/luks.h"

#define READ_MS 20000

struct header_work {
	const char *device, *uuid;
	const struct cmk_config *cfg;
};

/* In the job. */
static int run(struct job_channel *ch, const void *work, struct cmk_error *err)
{
	static struct cmk_header h;
	const struct header_work *w = work;
	struct cmk_suffix room;
	int r = cmk_luks_load(w->device, cmk_config_suffix(w->cfg, &room), &h, err);

	if (r < 0)
		return r;
	if (strcmp(h.uuid, w->uuid) != 0)
		return cmk_error_set(err, CMK_EXIT_HEADER, -EINVAL,
				     "close the mapping and open the right device",
				     "%s: its header has UUID %s, but the mapping was made for %s",
				     w->device, h.uuid, w->uuid);
	for (size_t i = 0; i < h.n_tokens; i++) {
		if (h.tokens[i].role == CMK_ROLE_PRIMARY) {
			job_give(ch, &h.tokens[i], sizeof(h.tokens[i]));
			return 0;
		}
	}
	return cmk_error_set(err, CMK_EXIT_HEADER, -EINVAL, "restore the header from a backup",
			     "%s: its header has no cmk token with role primary", w->device);
}

/* Nothing can be proved: the lease runs out, and people are told. */
static void trouble(struct volume *v, const char *reason, const struct cmk_error *err)
{
	v->trouble = *err;
	snprintf(v->trouble_reason, sizeof(v->trouble_reason), "%s", reason);
	group_leave(v);
	volume_event(v, &(struct cmk_event){
				.type = CMK_EVENT_PROBE,
				.verdict = CMK_MISCONFIGURED,
				.reason = reason,
				.detail = err->text,
			});
	server_volume_changed(v);
}

static void done(void *arg, const struct job_result *res)
{
	const struct cmk_token *token = res->data;
	struct cmk_error err = { 0 };
	struct volume *v = arg;
	char url[512];

	v->header = NULL;
	v->header_reads++;
	if (res->r < 0 || res->len != sizeof(*token)) {
		err = res->err;
		cmk_error_set(&err, CMK_EXIT_HEADER, -EINVAL, NULL,
			      "%s: the header could not be read", v->dev.lower);
		trouble(v, REASON_HEADER_UNREADABLE, &err);
		return;
	}
	if (!cmk_config_vault_allowed(v->agent->cfg, &token->kek)) {
		cmk_error_set(&err, CMK_EXIT_DENIED, -EPERM,
			      "add the vault's host name to `vaults` in cmk.conf",
			      "%s: its KEK %s lies in a vault that cmk.conf does not name",
			      v->dev.lower, cmk_keyid_format(&token->kek, url, sizeof(url)));
		trouble(v, cmk_reason_name(CMK_NOT_PINNED), &err);
		return;
	}
	v->trouble = (struct cmk_error){ 0 };
	group_join(v, token);
	server_volume_changed(v);
}

void header_read(struct volume *v)
{
	struct header_work work = { .device = v->dev.lower,
				    .uuid = v->dev.uuid,
				    .cfg = v->agent->cfg };
	struct job_spec spec = {
		.name = v->dev.name,
		.run = run,
		.done = done,
		.arg = v,
		.work = &work,
		.work_len = sizeof(work),
		.limit_ms = READ_MS,
	};
	int r;

	if (v->header || v->gone || v->forgotten)
		return;
	r = job_start(&v->agent->jobs, &spec, &v->header);
	if (r < 0) {
		struct cmk_error err = { 0 };

		cmk_error_set(&err, CMK_EXIT_MEMORY, r, NULL, "%s: cannot read its header: %s",
			      v->dev.lower, strerror(-r));
		trouble(v, REASON_HEADER_UNREADABLE, &err);
	}
}
