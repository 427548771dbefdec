// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * Access tokens: JWTs with the claims that the real ones have, under a MAC of the test vault's own.
 * To a client they are opaque; the vaults check audience, tenant, times and identity.
 */
#include <string.h>
#include "vault.h"

static char secret[65];
static int generation;

static char *jwt_sign(const cJSON *payload)
{
	static const char head[] = "{\"typ\":\"JWT\",\"alg\":\"HS256\"}";
	_cleanup_free_ char *text = cJSON_PrintUnformatted(payload);
	_cleanup_free_ char *head64 = b64url_encode(head, strlen(head));
	_cleanup_free_ char *body64 = b64url_encode(text, strlen(text));
	_cleanup_free_ char *signed_part = xasprintf("%s.%s", head64, body64);
	_cleanup_free_ char *mac = crypto_mac(secret, signed_part);

	return xasprintf("%s.%s", signed_part, mac);
}

char *token_make(const struct identity *who, const char *tenant, const char *audience,
		 bool with_claims)
{
	_cleanup_json_ cJSON *payload = cJSON_CreateObject();
	_cleanup_free_ char *issuer = xasprintf("https://sts.windows.net/%s/", tenant);
	int64_t now = now_ms() / 1000;
	char id[37];

	random_guid(id);
	cJSON_AddStringToObject(payload, "aud", audience);
	cJSON_AddStringToObject(payload, "iss", issuer);
	cJSON_AddNumberToObject(payload, "iat", (double)now);
	cJSON_AddNumberToObject(payload, "nbf", (double)now);
	cJSON_AddNumberToObject(payload, "exp", (double)(now + settings.token_lifetime_s));
	cJSON_AddStringToObject(payload, "appid", who->client_id);
	cJSON_AddStringToObject(payload, "oid", who->object_id);
	cJSON_AddStringToObject(payload, "sub", who->object_id);
	cJSON_AddStringToObject(payload, "tid", tenant);
	cJSON_AddStringToObject(payload, "uti", id);
	cJSON_AddStringToObject(payload, "ver", "1.0");
	if (who->resource_id)
		cJSON_AddStringToObject(payload, "xms_mirid", who->resource_id);
	if (with_claims)
		cJSON_AddStringToObject(payload, "acrs", "cp1");
	cJSON_AddNumberToObject(payload, "generation", generation);
	return jwt_sign(payload);
}

cJSON *token_payload(const char *jwt)
{
	const char *first = strchr(jwt, '.');
	const char *second = first ? strchr(first + 1, '.') : NULL;
	_cleanup_free_ char *part = NULL;
	_cleanup_free_ char *text = NULL;
	size_t len;

	if (!second)
		return NULL;
	part = xasprintf("%.*s", (int)(second - first - 1), first + 1);
	text = (char *)b64url_decode(part, &len);
	return text ? cJSON_Parse(text) : NULL;
}

enum token_state token_read(const char *token, cJSON **claims)
{
	const char *dot = strrchr(token, '.');
	_cleanup_free_ char *signed_part =
		dot ? xasprintf("%.*s", (int)(dot - token), token) : NULL;
	_cleanup_free_ char *mac = signed_part ? crypto_mac(secret, signed_part) : NULL;

	*claims = NULL;
	if (!mac || strcmp(mac, dot + 1))
		return TOKEN_BAD;
	*claims = token_payload(token);
	if (!*claims)
		return TOKEN_BAD;
	if (json_number(*claims, "exp", 0) <= now_ms() / 1000 ||
	    json_number(*claims, "generation", -1) != generation)
		return TOKEN_EXPIRED;
	return TOKEN_OK;
}

void token_expire_all(void)
{
	generation++;
	state_changed();
}

cJSON *token_save(void)
{
	cJSON *json = cJSON_CreateObject();

	cJSON_AddStringToObject(json, "secret", secret);
	cJSON_AddNumberToObject(json, "generation", generation);
	return json;
}

void token_load(const cJSON *json)
{
	const char *s = json_string(json, "secret");

	random_hex(secret, 64);
	if (s && strlen(s) == 64)
		memcpy(secret, s, 64);
	generation = (int)json_number(json, "generation", 0);
}
