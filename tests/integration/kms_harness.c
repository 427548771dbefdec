// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The root side as a test drives it: real frames to a real worker, real requests to the test vault.
 */
#include "kms_harness.h"

#include <stdio.h>
#include <string.h>

#include "common/crypto.h"

struct cmk_config config;
struct cmk_worker *worker;

/* Run vaultctl with @args; its first line goes to @out. */
static void vaultctl(char *out, size_t room, const char *args)
{
	char command[600];
	FILE *f;

	snprintf(command, sizeof(command), "%s %s", getenv("CMK_TEST_VAULTCTL"), args);
	f = popen(command, "r");
	assert_non_null(f);
	if (out) {
		assert_non_null(fgets(out, room, f));
		out[strcspn(out, "\n")] = '\0';
	}
	while (fgetc(f) != EOF)
		;
	assert_int_equal(pclose(f), 0);
}

void set_vault(const char *args)
{
	vaultctl(NULL, 0, args);
}

int count(const char *what)
{
	char args[200], line[32];

	snprintf(args, sizeof(args), "count %s", what);
	vaultctl(line, sizeof(line), args);
	return atoi(line);
}

struct cmk_kms_request request(enum cmk_op op, const char *url)
{
	struct cmk_kms_request rq = { .op = op };
	struct cmk_error err = { 0 };

	if (cmk_keyid_parse(url, NULL, &rq.key, &err) < 0)
		fail_msg("%s", err.text);
	return rq;
}

void ask(struct cmk_kms_request *rq, struct cmk_kms_answer *an, struct cmk_judgement *j)
{
	cmk_worker_call(worker, rq, CALL_MS, an);
	cmk_judge(&an->evidence, j);
}

struct cmk_kms_answer get_key(const char *url, struct cmk_judgement *j)
{
	struct cmk_kms_request rq = request(CMK_OP_GET_KEY, url);
	struct cmk_kms_answer an;

	ask(&rq, &an, j);
	return an;
}

bool prove(const char *url, bool fresh, struct cmk_judgement *j)
{
	static struct cmk_public pub;
	struct cmk_kms_request rq = request(CMK_OP_UNWRAP, url);
	_cleanup_secret_ struct secret challenge = SECRET_INIT;
	struct cmk_kms_answer an;
	bool same;

	if (!pub.n_len) {
		an = get_key("https://contoso.vault.azure.net/keys/kek", j);
		assert_int_equal(j->verdict, CMK_VALID);
		memcpy(pub.n, an.n, pub.n_len = an.n_len);
		memcpy(pub.e, an.e, pub.e_len = an.e_len);
	}
	assert_int_equal(crypto_random_secret(&challenge, 32), 0);
	assert_int_equal(crypto_oaep_encrypt(&pub, &challenge, rq.input), 0);
	rq.input_len = pub.n_len;
	rq.alg = CMK_ALG_RSA_OAEP_256;
	rq.fresh_token = fresh;
	ask(&rq, &an, j);
	same = secret_equal(&an.output, &challenge);
	secret_wipe(&an.output);
	return same;
}

void spawn(void)
{
	struct cmk_error err = { 0 };

	cmk_worker_free(worker);
	worker = NULL;
	if (cmk_worker_spawn(&config, &worker, &err) < 0)
		fail_msg("%s", err.text);
}

int setup(void **state)
{
	(void)state;
	config = (struct cmk_config){
		.kms_user = "nobody",
		.api_version = "7.4",
		.imds = "http://169.254.169.254",
		.connect_timeout_ms = TOTAL_MS,
		.total_timeout_ms = TOTAL_MS,
		.vaults = { "*.vault.azure.net", "contoso.managedhsm.azure.net" },
		.n_vaults = 2,
	};
	snprintf(config.kms_path, sizeof(config.kms_path), "%s", getenv("CMK_TEST_KMS"));
	snprintf(config.ca_file, sizeof(config.ca_file), "%s", getenv("CMK_TEST_CA"));
	set_vault("create-key kek --size 2048");
	set_vault("create-key contoso.managedhsm.azure.net/kek --size 3072 --hsm");
	set_vault("create-key other.vault.azure.net/kek --size 2048");
	spawn();
	return 0;
}

int teardown(void **state)
{
	(void)state;
	cmk_worker_free(worker);
	return 0;
}
