// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* Causes and what the worker makes of them; identities and how each gets its token. */
#include "kms_harness.h"

#include <stdio.h>
#include <string.h>

#include "common/timeutil.h"

struct cause {
	const char *begin, *end; /* of vaultctl */
	enum cmk_op op;
	enum cmk_reason reason;
	bool new_worker; /* what is cached would hide it */
};

#define UNWRAP CMK_OP_UNWRAP
#define GET    CMK_OP_GET_KEY

static const struct cause causes[] = {
	{ "disable kek", "enable kek", UNWRAP, CMK_KEY_DISABLED, false },
	{ "delete kek --now", "recover kek --now", UNWRAP, CMK_KEY_NOT_FOUND, false },
	{ "delete kek --now", "recover kek --now", GET, CMK_KEY_NOT_FOUND, false },
	{ "role remove", "role restore", UNWRAP, CMK_FORBIDDEN_BY_RBAC, false },
	{ "policy remove", "policy restore", UNWRAP, CMK_FORBIDDEN_BY_POLICY, false },
	{ "key-ops kek encrypt,decrypt", "key-ops kek", UNWRAP, CMK_KEY_OPERATION_FORBIDDEN,
	  false },
	{ "firewall on", "firewall off", UNWRAP, CMK_FORBIDDEN_BY_FIREWALL, false },
	{ "public-access off", "public-access on", GET, CMK_FORBIDDEN_BY_CONNECTION, false },
	{ "throttle", "clear", UNWRAP, CMK_THROTTLED, false },
	{ "throttle --retry-after 7", "clear", GET, CMK_THROTTLED, false },
	{ "status 500", "clear", UNWRAP, CMK_SERVER_ERROR, false },
	{ "status 503", "clear", GET, CMK_SERVER_ERROR, true },
	{ "hang", "clear", UNWRAP, CMK_UNREACHABLE, false },
	{ "hang", "clear", GET, CMK_UNREACHABLE, true },
	{ "reset", "clear", UNWRAP, CMK_UNREACHABLE, false },
	{ "truncate", "clear", UNWRAP, CMK_UNREACHABLE, false },
	{ "garbage", "clear", UNWRAP, CMK_BAD_ANSWER, false },
	{ "huge", "clear", UNWRAP, CMK_BAD_ANSWER, false },
	{ "cut", "restore", UNWRAP, CMK_UNREACHABLE, true },
	{ "certificate wrong-host", "certificate good", UNWRAP, CMK_TLS_FAILED, true },
	{ "certificate expired", "certificate good", UNWRAP, CMK_TLS_FAILED, true },
	{ "certificate untrusted", "certificate good", GET, CMK_TLS_FAILED, true },
	{ "tenant", "tenant back", UNWRAP, CMK_WRONG_TENANT, false },
	{ "answer kv-signing-key-unresolved", "clear", UNWRAP, CMK_TOKEN_REFUSED, false },
	{ "answer kv-signing-key-unresolved --count 1", "clear", UNWRAP, CMK_REASON_OK, false },
	{ "token-expire", "clear", UNWRAP, CMK_REASON_OK, false },
	{ "cae", "clear", UNWRAP, CMK_REASON_OK, false },
	{ "imds absent", "clear", UNWRAP, CMK_IMDS_UNAVAILABLE, true },
	{ "imds gone", "clear", UNWRAP, CMK_IMDS_UNAVAILABLE, true },
	{ "imds error", "clear", UNWRAP, CMK_IMDS_UNAVAILABLE, true },
	{ "imds throttle", "clear", UNWRAP, CMK_THROTTLED, true },
	{ "identity delete system", "identity restore system", UNWRAP, CMK_IDENTITY_GONE, true },
};

/* Each cause gives its reason, and with its end the KEK is valid again. */
void test_causes(void **state)
{
	struct cmk_judgement j;
	int failures = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(causes); i++) {
		const struct cause *c = &causes[i];
		int64_t took;

		if (c->new_worker)
			spawn();
		set_vault(c->begin);
		took = boottime_ms();
		if (c->op == GET)
			get_key(KEK, &j);
		else
			prove(KEK, false, &j);
		took = boottime_ms() - took;
		print_message("# %-44s %-22s %5lld ms  %.90s\n", c->begin,
			      cmk_reason_name(j.reason), (long long)took, j.detail);
		if (j.reason != c->reason || took > TOTAL_MS + 1500) {
			print_error("%s: expected %s\n", c->begin, cmk_reason_name(c->reason));
			failures++;
		}
		set_vault(c->end);
		if (!prove(KEK, false, &j)) {
			print_error("%s: not valid after %s: %s\n", c->begin, c->end, j.detail);
			failures++;
		}
	}
	assert_int_equal(failures, 0);
}

void test_retry_after(void **state)
{
	struct cmk_judgement j;

	(void)state;
	set_vault("throttle --retry-after 7");
	get_key(KEK, &j);
	assert_int_equal(j.retry_after_s, 7);
	set_vault("clear");
	set_vault("throttle");
	get_key(KEK, &j);
	assert_int_equal(j.retry_after_s, -1);
	set_vault("clear");
}

/* The service itself unwraps with expired and future keys: the attributes must come through. */
void test_attributes(void **state)
{
	static const struct {
		const char *begin, *end;
		enum cmk_reason reason;
	} table[] = {
		{ "disable kek", "enable kek", CMK_KEY_DISABLED },
		{ "expire kek", "no-dates kek", CMK_KEY_EXPIRED },
		{ "not-yet-valid kek", "no-dates kek", CMK_KEY_NOT_YET_VALID },
		{ "key-ops kek encrypt", "key-ops kek", CMK_KEY_OPERATION_FORBIDDEN },
	};
	struct cmk_judgement j;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct cmk_kms_answer an;

		set_vault(table[i].begin);
		an = get_key(KEK, &j);
		set_vault(table[i].end);
		assert_int_equal(j.reason, CMK_REASON_OK);
		cmk_judge_attributes(&an.attributes, realtime_s(), &j);
		assert_int_equal(j.reason, table[i].reason);
	}
}

#define TENANT "a0000000-0000-4000-8000-000000000001"
#define APP    "tenant=" TENANT ",client_id=c0000000-0000-4000-8000-000000000004"
#define RESOURCE_ID                                                                                \
	"/subscriptions/00000000-0000-0000-0000-000000000000/resourcegroups/test/providers/"       \
	"Microsoft.ManagedIdentity/userAssignedIdentities/user"

/* Every kind of identity gets its token; a wrong or missing credential says what is wrong. */
void test_identities(void **state)
{
	static const struct {
		const char *identity;
		enum cmk_reason reason;
	} table[] = {
		{ "managed", CMK_REASON_OK },
		{ "managed:client_id=c0000000-0000-4000-8000-000000000002", CMK_REASON_OK },
		{ "managed:object_id=b0000000-0000-4000-8000-000000000002", CMK_REASON_OK },
		{ "managed:resource_id=" RESOURCE_ID, CMK_REASON_OK },
		{ "managed:client_id=c0000000-0000-4000-8000-00000000000f", CMK_IDENTITY_GONE },
		{ "arc", CMK_REASON_OK },
		{ "principal:" APP ",credential=secret", CMK_REASON_OK },
		{ "principal:" APP ",credential=certificate", CMK_REASON_OK },
		{ "principal:" APP ",credential=wrong", CMK_CREDENTIAL_REFUSED },
		{ "principal:" APP ",credential=missing", CMK_CREDENTIAL_REFUSED },
		{ "principal:tenant=" TENANT
		  ",client_id=c0000000-0000-4000-8000-00000000000f,credential=secret",
		  CMK_IDENTITY_GONE },
		{ "principal:tenant=b0000000-0000-4000-8000-000000000001,"
		  "client_id=c0000000-0000-4000-8000-000000000004,credential=secret",
		  CMK_CREDENTIAL_REFUSED },
		{ "workload:" APP, CMK_REASON_OK },
	};
	int failures = 0;

	(void)state;
	spawn();
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct cmk_kms_request rq = request(GET, KEK);
		struct cmk_kms_answer an;
		struct cmk_judgement j;

		assert_int_equal(cmk_identity_parse(table[i].identity, &rq.identity, NULL), 0);
		ask(&rq, &an, &j);
		print_message("# %-60.60s %-18s %.80s\n", table[i].identity,
			      cmk_reason_name(j.reason), j.detail);
		failures += j.reason != table[i].reason;
	}
	assert_int_equal(failures, 0);
}

/* The claims of a challenge reach the token endpoint of every kind. */
void test_claims(void **state)
{
	static const char *const identities[] = { "managed",
						  "principal:" APP ",credential=secret" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(identities); i++) {
		struct cmk_kms_request rq = request(GET, KEK);
		struct cmk_kms_answer an;
		struct cmk_judgement j;

		assert_int_equal(cmk_identity_parse(identities[i], &rq.identity, NULL), 0);
		spawn();
		set_vault("cae");
		ask(&rq, &an, &j);
		set_vault("clear");
		assert_int_equal(j.reason, CMK_REASON_OK);
	}
}
