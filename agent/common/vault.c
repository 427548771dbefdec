// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* Asks the vault through cmk-kms and turns what it answers into a verdict and an error that names
 * the KEK. */
#include "vault.h"

#include <stdio.h>
#include <string.h>

#include "timeutil.h"

/*
 * A first request may be four exchanges, each with its own time limit in the worker: the challenge,
 * a token, the request, and both again after a refused token. Beyond that the worker is taken for
 * hung.
 */
#define EXCHANGES 5

static int64_t call_timeout_ms(const struct cmk_config *cfg)
{
	return EXCHANGES * cfg->total_timeout_ms;
}

static int refusal_errno(enum cmk_verdict v)
{
	static const int errnos[] = {
		[CMK_VALID] = 0,
		[CMK_REVOKED] = -EKEYREVOKED,
		[CMK_DENIED] = -EACCES,
		[CMK_UNKNOWN] = -EHOSTUNREACH,
		[CMK_MISCONFIGURED] = -EINVAL,
	};

	return errnos[v];
}

static int refused(const struct cmk_keyid *id, const struct cmk_judgement *j, struct cmk_error *err)
{
	char url[512];

	return cmk_error_set(err, cmk_verdict_exit(j->verdict), refusal_errno(j->verdict),
			     cmk_reason_remedy(j->reason), "%s: %s (%s)%s%s",
			     cmk_keyid_format(id, url, sizeof(url)), cmk_reason_text(j->reason),
			     cmk_reason_name(j->reason), j->detail[0] ? ": " : "", j->detail);
}

static int check_pin(const struct cmk_config *cfg, const struct cmk_keyid *id,
		     struct cmk_judgement *j, struct cmk_error *err)
{
	const struct cmk_evidence ev = {
		.source = CMK_SOURCE_VAULT,
		.transport = CMK_TRANSPORT_NOT_PINNED,
		.retry_after_s = -1,
	};

	if (cmk_config_vault_allowed(cfg, id))
		return 0;
	cmk_judge(&ev, j);
	return refused(id, j, err);
}

int cmk_vault_get(const struct cmk_config *cfg, struct cmk_worker *w, const struct cmk_keyid *id,
		  const struct cmk_identity *identity, struct cmk_kms_answer *an,
		  struct cmk_judgement *j, struct cmk_error *err)
{
	struct cmk_kms_request rq = { .op = CMK_OP_GET_KEY, .key = *id, .identity = *identity };
	int r;

	memset(an, 0, sizeof(*an));
	memset(j, 0, sizeof(*j));
	r = check_pin(cfg, id, j, err);
	if (r < 0)
		return r;
	cmk_worker_call(w, &rq, call_timeout_ms(cfg), an);
	cmk_judge(&an->evidence, j);
	return j->verdict == CMK_VALID ? 0 : refused(id, j, err);
}

int64_t cmk_vault_time(const struct cmk_kms_answer *an)
{
	return an->server_time ? an->server_time : realtime_s();
}

int cmk_vault_judge_key(const struct cmk_kms_answer *an, struct cmk_judgement *j,
			struct cmk_error *err)
{
	cmk_judge_attributes(&an->attributes, cmk_vault_time(an), j);
	return j->verdict == CMK_VALID ? 0 : refused(&an->key, j, err);
}

int cmk_vault_unwrap(const struct cmk_config *cfg, struct cmk_worker *w, const struct cmk_token *t,
		     int64_t *sent_ms, struct secret *dek, struct cmk_judgement *j,
		     struct cmk_error *err)
{
	struct cmk_kms_request rq = {
		.op = CMK_OP_UNWRAP,
		.key = t->kek,
		.identity = t->identity,
		.alg = t->alg,
		.input_len = t->wrapped_len,
	};
	struct cmk_kms_answer an = { 0 };
	char url[512];
	int r;

	memset(j, 0, sizeof(*j));
	r = check_pin(cfg, &t->kek, j, err);
	if (r < 0)
		return r;
	memcpy(rq.input, t->wrapped, t->wrapped_len);
	*sent_ms = boottime_ms();
	cmk_worker_call(w, &rq, call_timeout_ms(cfg), &an);
	cmk_judge(&an.evidence, j);
	if (j->verdict != CMK_VALID) {
		secret_wipe(&an.output);
		return refused(&t->kek, j, err);
	}
	if (an.output.len != CMK_DEK_BYTES) {
		secret_wipe(&an.output);
		return cmk_error_set(
			err, CMK_EXIT_HEADER, -EKEYREJECTED,
			"The header or its token was changed, or belongs to another device.",
			"%s: what the vault unwrapped is no DEK",
			cmk_keyid_format(&t->kek, url, sizeof(url)));
	}
	*dek = an.output;
	return 0;
}

void cmk_vault_host_region(const struct cmk_config *cfg, struct cmk_worker *w, char *region,
			   size_t len)
{
	struct cmk_kms_request rq = { .op = CMK_OP_HOST_REGION };
	struct cmk_kms_answer an = { 0 };

	cmk_worker_call(w, &rq, call_timeout_ms(cfg), &an);
	snprintf(region, len, "%s",
		 an.evidence.http_status == 200 && an.evidence.parsed ? an.region : "");
}
