// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The real cmk-kms, driven as the root side drives it, against the test vault that
 * tests/integration/kms.sh starts. Each test says what the services do, asks the worker, and
 * compares what comes back.
 */
#include "kms_harness.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/crypto.h"
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

/* A vault that hangs delays nobody else: a proof that waited for it would take as long as it does.
 */
static void test_hung_vault(void **state)
{
	static const char url[] = "https://hung.vault.azure.net/keys/kek";
	struct cmk_kms_request hung = request(CMK_OP_GET_KEY, url);
	int64_t begin, took, longest = 0;
	struct cmk_judgement j;

	(void)state;
	set_vault("hang --host hung.vault.azure.net");
	for (int i = 0; i < 20; i++)
		assert_int_equal(cmk_worker_send(worker, &hung), 0);
	for (int i = 0; i < 10; i++) {
		begin = boottime_ms();
		assert_true(prove(KEK, false, &j));
		took = boottime_ms() - begin;
		longest = took > longest ? took : longest;
	}
	print_message("# beside 20 hanging requests the longest of 10 proofs took %lld ms\n",
		      (long long)longest);
	assert_true(longest < TOTAL_MS);
	get_key(url, &j);
	assert_int_equal(j.reason, CMK_UNREACHABLE);
	set_vault("clear");
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
	struct cmk_kms_request rq =
		request(CMK_OP_GET_KEY, "https://hung.vault.azure.net/keys/kek");
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

/* How often @len bytes stand in the worker's memory. */
static int find_in_worker(const void *what, size_t len)
{
	static uint8_t page[1 << 20];
	unsigned long from, to;
	char path[64], line[512];
	int found = 0, mem;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/mem", cmk_worker_pid(worker));
	mem = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(mem >= 0);
	snprintf(path, sizeof(path), "/proc/%d/maps", cmk_worker_pid(worker));
	maps = fopen(path, "r");
	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx", &from, &to) != 2 || strstr(line, "[v"))
			continue;
		/* windows overlap, so that nothing is missed between two of them */
		for (; from < to; from += sizeof(page) - 4096) {
			size_t want = to - from < sizeof(page) ? to - from : sizeof(page);
			ssize_t n = pread(mem, page, want, from);

			for (const uint8_t *p = page;
			     n > 0 && (p = memmem(p, page + n - p, what, len)); p++)
				found++;
		}
	}
	fclose(maps);
	close(mem);
	return found;
}

/* What was unwrapped is nowhere in the worker once it is answered, neither as bytes nor as the
 * vault sent it. */
static void test_no_traces(void **state)
{
	struct cmk_kms_request rq = request(CMK_OP_UNWRAP, KEK);
	_cleanup_secret_ struct secret secret = SECRET_INIT;
	struct cmk_kms_answer an;
	struct cmk_judgement j;
	char text[64];

	(void)state;
	an = get_key(KEK, &j);
	for (int i = 0; i < 20; i++) {
		struct cmk_public pub = { .n_len = an.n_len, .e_len = an.e_len };
		struct cmk_kms_answer unwrapped;

		memcpy(pub.n, an.n, an.n_len);
		memcpy(pub.e, an.e, an.e_len);
		secret_wipe(&secret);
		assert_int_equal(crypto_random_secret(&secret, 32), 0);
		assert_int_equal(crypto_oaep_encrypt(&pub, &secret, rq.input), 0);
		rq.input_len = pub.n_len;
		rq.alg = CMK_ALG_RSA_OAEP_256;
		ask(&rq, &unwrapped, &j);
		assert_true(secret_equal(&unwrapped.output, &secret));
		secret_wipe(&unwrapped.output);
		/* one loop: when the next answer is here, the worker is done with this one */
		get_key(KEK, &j);
		/* the search itself: the vault's name is there */
		assert_true(find_in_worker("contoso.vault.azure.net", 23) > 0);
		assert_int_equal(find_in_worker(secret.bytes, secret.len), 0);
		assert_int_equal(base64url_encode(secret.bytes, secret.len, text, sizeof(text)),
				 43);
		assert_int_equal(find_in_worker(text, 43), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get_key),	   cmocka_unit_test(test_unwrap),
		cmocka_unit_test(test_region),	   cmocka_unit_test(test_manners),
		cmocka_unit_test(test_causes),	   cmocka_unit_test(test_retry_after),
		cmocka_unit_test(test_identities), cmocka_unit_test(test_claims),
		cmocka_unit_test(test_attributes), cmocka_unit_test(test_lying_vault),
		cmocka_unit_test(test_hung_vault), cmocka_unit_test(test_refused_here),
		cmocka_unit_test(test_cancel),	   cmocka_unit_test(test_dead_worker),
		cmocka_unit_test(test_garbage),	   cmocka_unit_test(test_sandbox),
		cmocka_unit_test(test_no_traces),
	};

	if (secret_process_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, setup, teardown);
}
