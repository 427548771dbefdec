// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* A KEK is fetched, held against the requirements and shown line by line: for `kek check` and
 * `format`. */
#include <stdio.h>
#include <string.h>

#include "common/vault.h"
#include "ctl.h"

static const char *const result_names[] = {
	[CMK_CHECK_PASSED] = "passed",
	[CMK_CHECK_WARNED] = "warned",
	[CMK_CHECK_FAILED] = "failed",
};

int ctl_kek_get(struct ctl *c, struct cmk_worker *w, const struct cmk_keyid *id,
		const struct cmk_identity *identity, struct ctl_kek *kek)
{
	struct cmk_judgement j;
	char region[64];
	int r = cmk_vault_get(c->cfg, w, id, identity, &kek->answer, &j, &c->err);

	if (r < 0)
		return r;
	cmk_vault_host_region(c->cfg, w, region, sizeof(region));
	/*
	 * A managed identity's tenant is not told anywhere; but the vault refuses the tokens of any
	 * tenant but its own (AKV10032), and it has just accepted one.
	 */
	kek->n_checks = cmk_kek_check(&kek->answer, region,
				      identity->tenant[0] ? identity->tenant : kek->answer.tenant,
				      cmk_vault_time(&kek->answer), kek->checks);
	kek->n_failed = 0;
	for (size_t i = 0; i < kek->n_checks; i++)
		kek->n_failed += kek->checks[i].result == CMK_CHECK_FAILED;
	return 0;
}

void ctl_kek_print(const struct ctl_kek *kek)
{
	char url[512];

	printf("%s\n", cmk_keyid_format(&kek->answer.key, url, sizeof(url)));
	for (size_t i = 0; i < kek->n_checks; i++) {
		const struct cmk_check *check = &kek->checks[i];

		printf("  %-7s %-20s %s\n", result_names[check->result], check->name, check->found);
		if (check->remedy)
			printf("  %-7s %-20s -> %s\n", "", "", check->remedy);
	}
}

cJSON *ctl_kek_json(const struct ctl_kek *kek)
{
	cJSON *obj = cJSON_CreateObject(), *list;
	char url[512];

	cJSON_AddStringToObject(obj, "kek", cmk_keyid_format(&kek->answer.key, url, sizeof(url)));
	cJSON_AddBoolToObject(obj, "fit", kek->n_failed == 0);
	list = cJSON_AddArrayToObject(obj, "checks");
	for (size_t i = 0; i < kek->n_checks; i++) {
		const struct cmk_check *check = &kek->checks[i];
		cJSON *line = cJSON_CreateObject();

		cJSON_AddStringToObject(line, "name", check->name);
		cJSON_AddStringToObject(line, "result", result_names[check->result]);
		cJSON_AddStringToObject(line, "found", check->found);
		if (check->remedy)
			cJSON_AddStringToObject(line, "remedy", check->remedy);
		else
			cJSON_AddNullToObject(line, "remedy");
		cJSON_AddItemToArray(list, line);
	}
	return obj;
}

int ctl_kek_refuse(struct ctl *c, const struct ctl_kek *kek)
{
	char url[512];

	return cmk_error_set(
		&c->err, CMK_EXIT_KEK, -EKEYREJECTED, "Mend what failed, or choose another key.",
		"%s: %zu of %zu requirements are not met",
		cmk_keyid_format(&kek->answer.key, url, sizeof(url)), kek->n_failed, kek->n_checks);
}

int cmd_kek_check(struct ctl *c)
{
	_cleanup_worker_ struct cmk_worker *w = NULL;
	struct cmk_identity identity;
	struct ctl_kek kek;
	struct cmk_keyid id;
	int r = cmk_keyid_parse(c->operands[0], c->suffix, &id, &c->err);

	if (r == 0)
		r = cmk_identity_parse(c->identity ? c->identity : "managed", &identity, &c->err);
	if (r == 0)
		r = cmk_worker_spawn(c->cfg, &w, &c->err);
	if (r == 0)
		r = ctl_kek_get(c, w, &id, &identity, &kek);
	if (r < 0)
		return r;
	if (c->json) {
		cJSON *obj = ctl_kek_json(&kek);

		ctl_print_json(obj);
		cJSON_Delete(obj);
	} else {
		ctl_kek_print(&kek);
	}
	return kek.n_failed ? ctl_kek_refuse(c, &kek) : 0;
}
