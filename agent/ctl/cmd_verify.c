// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* verify: could the volume be opened now? A real unwrap, the digest and the MACs; nothing is
 * changed. */
#include <stdio.h>

#include "common/volume.h"
#include "ctl.h"

int cmd_verify(struct ctl *c)
{
	_cleanup_worker_ struct cmk_worker *w = NULL;
	_cleanup_secret_ struct secret dek = SECRET_INIT;
	struct cmk_judgement j = { 0 };
	struct cmk_header h;
	int64_t proved_ms;
	char url[512];
	int r = ctl_header(c, c->operands[0], &h);

	if (r == 0)
		r = cmk_worker_spawn(c->cfg, &w, &c->err);
	if (r == 0)
		r = cmk_volume_unwrap(c->cfg, w, &h, &j, &proved_ms, &dek, &c->err);
	if (r < 0)
		return r;
	cmk_keyid_format(&cmk_volume_token(&h, NULL)->kek, url, sizeof(url));
	if (c->json) {
		cJSON *obj = cJSON_CreateObject();

		cJSON_AddStringToObject(obj, "device", h.device);
		cJSON_AddStringToObject(obj, "uuid", h.uuid);
		cJSON_AddStringToObject(obj, "kek", url);
		cJSON_AddStringToObject(obj, "verdict", cmk_verdict_name(j.verdict));
		cJSON_AddStringToObject(obj, "request_id", j.request_id);
		ctl_print_json(obj);
		cJSON_Delete(obj);
	} else {
		printf("%s: can be opened with %s\n", h.device, url);
	}
	return 0;
}
