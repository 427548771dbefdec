// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * Backup and restore: a blob that only the vault can read (here: state.c's form of the key,
 * base64url).
 */
#include <string.h>
#include "vault.h"

void backup_make(struct req *req)
{
	struct key *key;
	_cleanup_json_ cJSON *saved = NULL;
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *blob = NULL;
	cJSON *json;

	if (!keys_wanted(req, &key))
		return;
	saved = state_key_save(key);
	text = cJSON_PrintUnformatted(saved);
	blob = b64url_encode(text, strlen(text));
	json = cJSON_CreateObject();
	cJSON_AddStringToObject(json, "value", blob);
	answer_json(req, 200, json);
}

void backup_restore(struct req *req)
{
	const char *blob = json_string(req->json, "value");
	_cleanup_json_ cJSON *saved = NULL;
	_cleanup_free_ char *text = NULL;
	const char *name;
	struct key *key;
	size_t len;

	if (blob)
		text = (char *)b64url_decode(blob, &len);
	if (text)
		saved = cJSON_Parse(text);
	name = json_string(saved, "name");
	if (name && store_key(req->vault, name)) {
		errors_answer(req, "kv-restore-conflict", name, NULL);
		return;
	}
	key = saved ? state_key_load(req->vault, saved) : NULL;
	if (!key) {
		errors_answer(req, "kv-bad-parameter", "Backup blob is corrupted.", NULL);
		return;
	}
	state_changed();
	answer_json(req, 200,
		    bundle_key(req->authority, req->vault, key, key->versions, req_api(req)));
}
