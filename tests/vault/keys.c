// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * Keys as such: create, import, get, update and delete.
 */
#include <stdio.h>
#include <string.h>
#include "vault.h"

static void not_found(struct req *req)
{
	_cleanup_free_ char *name = NULL;

	if (req->version && *req->version)
		name = xasprintf("%s/%s", req->key, req->version);
	else
		name = xstrdup(req->key);
	if (req->vault->cloud->hsm) {
		_cleanup_free_ char *url = xasprintf("https://%s/keys/%s", req->authority, name);

		errors_answer(req, "mhsm-key-not-found", url, NULL);
	} else {
		errors_answer(req, "kv-key-not-found", name, NULL);
	}
}

struct version *keys_wanted(struct req *req, struct key **key)
{
	struct key *found = store_key(req->vault, req->key);
	struct version *v =
		found && found->state == KEY_LIVE ? store_version(found, req->version) : NULL;

	if (!v)
		not_found(req);
	*key = found;
	return v;
}

bool keys_type(const cJSON *body, bool hsm, char kty[8], char crv[8], int *bits)
{
	const char *type = json_string(body, "kty"), *curve = json_string(body, "crv");
	int64_t size = json_number(body, "key_size", 2048);

	if (!type || (strncmp(type, "RSA", 3) && strncmp(type, "EC", 2)))
		return false;
	if (strcmp(type, "RSA") && strcmp(type, "RSA-HSM") && strcmp(type, "EC") &&
	    strcmp(type, "EC-HSM"))
		return false;
	if (*type == 'R' && size != 2048 && size != 3072 && size != 4096)
		return false;
	/* A Managed HSM makes HSM keys whatever the request says. */
	snprintf(kty, 8, "%s%s", *type == 'R' ? "RSA" : "EC",
		 hsm || strstr(type, "-HSM") ? "-HSM" : "");
	snprintf(crv, 8, "%s", *type == 'R' ? "" : curve ? curve : "P-256");
	*bits = (int)size;
	return true;
}

/* Why no key may be made under this name now, as the id of an error body; NULL if it may. */
static const char *name_taken(const struct key *key)
{
	static const char *const why[] = {
		[KEY_LIVE] = NULL,
		[KEY_DELETING] = "kv-being-deleted",
		[KEY_DELETED] = "kv-name-deleted-recoverable",
		[KEY_RECOVERING] = "kv-being-recovered",
	};

	return key ? why[key->state] : NULL;
}

static void answer_key(struct req *req, const struct key *key, const struct version *v)
{
	answer_json(req, 200, bundle_key(req->authority, req->vault, key, v, req_api(req)));
}

void keys_create(struct req *req)
{
	struct key *key = store_key(req->vault, req->key);
	bool hsm = req->vault->cloud->hsm;
	const char *taken = name_taken(key);
	char kty[8], crv[8];
	struct version *v;
	int bits;

	if (taken) {
		errors_answer(req, taken, req->key, NULL);
		return;
	}
	if (!req->made || !keys_type(req->json, hsm, kty, crv, &bits)) {
		errors_answer(req, "kv-bad-parameter",
			      "Property kty, crv or key_size has an invalid value", NULL);
		return;
	}
	if (!key)
		key = store_key_add(req->vault, req->key);
	v = store_version_add(key, kty, req->made);
	req->made = NULL;
	snprintf(v->crv, sizeof(v->crv), "%s", crv);
	v->ops = bundle_default_ops(kty, hsm);
	rotation_apply(key, v);
	bundle_apply(v, req->json);
	answer_key(req, key, v);
}

void keys_import(struct req *req)
{
	struct key *key = store_key(req->vault, req->key);
	const cJSON *jwk = cJSON_GetObjectItemCaseSensitive(req->json, "key");
	const char *kty = json_string(jwk, "kty"), *taken = name_taken(key);
	bool hsm = req->vault->cloud->hsm || cJSON_IsTrue(cJSON_GetObjectItem(req->json, "hsm"));
	struct evp_pkey_st *pkey = kty && !strncmp(kty, "RSA", 3) ? crypto_import(jwk) : NULL;
	struct version *v;

	if (taken || !pkey) {
		crypto_free(pkey);
		if (taken)
			errors_answer(req, taken, req->key, NULL);
		else
			errors_answer(req, "kv-bad-parameter", "The key could not be imported",
				      NULL);
		return;
	}
	if (!key)
		key = store_key_add(req->vault, req->key);
	v = store_version_add(key, hsm || !strcmp(kty, "RSA-HSM") ? "RSA-HSM" : "RSA", pkey);
	v->ops = bundle_default_ops("RSA", req->vault->cloud->hsm);
	bundle_apply(v, jwk); /* key_ops stand in the key here */
	bundle_apply(v, req->json);
	answer_key(req, key, v);
}

void keys_get(struct req *req)
{
	struct key *key;
	struct version *v = keys_wanted(req, &key);

	/* A disabled key is told like any other: only its use is refused. */
	if (v)
		answer_key(req, key, v);
}

void keys_update(struct req *req)
{
	struct key *key;
	struct version *v = keys_wanted(req, &key);

	if (!v)
		return;
	bundle_apply(v, req->json);
	v->updated = now_ms() / 1000;
	answer_key(req, key, v);
}

void keys_delete(struct req *req)
{
	struct key *key;
	struct version *v = keys_wanted(req, &key);
	cJSON *json;

	if (!v)
		return;
	json = bundle_key(req->authority, req->vault, key, v, req_api(req));
	store_delete(req->vault, key, false);
	answer_json(req, 200, bundle_deleted(json, req->authority, key));
}

void keys_health(struct req *req)
{
	answer_text(req, 200, "application/json; charset=utf-8", "{}");
}
