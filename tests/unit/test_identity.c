// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* Identities: the text form there and back, and what is none. */
#include "unit.h"

#include "common/identity.h"

#define G "c0000000-0000-4000-8000-000000000001"
#define T "a0000000-0000-4000-8000-000000000001"

static void accepts(void **state)
{
	static const struct {
		const char *text, *canonical; /* NULL: the same */
		enum cmk_identity_kind kind;
		enum cmk_identity_selector selector;
	} table[] = {
		{ "managed", NULL, CMK_IDENTITY_MANAGED, CMK_SELECT_SYSTEM },
		{ "managed:client_id=" G, NULL, CMK_IDENTITY_MANAGED, CMK_SELECT_CLIENT_ID },
		{ "managed:object_id=" G, NULL, CMK_IDENTITY_MANAGED, CMK_SELECT_OBJECT_ID },
		{ "managed:client_id=C0000000-0000-4000-8000-00000000000A",
		  "managed:client_id=c0000000-0000-4000-8000-00000000000a", CMK_IDENTITY_MANAGED,
		  CMK_SELECT_CLIENT_ID },
		{ "managed:resource_id=/subscriptions/s/resourceGroups/r_(1)/providers/"
		  "Microsoft.ManagedIdentity/userAssignedIdentities/u",
		  NULL, CMK_IDENTITY_MANAGED, CMK_SELECT_RESOURCE_ID },
		{ "arc", NULL, CMK_IDENTITY_ARC, CMK_SELECT_SYSTEM },
		{ "workload:tenant=" T ",client_id=" G, NULL, CMK_IDENTITY_WORKLOAD,
		  CMK_SELECT_SYSTEM },
		{ "workload:client_id=" G ",tenant=" T, "workload:tenant=" T ",client_id=" G,
		  CMK_IDENTITY_WORKLOAD, CMK_SELECT_SYSTEM },
		{ "principal:tenant=" T ",client_id=" G ",credential=kek.secret", NULL,
		  CMK_IDENTITY_PRINCIPAL, CMK_SELECT_SYSTEM },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct cmk_error err = { 0 };
		struct cmk_identity id;
		char text[512];

		if (cmk_identity_parse(table[i].text, &id, &err) < 0)
			fail_msg("%s: %s", table[i].text, err.text);
		assert_int_equal(id.kind, table[i].kind);
		assert_int_equal(id.selector, table[i].selector);
		assert_string_equal(cmk_identity_format(&id, text, sizeof(text)),
				    table[i].canonical ? table[i].canonical : table[i].text);
	}
}

static void refuses(void **state)
{
	static const char *const table[] = {
		"",
		"manage",
		"managed ",
		"Managed",
		"managed:",
		"managed,client_id=" G,
		"managed:client_id=",
		"managed:client_id=" G "0",
		"managed:client_id=c0000000x0000-4000-8000-000000000001",
		"managed:client_id=" G ",object_id=" G,
		"managed:client_id=" G ",client_id=" G,
		"managed:client_id=" G ",",
		"managed:tenant=" T,
		"managed:resource_id=subscriptions",
		"managed:resource_id=/a b",
		"managed:resource_id=/a&client_id=x",
		"managed:foo=bar",
		"arc:client_id=" G,
		"workload",
		"workload:tenant=" T,
		"workload:client_id=" G,
		"workload:tenant=" T ",client_id=" G ",credential=x",
		"principal:tenant=" T ",client_id=" G,
		"principal:tenant=" T ",client_id=" G ",credential=../secret",
		"principal:tenant=" T ",client_id=" G ",credential=",
		"principal:tenant=" T ",client_id=" G ",credential=.x",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct cmk_error err = { 0 };
		struct cmk_identity id;

		if (cmk_identity_parse(table[i], &id, &err) != -EINVAL)
			fail_msg("accepted: %s", table[i]);
		assert_int_equal(err.exit, CMK_EXIT_USAGE);
		assert_true(err.text[0] && err.remedy[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts),
		cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
