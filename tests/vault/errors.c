// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The error bodies of the real services, word by word as they were recorded or published. In a
 * body, $1 and $2 stand for what the caller says, $A and $O for the caller's application and object
 * id, $T, $V and $R for tenant, vault and region, $I for the tenant as an issuer, $M for the
 * managed identity's resource, $X for the activity id, $D for the time, and the other letters for
 * constants.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "vault.h"

#define KV(code, message) "{\"error\":{\"code\":\"" code "\",\"message\":\"" message "\"}}"
#define KV_INNER(code, message, inner)                                                             \
	"{\"error\":{\"code\":\"" code "\",\"message\":\"" message                                 \
	"\",\"innererror\":{\"code\":\"" inner "\"}}}"
#define ACTIVITY " (Activity ID: $X)"
#define CALLER	 "Caller: appid=$A;oid=$O;iss=https://sts.windows.net/$T/"
#define AAD(error, code, message)                                                                  \
	"{\"error\":\"" error "\",\"error_description\":\"AADSTS" code ": " message                \
	"\\r\\nTrace ID: $X\\r\\nCorrelation ID: $X\\r\\nTimestamp: $D\",\"error_codes\":[" code   \
	"],\"error_uri\":\"https://login.microsoftonline.com/error?code=" code "\"}"

static const struct {
	const char *id;
	unsigned int status;
	const char *body;
} bodies[] = {
	{ "kv-no-token", 401,
	  KV("Unauthorized", "AKV10000: Request is missing a Bearer or PoP token.") },
	{ "kv-no-token-2020", 401,
	  KV("Unauthorized", "Request is missing a Bearer or PoP token.") },
	{ "kv-no-token-2018", 401, "" },
	{ "mhsm-no-token", 401, "" },
	{ "mhsm-no-token-get", 401, "OK" },
	{ "mhsm-wrong-audience", 401,
	  KV("Unauthorized", "Found token with aud=$1, but expected aud=$2" ACTIVITY) },
	{ "mhsm-bad-token", 401, KV("Unauthorized", "Unable to verify access token" ACTIVITY) },
	{ "mhsm-token-not-yet-valid", 401, "Token not yet valid" ACTIVITY },
	{ "kv-invalid-issuer", 401,
	  KV("Unauthorized",
	     "AKV10032: Invalid issuer. Expected one of $I, found https://sts.windows.net/$2/.") },
	{ "kv-invalid-audience", 401,
	  KV("Unauthorized", "AKV10022: Invalid audience. Expected $1, found: $2.") },
	{ "kv-signing-key-unresolved", 401,
	  "AKV10046: Unable to resolve the key used for signature validation. EncodedJwtHeader: "
	  "'...'" },
	{ "kv-token-expired", 401,
	  KV("Unauthorized", "[TokenExpired] Error validating token: 'S2S12086'.") },
	{ "kv-disabled-key-unwrap", 403,
	  KV_INNER("Forbidden", "Operation $1 is not allowed on a disabled key.", "KeyDisabled") },
	{ "kv-expired-key", 403,
	  KV_INNER("Forbidden", "Operation $1 is not allowed on an expired key.", "KeyExpired") },
	{ "kv-key-not-yet-valid", 403,
	  KV_INNER("Forbidden", "Operation $1 is not allowed on a key that is not yet valid.",
		   "KeyNotYetValid") },
	{ "kv-key-ops", 403,
	  KV_INNER("Forbidden", "Operation $1 is not permitted on this key.",
		   "KeyOperationForbidden") },
	{ "kv-policy-2020", 403,
	  KV_INNER("Forbidden",
		   "The user, group or application "
		   "'appid=$A;oid=$O;iss=https://sts.windows.net/$T/' does not have keys "
		   "$1 permission on key vault '$V;location=$R'. For help resolving this issue, "
		   "please see "
		   "https://go.microsoft.com/fwlink/?linkid=2125287",
		   "ForbiddenByPolicy") },
	{ "kv-policy-2019", 403,
	  KV_INNER("Forbidden",
		   "Operation is not allowed.\\r\\nOperation: \\\"$1\\\"\\r\\nCaller: "
		   "appid=$A;oid=$O;numgroups=0;"
		   "iss=https://sts.windows.net/$T/\\r\\nVault: $V;location=$R",
		   "ForbiddenByPolicy") },
	{ "kv-rbac", 403,
	  KV_INNER("Forbidden",
		   "Caller is not authorized to perform action on resource.\\r\\nIf role "
		   "assignments, deny assignments "
		   "or role definitions were changed recently, please observe propagation "
		   "time.\\r\\n" CALLER
		   "\\r\\nAction: 'Microsoft.KeyVault/vaults/$1'\\r\\nResource: '/subscriptions/$S"
		   "/resourcegroups/$G/providers/microsoft.keyvault/vaults/$V/"
		   "keys/$2'\\r\\nAssignment: (not found)\\r\\nDenyAssignmentId: "
		   "null\\r\\nDecisionReason: null \\r\\n"
		   "Vault: $V;location=$R\\r\\n",
		   "ForbiddenByRbac") },
	{ "mhsm-rbac", 403,
	  KV("AccessDenied",
	     "Not authorized to access Microsoft.KeyVault/managedHsm/$1 on /keys/$2" ACTIVITY) },
	{ "kv-firewall", 403,
	  KV_INNER("Forbidden",
		   "Request was not allowed by NSP rules and the client address is not authorized "
		   "and caller was "
		   "ignored because bypass is set to None\\r\\nClient address: "
		   "$C\\r\\nCaller: appid=$A;"
		   "oid=$O\\r\\nVault: $V;location=$R",
		   "ForbiddenByFirewall") },
	{ "kv-public-access-off", 403,
	  KV_INNER("Forbidden",
		   "Public network access is disabled and request is not from a trusted service "
		   "nor via an approved "
		   "private link.\\r\\n" CALLER "$M\\r\\nVault: $V;location=$R",
		   "ForbiddenByConnection") },
	{ "kv-purge-protected", 403,
	  KV("Forbidden",
	     "Operation \\\"purge\\\" is not allowed because purge protection is enabled for this "
	     "vault. "
	     "Key $1 will be purged after the SoftDelete data retention period has passed.") },
	{ "kv-key-not-found", 404,
	  KV("KeyNotFound", "A key with (name/id) $1 was not found in this key vault. If you "
			    "recently deleted this key "
			    "you may be able to recover it using the correct recovery command. For "
			    "help resolving this "
			    "issue, please see https://go.microsoft.com/fwlink/?linkid=2125182") },
	{ "kv-key-not-found-2018", 404, KV("KeyNotFound", "Key not found: $1") },
	{ "kv-deletedkey-not-found", 404, KV("KeyNotFound", "Deleted Key not found: $1") },
	{ "mhsm-key-not-found", 404, KV("KeyNotFound", "Key not found: $1" ACTIVITY) },
	{ "kv-name-deleted-recoverable", 409,
	  KV_INNER("Conflict",
		   "Key $1 is currently in a deleted but recoverable state, and its name cannot be "
		   "reused; in "
		   "this state, the key can only be recovered or purged.",
		   "ObjectIsDeletedButRecoverable") },
	{ "kv-being-deleted", 409,
	  KV_INNER("Conflict",
		   "Key $1 is currently being deleted and cannot be re-created; retry later.",
		   "ObjectIsBeingDeleted") },
	{ "kv-being-recovered", 409,
	  KV_INNER("Conflict",
		   "Key $1 is currently being recovered and cannot be re-created; retry later.",
		   "ObjectIsBeingRecovered") },
	{ "kv-restore-conflict", 409,
	  KV("Conflict", "There was a conflict restoring the key $1: a key with the same name "
			 "already exists.") },
	{ "kv-throttled", 429,
	  KV("Throttled",
	     "Request was not processed because too many requests were received. Reason: "
	     "VaultRequestTypeLimitReached") },
	{ "kv-bad-name", 400, KV("BadParameter", "The request URI contains an invalid name: $1") },
	{ "mhsm-bad-name", 400, KV("BadParameter", "Invalid key identifier or name" ACTIVITY) },
	{ "kv-bad-parameter", 400, KV("BadParameter", "$1") },
	{ "kv-bad-api-version", 400,
	  KV("BadParameter", "The specified version ($1) is not recognized. Consider using the "
			     "latest supported version "
			     "(2025-07-01).") },
	{ "kv-internal", 500,
	  KV("InternalServerError", "An unexpected error occurred. Please retry.") },
	{ "kv-unavailable", 503,
	  KV("ServiceUnavailable", "The service is temporarily unavailable. Please retry.") },
	{ "cae-challenge", 401, "" },
	{ "imds-identity-gone", 400,
	  "{\"error\":\"invalid_request\",\"error_description\":\"Identity not found\"}" },
	{ "imds-no-metadata-header", 400,
	  "error=bad_request_102 \"Required metadata header not specified\"" },
	{ "imds-bad-request", 400, "{\"error\":\"invalid_request\",\"error_description\":\"$1\"}" },
	{ "aad-app-gone", 400,
	  AAD("unauthorized_client", "700016",
	      "Application with identifier '$1' was not found in the directory '$N'. "
	      "This can happen if the application has not been installed by the administrator of "
	      "the tenant or "
	      "consented to by any user in the tenant. You may have sent your authentication "
	      "request to the wrong "
	      "tenant.") },
	{ "aad-bad-secret", 401,
	  AAD("invalid_client", "7000215",
	      "Invalid client secret provided. Ensure the secret being sent in the request "
	      "is the client secret value, not the client secret ID, for a secret added to app "
	      "'$1'.") },
	{ "aad-bad-assertion", 401,
	  AAD("invalid_client", "700027",
	      "The certificate with identifier used to sign the client assertion is not "
	      "registered on application. [Reason - $1]") },
	{ "aad-tenant-gone", 400,
	  AAD("invalid_request", "90002",
	      "Tenant '$1' not found. Check to make sure you have the correct tenant ID and "
	      "are signing into the correct cloud. Check with your subscription administrator, "
	      "this may happen if "
	      "there are no active subscriptions for the tenant.") },
	{ "aad-sp-missing", 401,
	  AAD("invalid_client", "7000229",
	      "The client application $1 is missing service principal in the tenant $2. See "
	      "instructions here: https://go.microsoft.com/fwlink/?linkid=2225119") },
	{ "aad-sp-disabled", 401,
	  AAD("invalid_client", "7000112", "Application '$1' is disabled.") },
	{ "aad-bad-request", 400, AAD("invalid_request", "900144", "$1") },
	{ "aad-bad-scope", 400,
	  AAD("invalid_scope", "70011",
	      "The provided value for the input parameter 'scope' is not valid. The scope $1 "
	      "is not valid.") },
};

#define CAE_CLAIMS                                                                                 \
	"eyJhY2Nlc3NfdG9rZW4iOnsiYWNycyI6eyJlc3NlbnRpYWwiOnRydWUsInZhbHVlIjoiY3AxIn19fQ=="

/* @s as it must stand inside a JSON string. */
static char *escaped(const char *s)
{
	_cleanup_json_ cJSON *json = cJSON_CreateString(s);
	char *text = cJSON_PrintUnformatted(json);
	size_t len = strlen(text);

	memmove(text, text + 1, len - 2);
	text[len - 2] = '\0';
	return text;
}

static const struct {
	char letter;
	const char *value;
} constants[] = {
	{ 'C', "127.0.0.1" },				 /* the client's address */
	{ 'G', "test" },				 /* the resource group */
	{ 'N', "Test" },				 /* the directory's name */
	{ 'S', "00000000-0000-0000-0000-000000000000" }, /* the subscription */
};

static char *value_of(const struct req *req, char c, const char *a, const char *b)
{
	const struct vault *vault = req->vault;
	time_t now = time(NULL);
	char date[32];

	for (size_t i = 0; i < ARRAY_SIZE(constants); i++)
		if (constants[i].letter == c)
			return xstrdup(constants[i].value);
	switch (c) {
	case '1':
		return escaped(a ? a : "");
	case '2':
		return escaped(b ? b : "");
	case 'A':
		return xstrdup(req->who ? req->who->client_id
					: "00000000-0000-0000-0000-000000000000");
	case 'O':
		return xstrdup(req->who ? req->who->object_id
					: "00000000-0000-0000-0000-000000000000");
	case 'T':
		return xstrdup(vault ? vault->tenant : TENANT_DEFAULT);
	case 'V':
		return vault ? xasprintf("%.*s", (int)strcspn(vault->host, "."), vault->host)
			     : xstrdup("vault");
	case 'R':
		return xstrdup(vault ? vault->region : REGION_DEFAULT);
	case 'I':
		return xasprintf("https://sts.windows.net/%s/",
				 vault ? vault->tenant : TENANT_DEFAULT);
	case 'M':
		return req->who && req->who->resource_id
			       ? xasprintf(";xms_mirid=%s", req->who->resource_id)
			       : xstrdup("");
	case 'D':
		strftime(date, sizeof(date), "%F %TZ", gmtime(&now));
		return xstrdup(date);
	default:
		return xstrdup(req->activity);
	}
}

static char *filled(const struct req *req, const char *body, const char *a, const char *b)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (const char *p = body; *p; p++) {
		if (*p == '$' && p[1]) {
			_cleanup_free_ char *value = value_of(req, *++p, a, b);

			fputs(value, out);
		} else {
			fputc(*p, out);
		}
	}
	fclose(out);
	return text;
}

void errors_answer(struct req *req, const char *id, const char *a, const char *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		_cleanup_free_ char *text = NULL;

		if (strcmp(bodies[i].id, id))
			continue;
		text = filled(req, bodies[i].body, a, b);
		answer_text(req, bodies[i].status, "application/json; charset=utf-8", text);
		if (!strcmp(id, "cae-challenge"))
			answer_header(
				req, "WWW-Authenticate",
				"Bearer realm=\"\", "
				"authorization_uri=\"https://login.microsoftonline.com/common/"
				"oauth2/authorize\", error=\"insufficient_claims\", "
				"claims=\"" CAE_CLAIMS "\"");
		else if (bodies[i].status == 401 && req->vault)
			answer_bearer(req);
		return;
	}
	abort(); /* a name that the table does not have is a mistake in this program */
}

const char *errors_id(const char *id)
{
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++)
		if (!strcmp(bodies[i].id, id))
			return bodies[i].id;
	return NULL;
}

cJSON *errors_list(void)
{
	cJSON *list = cJSON_CreateArray();

	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		cJSON *item = cJSON_CreateObject();

		cJSON_AddStringToObject(item, "id", bodies[i].id);
		cJSON_AddNumberToObject(item, "status", bodies[i].status);
		cJSON_AddStringToObject(item, "body", bodies[i].body);
		cJSON_AddItemToArray(list, item);
	}
	return list;
}
