// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* Bodies as the services send them, read and judged; and bodies that are none of theirs. */
#include "unit.h"

#include "kms/evidence.h"

#define VAULT CMK_SOURCE_VAULT
#define ENTRA CMK_SOURCE_ENTRA
#define IMDS  CMK_SOURCE_IMDS

static const struct {
	enum cmk_source source;
	int status;
	const char *body;
	bool parsed;
	const char *code, *inner, *message;
	enum cmk_reason reason;
} bodies[] = {
	{ VAULT, 401,
	  "{\"error\":{\"code\":\"Unauthorized\",\"message\":\"AKV10000: Request is missing a "
	  "Bearer or PoP "
	  "token.\"}}",
	  true, "Unauthorized", "AKV10000", "AKV10000: Request is missing a Bearer or PoP token.",
	  CMK_TOKEN_REFUSED },
	{ VAULT, 401, "", false, "", "", "", CMK_TOKEN_REFUSED },
	{ VAULT, 401, "OK", false, "", "", "OK", CMK_TOKEN_REFUSED },
	{ VAULT, 401, "Token not yet valid (Activity ID: 1)", false, "", "",
	  "Token not yet valid (Activity ID: 1)", CMK_TOKEN_REFUSED },
	{ VAULT, 401, "AKV10046: Unable to resolve the key", false, "", "AKV10046",
	  "AKV10046: Unable to resolve the key", CMK_TOKEN_REFUSED },
	{ VAULT, 401,
	  "{\"error\":{\"code\":\"Unauthorized\",\"message\":\"AKV10032: Invalid issuer. Expected "
	  "one of x\"}}",
	  true, "Unauthorized", "AKV10032", "AKV10032: Invalid issuer. Expected one of x",
	  CMK_WRONG_TENANT },
	{ VAULT, 401,
	  "{\"error\":{\"code\":\"Unauthorized\",\"message\":\"[TokenExpired] Error validating "
	  "token: "
	  "'S2S12086'.\"}}",
	  true, "Unauthorized", "", "[TokenExpired] Error validating token: 'S2S12086'.",
	  CMK_TOKEN_REFUSED },
	{ VAULT, 403,
	  "{\"error\":{\"code\":\"Forbidden\",\"message\":\"Operation unwrapKey is not allowed on "
	  "a disabled "
	  "key.\",\"innererror\":{\"code\":\"KeyDisabled\"}}}",
	  true, "Forbidden", "KeyDisabled", "Operation unwrapKey is not allowed on a disabled key.",
	  CMK_KEY_DISABLED },
	/* only the first line of a long text */
	{ VAULT, 403,
	  "{\"error\":{\"code\":\"Forbidden\",\"message\":\"Caller is not authorized.\\r\\nCaller: "
	  "appid=1\","
	  "\"innererror\":{\"code\":\"ForbiddenByRbac\"}}}",
	  true, "Forbidden", "ForbiddenByRbac", "Caller is not authorized.",
	  CMK_FORBIDDEN_BY_RBAC },
	{ VAULT, 403, "(AccessDenied) Not authorized to access x on / (Activity ID: 1)", true,
	  "AccessDenied", "", "(AccessDenied) Not authorized to access x on / (Activity ID: 1)",
	  CMK_FORBIDDEN_BY_RBAC },
	{ VAULT, 404,
	  "{\"error\":{\"code\":\"KeyNotFound\",\"message\":\"A key with (name/id) x was not found "
	  "in this key "
	  "vault.\"}}",
	  true, "KeyNotFound", "", "A key with (name/id) x was not found in this key vault.",
	  CMK_KEY_NOT_FOUND },
	{ VAULT, 429,
	  "{\"error\":{\"code\":\"Throttled\",\"message\":\"Request was not processed because too "
	  "many requests "
	  "were received. Reason: VaultRequestTypeLimitReached\"}}",
	  true, "Throttled", "VaultRequestTypeLimitReached",
	  "Request was not processed because too many requests were received. Reason: "
	  "VaultRequestTypeLimitReached",
	  CMK_THROTTLED },
	/* an answer of someone on the way */
	{ VAULT, 403, "<html><body>Forbidden by policy</body></html>", false, "", "",
	  "<html><body>Forbidden by policy</body></html>", CMK_BAD_ANSWER },
	{ VAULT, 404, "{\"message\":\"KeyNotFound\"}", false, "", "", "", CMK_BAD_ANSWER },
	{ VAULT, 403, "{\"error\":\"Forbidden\"}", false, "", "", "", CMK_BAD_ANSWER },
	{ VAULT, 403, "{\"error\":{\"code\":7}}", false, "", "", "", CMK_BAD_ANSWER },
	{ VAULT, 404, "{\"error\":{\"code\":\"KeyNotFound\"}} trailing", false, "", "",
	  "{\"error\":{\"code\":\"KeyNotFound\"}} trailing", CMK_BAD_ANSWER },
	{ VAULT, 404, "[{\"error\":{\"code\":\"KeyNotFound\"}}]", false, "", "",
	  "[{\"error\":{\"code\":\"KeyNotFound\"}}]", CMK_BAD_ANSWER },
	/* what a terminal must not see */
	{ VAULT, 403, "{\"error\":{\"code\":\"For\\u001b[31mbidden\",\"message\":\"\\u00e4\\tb\"}}",
	  true, "For?[31mbidden", "", "???b", CMK_FORBIDDEN },

	{ ENTRA, 400,
	  "{\"error_description\":\"AADSTS700016: Application with identifier 'x' was not "
	  "found.\\r\\nTrace ID: "
	  "1\",\"error\":\"unauthorized_client\"}",
	  true, "unauthorized_client", "AADSTS700016",
	  "AADSTS700016: Application with identifier 'x' was not found.", CMK_IDENTITY_GONE },
	{ ENTRA, 401,
	  "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000229: no principal\"}",
	  true, "invalid_client", "AADSTS7000229", "AADSTS7000229: no principal",
	  CMK_IDENTITY_GONE },
	{ ENTRA, 401, "AADSTS7000112: Application is disabled", false, "", "AADSTS7000112",
	  "AADSTS7000112: Application is disabled", CMK_IDENTITY_GONE },
	{ ENTRA, 401,
	  "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: Invalid secret\"}",
	  true, "invalid_client", "AADSTS7000215", "AADSTS7000215: Invalid secret",
	  CMK_CREDENTIAL_REFUSED },
	{ ENTRA, 400,
	  "{\"error\":\"invalid_request\",\"error_description\":\"AADSTS90002: Tenant\"}", true,
	  "invalid_request", "AADSTS90002", "AADSTS90002: Tenant", CMK_CREDENTIAL_REFUSED },

	{ IMDS, 400, "{\"error\":\"invalid_request\",\"error_description\":\"Identity not found\"}",
	  true, "invalid_request", "", "Identity not found", CMK_IDENTITY_GONE },
	{ IMDS, 400, "error=bad_request_102 \"Required metadata header not specified\"", true,
	  "bad_request_102", "", "error=bad_request_102 \"Required metadata header not specified\"",
	  CMK_BAD_REQUEST },
	{ IMDS, 410, "", false, "", "", "", CMK_IMDS_UNAVAILABLE },
};

static void each_body(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		struct cmk_evidence ev = { .retry_after_s = -1 };
		struct cmk_judgement j;

		evidence_from_answer(bodies[i].source, bodies[i].status, bodies[i].body,
				     strlen(bodies[i].body), &ev);
		assert_int_equal(ev.source, bodies[i].source);
		assert_int_equal(ev.http_status, bodies[i].status);
		assert_string_equal(ev.code, bodies[i].code);
		assert_string_equal(ev.inner, bodies[i].inner);
		assert_string_equal(ev.message, bodies[i].message);
		cmk_judge(&ev, &j);
		if (ev.parsed != bodies[i].parsed || j.reason != bodies[i].reason)
			fail_msg("%d %s: parsed %d, %s", bodies[i].status, bodies[i].body,
				 ev.parsed, cmk_reason_name(j.reason));
	}
}

/* Cut anywhere, a body is never read beyond its end, and never means more than it said. */
static void cut_bodies(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		size_t len = strlen(bodies[i].body);

		for (size_t n = 0; n < len; n++) {
			struct cmk_evidence ev = { 0 };
			char *copy = malloc(n ? n : 1);

			memcpy(copy, bodies[i].body, n);
			evidence_from_answer(bodies[i].source, bodies[i].status, copy, n, &ev);
			if (bodies[i].body[0] == '{' && bodies[i].parsed)
				assert_false(ev.parsed);
			free(copy);
		}
	}
}

/* Longer than the fields: cut, with an end. */
static void long_texts(void **state)
{
	static char body[4096];
	struct cmk_evidence ev = { 0 };

	(void)state;
	snprintf(body, sizeof(body),
		 "{\"error\":{\"code\":\"%0500d\",\"message\":\"%01000d\",\"innererror\":{\"code\":"
		 "\"%0500d\"}}}",
		 1, 2, 3);
	evidence_from_answer(VAULT, 403, body, strlen(body), &ev);
	assert_true(ev.parsed);
	assert_int_equal(strlen(ev.code), sizeof(ev.code) - 1);
	assert_int_equal(strlen(ev.inner), sizeof(ev.inner) - 1);
	assert_int_equal(strlen(ev.message), sizeof(ev.message) - 1);
}

static void nul_inside(void **state)
{
	static const char body[] = "{\"error\":{\"code\":\"KeyNotFound\"}}\0{";
	struct cmk_evidence ev = { 0 };

	(void)state;
	evidence_from_answer(VAULT, 404, body, sizeof(body) - 1, &ev);
	assert_false(ev.parsed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_body),
		cmocka_unit_test(cut_bodies),
		cmocka_unit_test(long_texts),
		cmocka_unit_test(nul_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
