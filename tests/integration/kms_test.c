// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The real cmk-kms, driven as the root side drives it, against the test vault that
 * tests/integration/kms.sh starts. Each test says what the services do, asks the worker, and
 * compares what comes back.
 */
#include "kms_harness.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/timeutil.h"

/* A GET tells all that the root side needs to know of the KEK. */
static void test_get_key(void **state)
{
	struct cmk_judgement j;
	struct cmk_kms_answer an = get_key(KEK, &j);
	char versioned[300], url[512];

	(void)state;
	assert_int_equal(j.verdict, CMK_VALID);
	assert_string_equal(an.kty, "RSA");
	assert_int_equal(an.n_len, 256);
	assert_int_equal(an.e_len, 3);
	assert_true(an.attributes.enabled && an.attributes.op_wrap && an.attributes.op_unwrap);
	assert_string_equal(an.region, "westeurope");
	assert_string_equal(an.tenant, "a0000000-0000-4000-8000-000000000001");
	assert_true(llabs(an.server_time - realtime_s()) <= 2);
	assert_int_equal(strlen(an.evidence.request_id), 36);
	assert_int_equal(strlen(an.key.version), 32);
	snprintf(versioned, sizeof(versioned), "%s/%s", KEK, an.key.version);
	assert_string_equal(cmk_keyid_format(&an.key, url, sizeof(url)), versioned);
	an = get_key(versioned, &j);
	assert_int_equal(j.verdict, CMK_VALID);
	an = get_key("https://contoso.managedhsm.azure.net/keys/kek", &j);
	assert_int_equal(j.verdict, CMK_VALID);
	assert_int_equal(an.n_len, 384);
	assert_string_equal(an.kty, "RSA-HSM");
}

static void test_unwrap(void **state)
{
	struct cmk_judgement j;

	(void)state;
	assert_true(prove(KEK, false, &j));
	assert_int_equal(j.verdict, CMK_VALID);
}

static void test_region(void **state)
{
	struct cmk_kms_request rq = { .op = CMK_OP_HOST_REGION };
	struct cmk_kms_answer an;
	struct cmk_judgement j;

	(void)state;
	ask(&rq, &an, &j);
	assert_int_equal(j.verdict, CMK_VALID);
	assert_string_equal(an.region, "westeurope");
}

/* One challenge to each vault, one token to each identity, one connection: a proof costs one
 * request. */
static void test_manners(void **state)
{
	struct cmk_judgement j;

	(void)state;
	spawn();
	set_vault("log clear");
	for (int i = 0; i < 10; i++)
		assert_true(prove(KEK, false, &j));
	assert_int_equal(count("--on unwrap"), 11);
	assert_int_equal(count("--on imds-token"), 1);
	assert_true(prove(KEK, true, &j));
	assert_int_equal(count("--on imds-token"), 2);
}

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
static void test_causes(void **state)
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
		if (j.reason != c->reason || took > TOTAL_MS + 500) {
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

static void test_retry_after(void **state)
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
static void test_attributes(void **state)
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

/* A 200 with other bytes than were wrapped proves nothing. */
static void test_lying_vault(void **state)
{
	struct cmk_judgement j;

	(void)state;
	set_vault("wrong-answer");
	assert_false(prove(KEK, false, &j));
	assert_int_equal(j.reason, CMK_REASON_OK);
	set_vault("clear");
	assert_true(prove(KEK, false, &j));
	set_vault("replay");
	assert_false(prove(KEK, false, &j));
	set_vault("clear");
}

/* A vault that hangs delays nobody else. */
static void test_hung_vault(void **state)
{
	struct cmk_kms_request hung = request(GET, "https://hung.vault.azure.net/keys/kek");
	struct cmk_kms_answer an;
	struct cmk_judgement j;
	int64_t begin, took;

	(void)state;
	set_vault("hang --host hung.vault.azure.net");
	for (int i = 0; i < 20; i++)
		assert_int_equal(cmk_worker_send(worker, &hung), 0);
	begin = boottime_ms();
	for (int i = 0; i < 10; i++)
		assert_true(prove(KEK, false, &j));
	took = boottime_ms() - begin;
	print_message("# 10 proofs beside 20 hanging requests: %lld ms\n", (long long)took);
	assert_true(took < TOTAL_MS / 2);
	set_vault("clear");
	/* the others end too */
	while (boottime_ms() - begin < 2 * TOTAL_MS && cmk_worker_receive(worker, &an) == 0)
		usleep(10000);
	cmk_judge(&an.evidence, &j);
	assert_int_equal(j.reason, CMK_UNREACHABLE);
}

static void test_refused_here(void **state)
{
	struct cmk_judgement j;

	(void)state;
	get_key("https://other.managedhsm.azure.net/keys/kek", &j);
	assert_int_equal(j.reason, CMK_NOT_PINNED);
	get_key("https://nowhere.vault.azure.net/keys/kek", &j);
	assert_int_equal(j.reason, CMK_DNS_FAILED);
	get_key("https://contoso.vault.azure.net/keys/no-such-key", &j);
	assert_int_equal(j.reason, CMK_KEY_NOT_FOUND);
}

/* Cancelled: no answer comes, and the worker goes on. */
static void test_cancel(void **state)
{
	struct cmk_kms_request rq = request(GET, "https://hung.vault.azure.net/keys/kek");
	struct cmk_kms_answer an;
	struct cmk_judgement j;

	(void)state;
	spawn();
	set_vault("hang --host hung.vault.azure.net");
	assert_int_equal(cmk_worker_send(worker, &rq), 0);
	cmk_worker_cancel(worker, rq.id);
	for (int64_t begin = boottime_ms(); boottime_ms() - begin < TOTAL_MS + 500; usleep(20000))
		assert_int_equal(cmk_worker_receive(worker, &an), 0);
	set_vault("clear");
	assert_true(prove(KEK, false, &j));
}

static void test_dead_worker(void **state)
{
	struct cmk_judgement j;
	int64_t begin;

	(void)state;
	kill(cmk_worker_pid(worker), SIGSTOP);
	begin = boottime_ms();
	get_key(KEK, &j);
	assert_int_equal(j.reason, CMK_WORKER_FAILED);
	assert_true(boottime_ms() - begin < CALL_MS + 500);
	kill(cmk_worker_pid(worker), SIGKILL);
	get_key(KEK, &j);
	assert_int_equal(j.reason, CMK_WORKER_FAILED);
	spawn();
	assert_true(prove(KEK, false, &j));
}

static bool wait_end(int fd, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char c;

	return poll(&pfd, 1, timeout_ms) == 1 && recv(fd, &c, 1, MSG_DONTWAIT) <= 0;
}

/* A frame that is none ends the worker. */
static void test_garbage(void **state)
{
	struct cmk_judgement j;

	(void)state;
	get_key(KEK, &j);
	assert_int_equal(send(cmk_worker_fd(worker), "garbage", 7, MSG_NOSIGNAL), 7);
	assert_true(wait_end(cmk_worker_fd(worker), 2000));
	spawn();
}

static void read_status(const char *field, char *out, size_t room)
{
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", cmk_worker_pid(worker));
	f = fopen(path, "r");
	assert_non_null(f);
	out[0] = '\0';
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, field, strlen(field)) == 0 && line[strlen(field)] == ':')
			snprintf(out, room, "%s",
				 line + strlen(field) + 1 +
					 strspn(line + strlen(field) + 1, " \t"));
	out[strcspn(out, "\n")] = '\0';
	fclose(f);
}

/* Shown by the kernel: no capability, no new privileges, a filter, another user, no group. */
static void test_sandbox(void **state)
{
	static const struct {
		const char *field, *value;
	} expected[] = {
		{ "NoNewPrivs", "1" },
		{ "Seccomp", "2" },
		{ "Uid", "65534\t65534\t65534\t65534" },
		{ "Gid", "65534\t65534\t65534\t65534" },
		{ "CapInh", "0000000000000000" },
		{ "CapPrm", "0000000000000000" },
		{ "CapEff", "0000000000000000" },
		{ "CapBnd", "0000000000000000" },
		{ "CapAmb", "0000000000000000" },
	};
	char value[128];
	struct cmk_judgement j;

	(void)state;
	get_key(KEK, &j);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		read_status(expected[i].field, value, sizeof(value));
		assert_string_equal(value, expected[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get_key),	   cmocka_unit_test(test_unwrap),
		cmocka_unit_test(test_region),	   cmocka_unit_test(test_manners),
		cmocka_unit_test(test_causes),	   cmocka_unit_test(test_retry_after),
		cmocka_unit_test(test_attributes), cmocka_unit_test(test_lying_vault),
		cmocka_unit_test(test_hung_vault), cmocka_unit_test(test_refused_here),
		cmocka_unit_test(test_cancel),	   cmocka_unit_test(test_dead_worker),
		cmocka_unit_test(test_garbage),	   cmocka_unit_test(test_sandbox),
	};

	if (secret_process_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, setup, teardown);
}
