// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * Keys that were deleted but can be recovered: look, recover, purge.
 */
#include "vault.h"

static struct key *wanted(struct req *req)
{
	struct key *key = store_key(req->vault, req->key);
	_cleanup_free_ char *url = NULL;

	/* Until the deletion has settled, and once a recovery has begun, there is no such deleted
	 * key. */
	if (key && key->state == KEY_DELETED)
		return key;
	url = xasprintf("https://%s/deletedkeys/%s", req->authority, req->key);
	if (req->vault->cloud->hsm)
		errors_answer(req, "mhsm-key-not-found", url, NULL);
	else
		errors_answer(req, "kv-deletedkey-not-found", req->key, NULL);
	return NULL;
}

void deleted_get(struct req *req)
{
	struct key *key = wanted(req);
	cJSON *json;

	if (!key)
		return;
	json = bundle_key(req->authority, req->vault, key, key->versions, req_api(req));
	answer_json(req, 200, bundle_deleted(json, req->authority, key));
}

void deleted_recover(struct req *req)
{
	struct key *key = wanted(req);

	if (!key)
		return;
	store_recover(req->vault, key, false);
	answer_json(req, 200,
		    bundle_key(req->authority, req->vault, key, key->versions, req_api(req)));
}

void deleted_purge(struct req *req)
{
	struct key *key = wanted(req);

	if (!key)
		return;
	if (req->vault->purge_protection) {
		errors_answer(req, "kv-purge-protected", key->name, NULL);
		return;
	}
	store_key_remove(req->vault, key);
	state_changed();
	/* Managed HSM names a type even where there is no body. */
	answer_text(req, 204, req->vault->cloud->hsm ? "application/json; charset=utf-8" : NULL,
		    "");
}
