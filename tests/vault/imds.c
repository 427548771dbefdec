// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The instance metadata service: tokens of managed identities and where the host runs.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "vault.h"

/* What every request to IMDS owes; false if it was answered. */
static bool accepted(struct req *req)
{
	const char *metadata = req_header(req, "Metadata");

	if (!metadata || strcasecmp(metadata, "true") || req_header(req, "X-Forwarded-For")) {
		errors_answer(req, "imds-no-metadata-header", NULL, NULL);
		return false;
	}
	if (!req_query(req, "api-version")) {
		errors_answer(req, "imds-bad-request",
			      "Required query variable 'api-version' is missing", NULL);
		return false;
	}
	return true;
}

static void add_text(cJSON *json, const char *name, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	cJSON_AddStringToObject(json, name, text);
}

void imds_token_answer(struct req *req, const struct identity *who)
{
	const char *resource = req_query(req, "resource"), *claims = req_query(req, "claims");
	_cleanup_free_ char *token = NULL;
	int64_t now = now_ms() / 1000;
	cJSON *json;

	if (!resource || strncmp(resource, "https://", 8)) {
		errors_answer(req, "imds-bad-request", "Required audience parameter not specified",
			      NULL);
		return;
	}
	token = token_make(who, TENANT_DEFAULT, resource, claims != NULL);
	json = cJSON_CreateObject();
	cJSON_AddStringToObject(json, "access_token", token);
	cJSON_AddStringToObject(json, "client_id", who->client_id);
	add_text(json, "expires_in", settings.token_lifetime_s);
	add_text(json, "expires_on", now + settings.token_lifetime_s);
	add_text(json, "ext_expires_in", settings.token_lifetime_s);
	add_text(json, "not_before", now);
	cJSON_AddStringToObject(json, "resource", resource);
	cJSON_AddStringToObject(json, "token_type", "Bearer");
	req->who = who;
	answer_json(req, 200, json);
}

void imds_token(struct req *req)
{
	const char *client = req_query(req, "client_id"), *object = req_query(req, "object_id");
	const char *resource = req_query(req, "msi_res_id");
	const struct identity *who;

	if (!accepted(req))
		return;
	if (!!client + !!object + !!resource > 1) {
		errors_answer(req, "imds-bad-request",
			      "Only one of client_id, object_id and msi_res_id may be given", NULL);
		return;
	}
	who = client || object || resource ? identity_find(client, object, resource)
					   : identity_by_name("system");
	if (!who || !who->managed || who->deleted)
		errors_answer(req, "imds-identity-gone", NULL, NULL);
	else
		imds_token_answer(req, who);
}

void imds_location(struct req *req)
{
	if (accepted(req))
		answer_text(req, 200, "text/plain; charset=utf-8", settings.host_region);
}

void imds_instance(struct req *req)
{
	cJSON *json, *compute;

	if (!accepted(req))
		return;
	json = cJSON_CreateObject();
	compute = cJSON_AddObjectToObject(json, "compute");
	cJSON_AddStringToObject(compute, "azEnvironment", "AzurePublicCloud");
	cJSON_AddStringToObject(compute, "location", settings.host_region);
	cJSON_AddStringToObject(compute, "name", "test");
	cJSON_AddObjectToObject(json, "network");
	answer_json(req, 200, json);
}
