// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * Driving the real cmk-kms as the root side does.
 */
#include "told.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/worker.h"

#define TOTAL_MS 5000
#define CALL_MS	 (CMK_OP_TIMEOUTS * TOTAL_MS + 1000)

static struct cmk_config config;
static struct cmk_worker *worker;

bool told_begin(const char *kms, const char *ca)
{
	struct cmk_error err = { 0 };

	config = (struct cmk_config){
		.kms_user = "nobody",
		.api_version = "7.4",
		.imds = "http://169.254.169.254",
		.connect_timeout_ms = 2000,
		.total_timeout_ms = TOTAL_MS,
		.vaults = { "*.vault.azure.net", "*.managedhsm.azure.net" },
		.n_vaults = 2,
	};
	snprintf(config.kms_path, sizeof(config.kms_path), "%s", kms);
	snprintf(config.ca_file, sizeof(config.ca_file), "%s", ca);
	if (secret_process_init() < 0)
		return false;
	if (cmk_worker_spawn(&config, &worker, &err) == 0)
		return true;
	fprintf(stderr, "%s\n", err.text);
	return false;
}

void told_end(void)
{
	cmk_worker_free(worker);
}

static void describe(const struct cmk_judgement *j, struct told *told)
{
	told->verdict = cmk_verdict_name(j->verdict);
	told->reason = cmk_reason_name(j->reason);
	snprintf(told->detail, sizeof(told->detail), "%s", j->detail);
}

bool told_get(const char *url, struct told *told)
{
	struct cmk_kms_request rq = { .op = CMK_OP_GET_KEY };
	struct cmk_kms_answer an;
	struct cmk_judgement j;
	struct cmk_error err = { 0 };

	memset(told, 0, sizeof(*told));
	if (cmk_keyid_parse(url, NULL, &rq.key, &err) < 0)
		return false;
	cmk_worker_call(worker, &rq, CALL_MS, &an);
	cmk_judge(&an.evidence, &j);
	if (j.verdict == CMK_VALID)
		cmk_judge_attributes(&an.attributes, time(NULL), &j);
	describe(&j, told);
	snprintf(told->kty, sizeof(told->kty), "%s", an.kty);
	snprintf(told->version, sizeof(told->version), "%s", an.key.version);
	told->enabled = an.attributes.enabled;
	told->nbf = an.attributes.nbf;
	told->exp = an.attributes.exp;
	memcpy(told->n, an.n, told->n_len = an.n_len);
	memcpy(told->e, an.e, told->e_len = an.e_len);
	secret_wipe(&an.output);
	return true;
}

bool told_unwrap(const char *url, const char *alg, const unsigned char *input, size_t len,
		 struct told *told)
{
	struct cmk_kms_request rq = { .op = CMK_OP_UNWRAP };
	struct cmk_kms_answer an;
	struct cmk_judgement j;
	struct cmk_error err = { 0 };

	memset(told, 0, sizeof(*told));
	if (cmk_keyid_parse(url, NULL, &rq.key, &err) < 0 || len > sizeof(rq.input))
		return false;
	if (strcmp(alg, "RSA-OAEP-256") == 0)
		rq.alg = CMK_ALG_RSA_OAEP_256;
	else if (strcmp(alg, "RSA-OAEP") == 0)
		rq.alg = CMK_ALG_RSA_OAEP;
	else
		return false;
	memcpy(rq.input, input, rq.input_len = len);
	cmk_worker_call(worker, &rq, CALL_MS, &an);
	cmk_judge(&an.evidence, &j);
	describe(&j, told);
	if (an.output.len && an.output.len <= sizeof(told->output))
		memcpy(told->output, an.output.bytes, told->output_len = an.output.len);
	secret_wipe(&an.output);
	return true;
}
