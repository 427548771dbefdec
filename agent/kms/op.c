// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The steps of an operation, each the callback of the one before:
 *
 *	begin -> [challenge -> on_challenge] -> get_token -> on_token -> call -> on_call -> finish
 *	                                            ^                        |
 *	                                            +----- refused (401) ----+	once, and once for
 *claims
 */
#include "op.h"

#include <stdio.h>
#include <string.h>

#include "common/crypto.h"
#include "common/timeutil.h"
#include "evidence.h"
#include "imds.h"
#include "json.h"
#include "vault.h"

struct op {
	const struct kms *kms;
	struct cmk_kms_request rq;
	struct cmk_kms_answer an;
	op_done_fn *done;
	void *arg;
	int64_t begun_ms, deadline_ms;
	char guid[37];
	struct challenge challenge;
	struct http_exchange *ex;
	int64_t token_ms; /* when the token in use was fetched; -1: any will do */
	bool refreshed, claimed;
};

uint32_t op_id(const struct op *op)
{
	return op->rq.id;
}

static void free_op(struct op *op)
{
	secret_wipe(&op->an.output);
	secret_wipe(&op->rq.credential);
	explicit_bzero(op, sizeof(*op));
	free(op);
}

void op_cancel(struct op *op)
{
	http_abort(op->ex);
	tokencache_cancel(op->kms->tokens, op);
	free_op(op);
}

static void finish(struct op *op)
{
	op->an.id = op->rq.id;
	memcpy(op->an.evidence.request_id, op->guid, sizeof(op->guid));
	op->done(op->arg, op, &op->an);
	free_op(op);
}

static void fail(struct op *op, enum cmk_source source, enum cmk_transport transport,
		 const char *why)
{
	struct cmk_evidence *ev = &op->an.evidence;

	*ev = (struct cmk_evidence){ .source = source,
				     .transport = transport,
				     .retry_after_s = -1 };
	json_copy(ev->message, sizeof(ev->message), why);
	finish(op);
}

/* An answer that ends the operation, as evidence; parsed is for the caller to set on a 200. */
static void take_evidence(struct op *op, enum cmk_source source, const struct http_answer *an)
{
	struct cmk_evidence *ev = &op->an.evidence;

	*ev = (struct cmk_evidence){ .source = source, .transport = an->transport };
	if (an->transport == CMK_TRANSPORT_OK)
		evidence_from_answer(source, an->status, an->body, an->len, ev);
	else
		json_copy(ev->message, sizeof(ev->message), an->error);
	ev->retry_after_s = an->retry_after_s;
	op->an.server_time = an->date;
	memcpy(op->an.region, an->region, sizeof(op->an.region));
	memcpy(op->an.tenant, op->challenge.tenant, sizeof(op->an.tenant));
}

static void start(struct op *op, enum cmk_source source, struct http_request *rq,
		  http_done_fn *done)
{
	int64_t left = op->deadline_ms - boottime_ms();

	rq->request_id = op->guid;
	rq->timeout_ms = left < op->kms->c->total_timeout_ms ? left : op->kms->c->total_timeout_ms;
	if (left <= 0)
		fail(op, source, CMK_TRANSPORT_TIMEOUT, "the operation's time is over");
	else if (http_start(op->kms->http, rq, done, op, &op->ex) < 0)
		fail(op, source, CMK_TRANSPORT_WORKER, "the worker is out of memory");
}

static const struct cmk_suffix *custom_suffix(const struct op *op, struct cmk_suffix *room)
{
	const struct cmk_kms_config *c = op->kms->c;

	*room = (struct cmk_suffix){ c->suffix, c->suffix_store };
	return c->suffix[0] ? room : NULL;
}

static void on_call(void *arg, const struct http_answer *an);

/* The request itself; without a token it goes without a body too, only to be challenged. */
static void call(struct op *op, const char *token, http_done_fn *done)
{
	struct http_request rq = { .post = op->rq.op == CMK_OP_UNWRAP };
	char body[VAULT_BODY_MAX], *authorization = NULL;
	size_t room = strlen("Bearer ") + (token ? strlen(token) : 0) + 1;

	vault_url(&op->rq, op->kms->c->api_version, rq.url, sizeof(rq.url));
	if (token) {
		authorization = wiping_malloc(room);
		if (!authorization) {
			fail(op, CMK_SOURCE_VAULT, CMK_TRANSPORT_WORKER,
			     "the worker is out of memory");
			return;
		}
		snprintf(authorization, room, "Bearer %s", token);
		if (rq.post && vault_body(&op->rq, body, sizeof(body)))
			rq.body = body;
	}
	rq.authorization = authorization;
	start(op, CMK_SOURCE_VAULT, &rq, done);
	wiping_free(authorization);
}

static void on_token(void *arg, const struct token *token, const struct cmk_evidence *failure)
{
	struct op *op = arg;

	if (!token) {
		op->an.evidence = *failure;
		finish(op);
		return;
	}
	op->token_ms = token->fetched_ms;
	call(op, token->text, on_call);
}

/* The claims of a challenge come in base64, of either alphabet; the token endpoints want the JSON.
 */
static int decode_claims(const char *base64, char *out, size_t room)
{
	char url[sizeof(((struct challenge *)0)->claims)];
	size_t n = strcspn(base64, "="), len;

	memcpy(url, base64, n);
	url[n] = '\0';
	for (char *p = url; *p; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
	if (base64url_decode(url, (uint8_t *)out, room - 1, &len) < 0)
		return -EINVAL;
	out[len] = '\0';
	return strlen(out) == len ? 0 : -EINVAL;
}

static void get_token(struct op *op, const char *claims)
{
	const struct token_wish wish = {
		.identity = &op->rq.identity,
		.resource = op->challenge.resource,
		.login = op->challenge.login,
		.claims = claims,
		.credential = &op->rq.credential,
		.request_id = op->guid,
	};
	struct token token;
	int r;

	op->ex = NULL;
	r = tokencache_get(op->kms->tokens, &wish, op->token_ms, op->kms->c->total_timeout_ms,
			   &token, on_token, op);
	/* if 0, the operation may be over already */
	if (r == 1)
		on_token(op, &token, NULL);
	else if (r < 0)
		fail(op, CMK_SOURCE_IMDS, CMK_TRANSPORT_WORKER, "the worker is out of memory");
}

/*
 * Take up the first Bearer challenge that names a resource and authority. Return: 1, 0 if there is
 * none, or -EPERM if it does not fit the host.
 */
static int take_challenge(struct op *op, const struct http_answer *an)
{
	for (size_t i = 0; i < an->n_challenges; i++) {
		struct challenge c;

		if (challenge_parse(an->challenge[i], &c) < 0 || !c.resource[0])
			continue;
		op->challenge = c;
		if (!challenge_fits(&c, op->rq.key.host))
			return -EPERM;
		known_put(op->kms->known, op->rq.key.host, op->rq.key.port, &c);
		return 1;
	}
	return 0;
}

static void refuse_challenge(struct op *op)
{
	char why[256];

	snprintf(why, sizeof(why), "the challenge of %.100s is for the resource %.100s",
		 op->rq.key.host, op->challenge.resource);
	fail(op, CMK_SOURCE_VAULT, CMK_TRANSPORT_WRONG_RESOURCE, why);
}

static void on_challenge(void *arg, const struct http_answer *an)
{
	struct op *op = arg;
	int r = 0;

	op->ex = NULL;
	if (an->transport == CMK_TRANSPORT_OK && an->status == 401)
		r = take_challenge(op, an);
	if (r == 1) {
		get_token(op, NULL);
		return;
	}
	if (r < 0) {
		refuse_challenge(op);
		return;
	}
	/* a throttled or failing vault; or a 401 that is no challenge, or a 200 to someone without
	 * a token: not parsed */
	take_evidence(op, CMK_SOURCE_VAULT, an);
	finish(op);
}

/* Is there a claims challenge that was not yet answered? */
static bool find_claims(struct op *op, const struct http_answer *an, char *claims, size_t room)
{
	for (size_t i = 0; i < an->n_challenges && !op->claimed; i++) {
		struct challenge c;

		if (challenge_parse(an->challenge[i], &c) == 0 && c.claims[0])
			return decode_claims(c.claims, claims, room) == 0;
	}
	return false;
}

/* 401: once more with a new token, if that was not done yet. Return: whether the operation goes on,
 * or is over. */
static bool retry_refused(struct op *op, const struct http_answer *an)
{
	char claims[2048];

	if (find_claims(op, an, claims, sizeof(claims))) {
		op->claimed = true;
		get_token(op, claims);
		return true;
	}
	if (op->refreshed)
		return false;
	op->refreshed = true;
	/* the vault may have moved to another tenant */
	if (take_challenge(op, an) < 0)
		refuse_challenge(op);
	else
		get_token(op, NULL);
	return true;
}

static void on_call(void *arg, const struct http_answer *an)
{
	struct op *op = arg;
	struct cmk_suffix room;
	int r;

	op->ex = NULL;
	if (an->transport == CMK_TRANSPORT_OK && an->status == 401 && retry_refused(op, an))
		return;
	take_evidence(op, CMK_SOURCE_VAULT, an);
	if (an->transport == CMK_TRANSPORT_OK && an->status == 200) {
		const struct cmk_suffix *extra = custom_suffix(op, &room);

		r = op->rq.op == CMK_OP_UNWRAP
			    ? vault_read_unwrap(&op->rq, extra, an->body, an->len, &op->an)
			    : vault_read_key(&op->rq, extra, an->body, an->len, &op->an);
		if (r == -ENOMEM) {
			fail(op, CMK_SOURCE_VAULT, CMK_TRANSPORT_WORKER,
			     "the worker is out of memory");
			return;
		}
		op->an.evidence.parsed = r == 0;
	}
	finish(op);
}

static void on_region(void *arg, const struct http_answer *an)
{
	struct op *op = arg;

	op->ex = NULL;
	take_evidence(op, CMK_SOURCE_IMDS, an);
	if (an->transport == CMK_TRANSPORT_OK && an->status == 200)
		op->an.evidence.parsed = imds_read_region(an->body, an->len, op->an.region,
							  sizeof(op->an.region)) == 0;
	finish(op);
}

/* The root side has checked it too; a pin is "host" or "*.suffix", where the star is one label. */
static bool is_pinned(const struct op *op)
{
	const struct cmk_kms_config *c = op->kms->c;
	const char *host = op->rq.key.host, *dot = strchr(host, '.');

	for (size_t i = 0; i < c->n_vaults; i++) {
		const char *pin = c->vaults[i];

		if (pin[0] == '*' ? dot && strcmp(dot, pin + 1) == 0 : strcmp(host, pin) == 0)
			return true;
	}
	return false;
}

/* Whatever went into the frame, only what comes out of the parser unchanged is contacted. */
static bool is_canonical(const struct op *op)
{
	const struct cmk_keyid *key = &op->rq.key;
	struct cmk_suffix room;
	struct cmk_keyid id;
	char url[512];

	return cmk_keyid_parse(cmk_keyid_format(key, url, sizeof(url)), custom_suffix(op, &room),
			       &id, NULL) == 0 &&
	       strcmp(id.host, key->host) == 0 && strcmp(id.name, key->name) == 0 &&
	       strcmp(id.version, key->version) == 0 && id.port == key->port;
}

static void begin(struct op *op)
{
	const struct challenge *known;
	struct http_request rq = { .metadata = true };

	if (op->rq.op == CMK_OP_HOST_REGION) {
		imds_region_url(op->kms->c, rq.url, sizeof(rq.url));
		start(op, CMK_SOURCE_IMDS, &rq, on_region);
		return;
	}
	if (!is_canonical(op) || !is_pinned(op)) {
		fail(op, CMK_SOURCE_VAULT, CMK_TRANSPORT_NOT_PINNED, op->rq.key.host);
		return;
	}
	known = known_find(op->kms->known, op->rq.key.host, op->rq.key.port);
	if (known) {
		op->challenge = *known;
		get_token(op, NULL);
	} else {
		call(op, NULL, on_challenge);
	}
}

int op_start(const struct kms *kms, struct cmk_kms_request *rq, op_done_fn *done, void *arg,
	     struct op **out)
{
	struct op *op = calloc(1, sizeof(*op));

	if (!op || crypto_guid(op->guid) < 0) {
		free(op);
		return -ENOMEM;
	}
	op->kms = kms;
	op->rq = *rq;
	rq->credential = SECRET_INIT; /* it is the operation's now */
	op->done = done;
	op->arg = arg;
	op->begun_ms = boottime_ms();
	/* what it may wait for a token that another operation fetches is kept back */
	op->deadline_ms = op->begun_ms + (CMK_OP_TIMEOUTS - 1) * kms->c->total_timeout_ms;
	op->token_ms = rq->fresh_token ? op->begun_ms - 1 : -1;
	*out = op;
	begin(op);
	return 0;
}
