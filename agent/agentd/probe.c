// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * One probe of a KEK: GET of the key, whose attributes are judged here, then a fresh proof: a
 * random value is encrypted with the KEK's public key from the header, and only the vault's unwrap
 * of it, compared here, counts.
 */
#include <stdio.h>
#include <string.h>

#include "agent.h"
#include "common/vault.h"

#define CHALLENGE_BYTES 32
#define BUSY_MS		200
#define SLACK_MS	2000

/* The worker has an end for each request; after that it must be broken, or hang. */
static int64_t patience_ms(const struct group *g)
{
	return g->agent->cfg->total_timeout_ms * CMK_OP_TIMEOUTS + SLACK_MS;
}

void probe_end(struct group *g)
{
	if (g->probe.id && g->agent->kms.worker)
		cmk_worker_cancel(g->agent->kms.worker, g->probe.id);
	secret_wipe(&g->probe.challenge);
	g->probe = (struct probe){ .step = PROBE_IDLE, .challenge = SECRET_INIT };
}

void probe_fail(struct group *g, enum cmk_reason reason, const char *detail)
{
	struct cmk_judgement j = {
		.verdict = cmk_reason_verdict(reason),
		.reason = reason,
		.retry_after_s = -1,
	};

	snprintf(j.detail, sizeof(j.detail), "%s", detail);
	group_verdict(g, &j, 0);
}

/* Make the challenge and its ciphertext. */
static int prepare_unwrap(struct group *g, struct cmk_kms_request *rq)
{
	int r = 0;

	if (!g->probe.challenge.len)
		r = crypto_random_secret(&g->probe.challenge, CHALLENGE_BYTES);
	if (r < 0)
		return r;
	rq->op = CMK_OP_UNWRAP;
	rq->alg = CMK_ALG_RSA_OAEP_256;
	rq->input_len = g->public.n_len;
	return crypto_oaep_encrypt(&g->public, &g->probe.challenge, rq->input);
}

/* Send the request of the present step; if the worker's queue is full, come back later. */
static void send_step(struct group *g)
{
	struct cmk_kms_request rq = {
		.op = CMK_OP_GET_KEY,
		.key = g->kek,
		.identity = g->identity,
		.alg = CMK_ALG_RSA_OAEP_256,
		.fresh_token = g->probe.fresh_token,
	};
	struct cmk_error err = { 0 };
	int r;

	if (g->probe.step == PROBE_UNWRAP) {
		r = prepare_unwrap(g, &rq);
		if (r < 0) {
			probe_fail(g, CMK_PROOF_FAILED,
				   "the public key in the header cannot encrypt");
			return;
		}
		rq.fresh_token = false; /* the GET has just fetched one */
		g->probe.sent_ms = boottime_ms();
	}
	r = kms_send(g->agent, &rq, &err);
	if (r == -EAGAIN) {
		group_wait(g, BUSY_MS);
	} else if (r < 0) {
		probe_fail(g, CMK_WORKER_FAILED, err.text);
	} else {
		g->probe.id = rq.id;
		group_wait(g, patience_ms(g));
	}
}

void probe_start(struct group *g, bool fresh_token)
{
	g->started++;
	g->again_fresh = false;
	g->probe.step = PROBE_GET;
	g->probe.fresh_token = fresh_token;
	g->probe.started_ms = boottime_ms();
	send_step(g);
}

/* The timer: either the worker was busy, or it has been silent for too long. */
void probe_go_on(struct group *g)
{
	if (!g->probe.id && boottime_ms() - g->probe.started_ms < patience_ms(g))
		send_step(g);
	else
		kms_end(g->agent, "cmk-kms does not answer");
}

static void got_key(struct group *g, const struct cmk_kms_answer *an)
{
	struct cmk_judgement j = { 0 };

	cmk_judge_attributes(&an->attributes, cmk_vault_time(an), &j);
	if (j.verdict != CMK_VALID) {
		snprintf(j.request_id, sizeof(j.request_id), "%s", an->evidence.request_id);
		group_verdict(g, &j, 0);
		return;
	}
	if (an->n_len != g->public.n_len || memcmp(an->n, g->public.n, an->n_len) != 0 ||
	    an->e_len != g->public.e_len || memcmp(an->e, g->public.e, an->e_len) != 0) {
		probe_fail(g, CMK_PROOF_FAILED,
			   "the vault's key is not the one that the header was made with");
		return;
	}
	g->probe.step = PROBE_UNWRAP;
	send_step(g);
}

static void got_proof(struct group *g, const struct cmk_kms_answer *an,
		      const struct cmk_judgement *j)
{
	if (!secret_equal(&an->output, &g->probe.challenge)) {
		probe_fail(g, CMK_PROOF_FAILED, "the unwrap gave other bytes than were encrypted");
		return;
	}
	group_verdict(g, j, g->probe.sent_ms);
}

void probe_answer(struct group *g, struct cmk_kms_answer *an)
{
	struct cmk_judgement j;

	g->probe.id = 0;
	cmk_judge(&an->evidence, &j);
	if (j.verdict != CMK_VALID)
		group_verdict(g, &j, 0);
	else if (g->probe.step == PROBE_GET)
		got_key(g, an);
	else
		got_proof(g, an, &j);
}
