// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * Entra: the token endpoint for client credentials (secret, certificate, federated assertion) and
 * the discovery documents that client libraries ask for first.
 */
#include <microhttpd.h>
#include <string.h>
#include <strings.h>
#include "vault.h"

#define FEDERATED_AUDIENCE "api://AzureADTokenExchange"

/* The value of a field of the form in the request's body, decoded, which the caller frees; NULL if
 * not there. */
static char *form(const struct req *req, const char *name)
{
	const char *p = req->body ? req->body : "";
	size_t len = strlen(name);

	while (*p) {
		size_t part = strcspn(p, "&");

		if (!strncmp(p, name, len) && p[len] == '=') {
			char *value = xasprintf("%.*s", (int)(part - len - 1), p + len + 1);

			for (char *c = value; *c; c++)
				if (*c == '+')
					*c = ' ';
			MHD_http_unescape(value);
			return value;
		}
		p += part + (p[part] == '&');
	}
	return NULL;
}

/* Tenants of the test vault begin with "a": any other is one that does not exist. */
static bool tenant_exists(const char *tenant)
{
	return strlen(tenant) == 36 && (*tenant == 'a' || *tenant == 'A');
}

/* The resource behind "RESOURCE/.default", which the caller frees; NULL for one that nobody here
 * offers. */
static char *scope_resource(const char *scope)
{
	const char *end = scope ? strstr(scope, "/.default") : NULL;
	char *resource = end ? xasprintf("%.*s", (int)(end - scope), scope) : NULL;

	if (resource && strncmp(resource, "https://", 8)) {
		free(resource);
		return NULL;
	}
	return resource;
}

/* What is wrong with a client assertion; NULL if it is good. */
static const char *assertion_fault(const struct req *req, const struct identity *who,
				   const char *assertion)
{
	_cleanup_json_ cJSON *claims = token_payload(assertion);
	_cleanup_free_ char *url =
		xasprintf("https://%s/%s/oauth2/v2.0/token", req->authority, req->tenant);
	const char *aud = json_string(claims, "aud"), *iss = json_string(claims, "iss");
	const char *sub = json_string(claims, "sub");

	if (!claims || !aud || !iss || !sub)
		return "The assertion is not a token.";
	if (json_number(claims, "exp", 0) <= now_ms() / 1000)
		return "The assertion has expired.";
	if (!strcmp(aud, FEDERATED_AUDIENCE))
		return NULL;
	if (strcmp(aud, url))
		return "The audience of the assertion is not this token endpoint.";
	if (strcmp(iss, who->client_id) || strcmp(sub, who->client_id))
		return "Issuer and subject of the assertion are not the application.";
	if (!who->certificate || !crypto_verify_jwt(assertion, who->certificate))
		return "The key was not found.";
	return NULL;
}

static bool proved(struct req *req, const struct identity *who)
{
	_cleanup_free_ char *secret = form(req, "client_secret");
	_cleanup_free_ char *type = form(req, "client_assertion_type");
	_cleanup_free_ char *assertion = form(req, "client_assertion");
	const char *fault;

	if (assertion) {
		fault = type && !strcmp(type,
					"urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
				? assertion_fault(req, who, assertion)
				: "The type of the assertion is not known.";
		if (fault)
			errors_answer(req, "aad-bad-assertion", fault, NULL);
		return !fault;
	}
	if (secret && who->secret && !strcmp(secret, who->secret))
		return true;
	errors_answer(req, "aad-bad-secret", who->client_id, NULL);
	return false;
}

static void answer_token(struct req *req, const struct identity *who, const char *resource)
{
	_cleanup_free_ char *claims = form(req, "claims");
	_cleanup_free_ char *token =
		token_make(who, req->tenant, resource, claims && strstr(claims, "acrs"));
	cJSON *json = cJSON_CreateObject();

	cJSON_AddStringToObject(json, "token_type", "Bearer");
	cJSON_AddNumberToObject(json, "expires_in", settings.token_lifetime_s);
	cJSON_AddNumberToObject(json, "ext_expires_in", settings.token_lifetime_s);
	cJSON_AddStringToObject(json, "access_token", token);
	answer_json(req, 200, json);
}

void entra_token(struct req *req)
{
	_cleanup_free_ char *grant = form(req, "grant_type");
	_cleanup_free_ char *client = form(req, "client_id");
	_cleanup_free_ char *scope = form(req, "scope");
	_cleanup_free_ char *resource = scope_resource(scope);
	const struct identity *who = client ? identity_find(client, NULL, NULL) : NULL;

	if (!grant || strcmp(grant, "client_credentials") || !client)
		errors_answer(
			req, "aad-bad-request",
			"The request body must contain the following parameter: 'client_id' and "
			"'grant_type=client_credentials'.",
			NULL);
	else if (!tenant_exists(req->tenant))
		errors_answer(req, "aad-tenant-gone", req->tenant, NULL);
	else if (!who)
		errors_answer(req, "aad-app-gone", client, NULL);
	else if (who->deleted)
		errors_answer(req, "aad-sp-missing", client, req->tenant);
	else if (who->disabled)
		errors_answer(req, "aad-sp-disabled", client, NULL);
	else if (!resource)
		errors_answer(req, "aad-bad-scope", scope ? scope : "", NULL);
	else if (proved(req, who))
		answer_token(req, who, resource);
	if (who)
		req->who = who;
}

void entra_instance(struct req *req)
{
	static const char *const aliases[] = { "login.microsoftonline.com", "login.windows.net",
					       "login.microsoft.com", "sts.windows.net" };
	_cleanup_free_ char *url =
		xasprintf("https://%s/" TENANT_DEFAULT "/v2.0/.well-known/openid-configuration",
			  req->authority);
	cJSON *json = cJSON_CreateObject();
	cJSON *item;

	cJSON_AddStringToObject(json, "tenant_discovery_endpoint", url);
	cJSON_AddStringToObject(json, "api-version", "1.1");
	item = cJSON_CreateObject();
	cJSON_AddItemToArray(cJSON_AddArrayToObject(json, "metadata"), item);
	cJSON_AddStringToObject(item, "preferred_network", "login.microsoftonline.com");
	cJSON_AddStringToObject(item, "preferred_cache", "login.windows.net");
	cJSON_AddItemToObject(item, "aliases",
			      cJSON_CreateStringArray(aliases, ARRAY_SIZE(aliases)));
	answer_json(req, 200, json);
}

void entra_openid(struct req *req)
{
	static const struct {
		const char *name, *path;
	} endpoints[] = {
		{ "token_endpoint", "oauth2/v2.0/token" },
		{ "jwks_uri", "discovery/v2.0/keys" },
		{ "issuer", "v2.0" },
		{ "authorization_endpoint", "oauth2/v2.0/authorize" },
		{ "end_session_endpoint", "oauth2/v2.0/logout" },
	};
	cJSON *json;

	if (!tenant_exists(req->tenant)) {
		errors_answer(req, "aad-tenant-gone", req->tenant, NULL);
		return;
	}
	json = cJSON_CreateObject();
	for (size_t i = 0; i < ARRAY_SIZE(endpoints); i++) {
		_cleanup_free_ char *url = xasprintf("https://%s/%s/%s", req->authority,
						     req->tenant, endpoints[i].path);

		cJSON_AddStringToObject(json, endpoints[i].name, url);
	}
	answer_json(req, 200, json);
}

void entra_keys(struct req *req)
{
	cJSON *json = cJSON_CreateObject();

	cJSON_AddArrayToObject(json, "keys");
	answer_json(req, 200, json);
}
