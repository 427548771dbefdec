// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * Who may ask: token, network rules and role, checked in the order in which the real services do.
 */
#include <string.h>
#include <strings.h>
#include "vault.h"

static bool refuse(struct req *req, const char *id, const char *a, const char *b)
{
	errors_answer(req, id, a, b);
	return false;
}

static bool check_claims(struct req *req, const cJSON *claims)
{
	const struct cloud *cloud = req->vault->cloud;
	const char *aud = json_string(claims, "aud"), *tid = json_string(claims, "tid");
	const char *appid = json_string(claims, "appid");

	if (!aud || !tid || !appid)
		return refuse(req, cloud->hsm ? "mhsm-bad-token" : "kv-token-expired", NULL, NULL);
	if (strcmp(aud, cloud->resource))
		return cloud->hsm ? refuse(req, "mhsm-wrong-audience", aud, cloud->resource)
				  : refuse(req, "kv-invalid-audience", cloud->resource, aud);
	if (strcmp(tid, req->vault->tenant))
		return refuse(req, cloud->hsm ? "mhsm-bad-token" : "kv-invalid-issuer",
			      req->vault->tenant, tid);
	req->who = identity_find(appid, NULL, NULL);
	return req->who ? true : refuse(req, "kv-token-expired", NULL, NULL);
}

static bool check_token(struct req *req)
{
	const char *header = req_header(req, "Authorization");
	bool hsm = req->vault->cloud->hsm;
	_cleanup_json_ cJSON *claims = NULL;
	enum token_state state;

	if (!header || strncasecmp(header, "Bearer ", 7)) {
		if (hsm)
			return refuse(req,
				      strcmp(req->method, "GET") ? "mhsm-no-token"
								 : "mhsm-no-token-get",
				      NULL, NULL);
		return refuse(req, "kv-no-token", NULL, NULL);
	}
	state = token_read(header + 7, &claims);
	if (state != TOKEN_OK)
		return refuse(req, hsm ? "mhsm-bad-token" : "kv-token-expired", NULL, NULL);
	return check_claims(req, claims);
}

bool auth_check(struct req *req)
{
	const struct vault *vault = req->vault;
	const struct route *route = req->route;
	const char *key = req->key ? req->key : "";

	if (!check_token(req))
		return false;
	if (vault->public_off)
		return refuse(req, "kv-public-access-off", NULL, NULL);
	if (vault->firewall)
		return refuse(req, "kv-firewall", NULL, NULL);
	if (json_names(vault->no_role, req->who->name))
		return refuse(req, vault->cloud->hsm ? "mhsm-rbac" : "kv-rbac", route->action, key);
	if (json_names(vault->no_policy, req->who->name))
		return refuse(req, "kv-policy-2020", route->permission, NULL);
	return true;
}
