// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* Evidence and its verdict: the table of the services' answers by cause, and what must never lock
 * or open. */
#include "unit.h"

#include "common/verdict.h"

#define VAULT CMK_SOURCE_VAULT
#define ENTRA CMK_SOURCE_ENTRA
#define IMDS  CMK_SOURCE_IMDS

/* clang-format off */
static const struct {
	enum cmk_source source;
	enum cmk_transport transport;
	int status;
	bool parsed;
	const char *code, *inner;
	enum cmk_verdict verdict;
	enum cmk_reason reason;
} rows[] = {
	{ VAULT, CMK_TRANSPORT_OK, 200, true, "", "", CMK_VALID, CMK_REASON_OK },
	{ VAULT, CMK_TRANSPORT_OK, 200, false, "", "", CMK_UNKNOWN, CMK_BAD_ANSWER },
	{ VAULT, CMK_TRANSPORT_OK, 400, true, "BadParameter", "", CMK_MISCONFIGURED, CMK_BAD_REQUEST },
	{ VAULT, CMK_TRANSPORT_OK, 400, false, "", "", CMK_UNKNOWN, CMK_BAD_ANSWER },
	{ VAULT, CMK_TRANSPORT_OK, 401, true, "Unauthorized", "AKV10032", CMK_MISCONFIGURED, CMK_WRONG_TENANT },
	{ VAULT, CMK_TRANSPORT_OK, 401, true, "Unauthorized", "AKV10000", CMK_UNKNOWN, CMK_TOKEN_REFUSED },
	{ VAULT, CMK_TRANSPORT_OK, 401, false, "", "AKV10046", CMK_UNKNOWN, CMK_TOKEN_REFUSED },
	{ VAULT, CMK_TRANSPORT_OK, 401, false, "", "", CMK_UNKNOWN, CMK_TOKEN_REFUSED },
	{ VAULT, CMK_TRANSPORT_OK, 403, true, "Forbidden", "KeyDisabled", CMK_REVOKED, CMK_KEY_DISABLED },
	{ VAULT, CMK_TRANSPORT_OK, 403, true, "Forbidden", "KeyOperationForbidden", CMK_REVOKED,
	  CMK_KEY_OPERATION_FORBIDDEN },
	{ VAULT, CMK_TRANSPORT_OK, 403, true, "Forbidden", "ForbiddenByRbac", CMK_REVOKED, CMK_FORBIDDEN_BY_RBAC },
	{ VAULT, CMK_TRANSPORT_OK, 403, true, "Forbidden", "ForbiddenByPolicy", CMK_REVOKED, CMK_FORBIDDEN_BY_POLICY },
	{ VAULT, CMK_TRANSPORT_OK, 403, true, "Forbidden", "ForbiddenByFirewall", CMK_DENIED,
	  CMK_FORBIDDEN_BY_FIREWALL },
	{ VAULT, CMK_TRANSPORT_OK, 403, true, "Forbidden", "ForbiddenByConnection", CMK_DENIED,
	  CMK_FORBIDDEN_BY_CONNECTION },
	{ VAULT, CMK_TRANSPORT_OK, 403, true, "AccessDenied", "", CMK_REVOKED, CMK_FORBIDDEN_BY_RBAC },
	{ VAULT, CMK_TRANSPORT_OK, 403, true, "Forbidden", "AccessDenied", CMK_REVOKED, CMK_FORBIDDEN_BY_RBAC },
	{ VAULT, CMK_TRANSPORT_OK, 403, true, "Forbidden", "NewAndUnheardOf", CMK_REVOKED, CMK_FORBIDDEN },
	/* a proxy's page is not the vault's word */
	{ VAULT, CMK_TRANSPORT_OK, 403, false, "", "", CMK_UNKNOWN, CMK_BAD_ANSWER },
	{ VAULT, CMK_TRANSPORT_OK, 404, true, "KeyNotFound", "", CMK_REVOKED, CMK_KEY_NOT_FOUND },
	{ VAULT, CMK_TRANSPORT_OK, 404, false, "", "", CMK_UNKNOWN, CMK_BAD_ANSWER },
	{ VAULT, CMK_TRANSPORT_OK, 404, true, "SomethingElse", "", CMK_UNKNOWN, CMK_BAD_ANSWER },
	{ VAULT, CMK_TRANSPORT_OK, 408, false, "", "", CMK_UNKNOWN, CMK_UNREACHABLE },
	{ VAULT, CMK_TRANSPORT_OK, 409, true, "Conflict", "ObjectIsBeingDeleted", CMK_MISCONFIGURED, CMK_BAD_REQUEST },
	{ VAULT, CMK_TRANSPORT_OK, 429, true, "Throttled", "VaultRequestTypeLimitReached", CMK_UNKNOWN, CMK_THROTTLED },
	{ VAULT, CMK_TRANSPORT_OK, 429, false, "", "", CMK_UNKNOWN, CMK_THROTTLED },
	{ VAULT, CMK_TRANSPORT_OK, 500, true, "InternalServerError", "", CMK_UNKNOWN, CMK_SERVER_ERROR },
	{ VAULT, CMK_TRANSPORT_OK, 503, false, "", "", CMK_UNKNOWN, CMK_SERVER_ERROR },
	{ VAULT, CMK_TRANSPORT_OK, 599, false, "", "", CMK_UNKNOWN, CMK_SERVER_ERROR },
	{ VAULT, CMK_TRANSPORT_OK, 302, false, "", "", CMK_UNKNOWN, CMK_BAD_ANSWER },
	{ VAULT, CMK_TRANSPORT_OK, 204, false, "", "", CMK_UNKNOWN, CMK_BAD_ANSWER },
	/* an inner code counts with its status only */
	{ VAULT, CMK_TRANSPORT_OK, 500, true, "Forbidden", "KeyDisabled", CMK_UNKNOWN, CMK_SERVER_ERROR },
	{ VAULT, CMK_TRANSPORT_OK, 401, true, "KeyNotFound", "KeyDisabled", CMK_UNKNOWN, CMK_TOKEN_REFUSED },

	{ VAULT, CMK_TRANSPORT_DNS, 0, false, "", "", CMK_UNKNOWN, CMK_DNS_FAILED },
	{ VAULT, CMK_TRANSPORT_CONNECT, 0, false, "", "", CMK_UNKNOWN, CMK_UNREACHABLE },
	{ VAULT, CMK_TRANSPORT_TLS, 0, false, "", "", CMK_UNKNOWN, CMK_TLS_FAILED },
	{ VAULT, CMK_TRANSPORT_TIMEOUT, 0, false, "", "", CMK_UNKNOWN, CMK_UNREACHABLE },
	{ VAULT, CMK_TRANSPORT_RESET, 0, false, "", "", CMK_UNKNOWN, CMK_UNREACHABLE },
	{ VAULT, CMK_TRANSPORT_TOO_LARGE, 0, false, "", "", CMK_UNKNOWN, CMK_BAD_ANSWER },
	{ VAULT, CMK_TRANSPORT_NOT_PINNED, 0, false, "", "", CMK_MISCONFIGURED, CMK_NOT_PINNED },
	{ VAULT, CMK_TRANSPORT_WRONG_RESOURCE, 0, false, "", "", CMK_MISCONFIGURED, CMK_WRONG_RESOURCE },
	{ VAULT, CMK_TRANSPORT_WORKER, 0, false, "", "", CMK_UNKNOWN, CMK_WORKER_FAILED },
	{ ENTRA, CMK_TRANSPORT_DNS, 0, false, "", "", CMK_UNKNOWN, CMK_DNS_FAILED },
	{ ENTRA, CMK_TRANSPORT_TLS, 0, false, "", "", CMK_UNKNOWN, CMK_TLS_FAILED },
	{ ENTRA, CMK_TRANSPORT_TIMEOUT, 0, false, "", "", CMK_UNKNOWN, CMK_UNREACHABLE },
	{ ENTRA, CMK_TRANSPORT_CREDENTIAL, 0, false, "", "", CMK_MISCONFIGURED, CMK_CREDENTIAL_REFUSED },
	{ IMDS, CMK_TRANSPORT_CONNECT, 0, false, "", "", CMK_UNKNOWN, CMK_IMDS_UNAVAILABLE },
	{ IMDS, CMK_TRANSPORT_TIMEOUT, 0, false, "", "", CMK_UNKNOWN, CMK_IMDS_UNAVAILABLE },
	{ IMDS, CMK_TRANSPORT_RESET, 0, false, "", "", CMK_UNKNOWN, CMK_IMDS_UNAVAILABLE },
	{ IMDS, CMK_TRANSPORT_DNS, 0, false, "", "", CMK_UNKNOWN, CMK_IMDS_UNAVAILABLE },
	{ IMDS, CMK_TRANSPORT_WORKER, 0, false, "", "", CMK_UNKNOWN, CMK_WORKER_FAILED },
	{ IMDS, CMK_TRANSPORT_CREDENTIAL, 0, false, "", "", CMK_MISCONFIGURED, CMK_CREDENTIAL_REFUSED },

	{ ENTRA, CMK_TRANSPORT_OK, 400, true, "unauthorized_client", "AADSTS700016", CMK_DENIED, CMK_IDENTITY_GONE },
	{ ENTRA, CMK_TRANSPORT_OK, 401, true, "invalid_client", "AADSTS7000229", CMK_DENIED, CMK_IDENTITY_GONE },
	{ ENTRA, CMK_TRANSPORT_OK, 0, false, "", "AADSTS7000112", CMK_DENIED, CMK_IDENTITY_GONE },
	{ ENTRA, CMK_TRANSPORT_OK, 401, true, "invalid_client", "AADSTS7000215", CMK_MISCONFIGURED,
	  CMK_CREDENTIAL_REFUSED },
	{ ENTRA, CMK_TRANSPORT_OK, 400, true, "invalid_request", "AADSTS90002", CMK_MISCONFIGURED,
	  CMK_CREDENTIAL_REFUSED },
	{ ENTRA, CMK_TRANSPORT_OK, 429, false, "", "", CMK_UNKNOWN, CMK_THROTTLED },
	{ ENTRA, CMK_TRANSPORT_OK, 502, false, "", "", CMK_UNKNOWN, CMK_SERVER_ERROR },
	{ ENTRA, CMK_TRANSPORT_OK, 400, true, "temporarily_unavailable", "AADSTS90033", CMK_UNKNOWN, CMK_SERVER_ERROR },
	{ ENTRA, CMK_TRANSPORT_OK, 400, false, "", "", CMK_UNKNOWN, CMK_BAD_ANSWER },
	{ ENTRA, CMK_TRANSPORT_OK, 200, false, "", "", CMK_UNKNOWN, CMK_BAD_ANSWER },

	{ IMDS, CMK_TRANSPORT_OK, 200, true, "", "", CMK_VALID, CMK_REASON_OK },
	{ IMDS, CMK_TRANSPORT_OK, 200, false, "", "", CMK_UNKNOWN, CMK_BAD_ANSWER },
	{ IMDS, CMK_TRANSPORT_OK, 400, true, "invalid_request", "", CMK_DENIED, CMK_IDENTITY_GONE },
	{ IMDS, CMK_TRANSPORT_OK, 400, true, "bad_request_102", "", CMK_MISCONFIGURED, CMK_BAD_REQUEST },
	{ IMDS, CMK_TRANSPORT_OK, 403, false, "", "", CMK_MISCONFIGURED, CMK_BAD_REQUEST },
	{ IMDS, CMK_TRANSPORT_OK, 404, false, "", "", CMK_UNKNOWN, CMK_IMDS_UNAVAILABLE },
	{ IMDS, CMK_TRANSPORT_OK, 410, false, "", "", CMK_UNKNOWN, CMK_IMDS_UNAVAILABLE },
	{ IMDS, CMK_TRANSPORT_OK, 429, false, "", "", CMK_UNKNOWN, CMK_THROTTLED },
	{ IMDS, CMK_TRANSPORT_OK, 500, false, "", "", CMK_UNKNOWN, CMK_IMDS_UNAVAILABLE },
};
/* clang-format on */

static struct cmk_evidence evidence(size_t i)
{
	struct cmk_evidence ev = {
		.source = rows[i].source,
		.transport = rows[i].transport,
		.http_status = rows[i].status,
		.parsed = rows[i].parsed,
		.message = "what the service says",
		.request_id = "the-request",
		.retry_after_s = 7,
	};

	snprintf(ev.code, sizeof(ev.code), "%s", rows[i].code);
	snprintf(ev.inner, sizeof(ev.inner), "%s", rows[i].inner);
	return ev;
}

static void each_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cmk_evidence ev = evidence(i);
		struct cmk_judgement j;

		cmk_judge(&ev, &j);
		if (j.verdict != rows[i].verdict || j.reason != rows[i].reason)
			fail_msg("row %zu (%d %s/%s): %s, %s", i, rows[i].status, rows[i].code,
				 rows[i].inner, cmk_verdict_name(j.verdict),
				 cmk_reason_name(j.reason));
		assert_true(strstr(j.detail, "what the service says"));
		assert_true(strstr(j.detail, rows[i].code) && strstr(j.detail, rows[i].inner));
		assert_string_equal(j.request_id, "the-request");
		assert_int_equal(j.retry_after_s, 7);
	}
}

/* Whatever an answer says: valid is a parsed 200 alone, revoked a parsed 403 or 404 of the vault
 * alone. */
static void nothing_else(void **state)
{
	(void)state;
	for (int status = 0; status < 1000; status++) {
		for (int source = 0; source < CMK_SOURCES; source++) {
			for (int parsed = 0; parsed < 2; parsed++) {
				struct cmk_evidence ev = { .source = source,
							   .http_status = status,
							   .parsed = parsed,
							   .code = "KeyNotFound",
							   .inner = "KeyDisabled" };
				struct cmk_judgement j;

				cmk_judge(&ev, &j);
				assert_int_equal(j.verdict == CMK_VALID, status == 200 && parsed);
				if (j.verdict == CMK_REVOKED)
					assert_true(source == VAULT && parsed &&
						    (status == 403 || status == 404));
			}
		}
	}
}

static void out_of_range(void **state)
{
	struct cmk_evidence ev = { .source = 99, .http_status = 200, .parsed = true };
	struct cmk_judgement j;

	(void)state;
	cmk_judge(&ev, &j);
	assert_int_equal(j.reason, CMK_WORKER_FAILED);
	ev = (struct cmk_evidence){ .transport = 99 };
	cmk_judge(&ev, &j);
	assert_int_equal(j.reason, CMK_WORKER_FAILED);
}

static void attributes(void **state)
{
	static const struct {
		struct cmk_key_attributes at;
		enum cmk_reason reason;
	} table[] = {
		{ { true, 0, 0, true, true }, CMK_REASON_OK },
		{ { true, 0, 0, false, true }, CMK_REASON_OK },
		{ { false, 0, 0, true, true }, CMK_KEY_DISABLED },
		{ { true, 1001, 0, true, true }, CMK_KEY_NOT_YET_VALID },
		{ { true, 1000, 0, true, true }, CMK_REASON_OK },
		{ { true, 0, 1000, true, true }, CMK_KEY_EXPIRED },
		{ { true, 0, 1001, true, true }, CMK_REASON_OK },
		{ { true, 0, 0, true, false }, CMK_KEY_OPERATION_FORBIDDEN },
		{ { false, 2000, 500, false, false }, CMK_KEY_DISABLED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct cmk_judgement j;

		cmk_judge_attributes(&table[i].at, 1000, &j);
		assert_int_equal(j.reason, table[i].reason);
		assert_int_equal(j.verdict, table[i].reason ? CMK_REVOKED : CMK_VALID);
		assert_int_equal(j.detail[0] != '\0', table[i].reason != CMK_REASON_OK);
	}
}

/* Each reason is complete, its name a word that the kernel takes, and some row leads to it. */
static void reasons(void **state)
{
	bool reached[CMK_REASONS] = {
		[CMK_PROOF_FAILED] = true, /* made by who compares the proof */
		[CMK_KEY_EXPIRED] = true,  /* of the attributes, above */
		[CMK_KEY_NOT_YET_VALID] = true,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		reached[rows[i].reason] = true;
	for (int r = 0; r < CMK_REASONS; r++) {
		const char *name = cmk_reason_name(r);

		assert_true(reached[r]);
		assert_true(strlen(name) >= 2 && strlen(name) <= 32);
		assert_int_equal(
			strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
			strlen(name));
		assert_true(cmk_reason_text(r)[0]);
		assert_int_equal(cmk_reason_remedy(r)[0] != '\0', r != CMK_REASON_OK);
		assert_int_equal(cmk_reason_from_name(name), r);
		assert_int_equal(cmk_reason_verdict(r) == CMK_VALID, r == CMK_REASON_OK);
	}
	assert_int_equal(cmk_reason_from_name("LeaseExpired"), CMK_REASONS);
	assert_int_equal(cmk_reason_from_name(""), CMK_REASONS);
}

static void exits(void **state)
{
	(void)state;
	assert_int_equal(cmk_verdict_exit(CMK_VALID), 0);
	assert_int_equal(cmk_verdict_exit(CMK_REVOKED), 10);
	assert_int_equal(cmk_verdict_exit(CMK_UNKNOWN), 11);
	assert_int_equal(cmk_verdict_exit(CMK_DENIED), 12);
	assert_int_equal(cmk_verdict_exit(CMK_MISCONFIGURED), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row),	cmocka_unit_test(nothing_else),
		cmocka_unit_test(out_of_range), cmocka_unit_test(attributes),
		cmocka_unit_test(reasons),	cmocka_unit_test(exits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
