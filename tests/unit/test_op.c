// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* One operation of cmk-kms step by step, over exchanges that the test answers: what is sent, to
 * whom, and what never is. */
#include "unit.h"

#include "common/secret.h"
#include "common/timeutil.h"
#include "kms/op.h"

#define V    "0123456789abcdef0123456789abcdef"
#define HOST "contoso.vault.azure.net"
#define CHALLENGE                                                                                  \
	"Bearer "                                                                                  \
	"authorization=\"https://login.microsoftonline.com/"                                       \
	"a0000000-0000-4000-8000-000000000001\", "
#define GOOD	  CHALLENGE "resource=\"https://vault.azure.net\""
#define CLAIMS	  CHALLENGE "error=\"insufficient_claims\", claims=\"eyJhIjoxfQ==\""
#define UNWRAPPED "{\"kid\":\"https://" HOST "/keys/kek/" V "\",\"value\":\"Zm9vYmFy\"}"
#define TOKEN(t)  "{\"access_token\":\"" t "\",\"expires_in\":\"86399\",\"token_type\":\"Bearer\"}"

/* What stands in for http.c and the clock: one exchange at a time. */
struct http_exchange {
	http_done_fn *done;
	void *arg;
};

static int64_t now;
static struct http_exchange *ex;
static struct http_request sent; /* the last request; its strings are copied below */
static char sent_body[2048], sent_authorization[256];
static int n_sent, n_tokens;

int64_t boottime_ms(void)
{
	return now;
}

int64_t realtime_s(void)
{
	return now / 1000;
}

int http_start(struct http *h, const struct http_request *rq, http_done_fn *done, void *arg,
	       struct http_exchange **out)
{
	(void)h;
	assert_null(ex);
	assert_true(rq->timeout_ms > 0);
	assert_int_equal(strlen(rq->request_id), 36);
	ex = calloc(1, sizeof(*ex));
	ex->done = done;
	ex->arg = arg;
	sent = *rq;
	snprintf(sent_body, sizeof(sent_body), "%s", rq->body ? rq->body : "");
	snprintf(sent_authorization, sizeof(sent_authorization), "%s",
		 rq->authorization ? rq->authorization : "");
	n_sent++;
	n_tokens += strstr(rq->url, "/oauth2/") != NULL;
	*out = ex;
	return 0;
}

void http_abort(struct http_exchange *e)
{
	if (e)
		assert_ptr_equal(e, ex);
	free(e);
	if (e)
		ex = NULL;
}

static void answer(int status, const char *body, const char *challenge)
{
	struct http_answer *an = calloc(1, sizeof(*an));
	struct http_exchange *old = ex;

	assert_non_null(old);
	an->status = status;
	an->retry_after_s = -1;
	an->body = (char *)body;
	an->len = strlen(body);
	if (challenge) {
		/* as the services do: another scheme beside it */
		snprintf(an->challenge[0], sizeof(an->challenge[0]), "PoP nonce=\"x\"");
		snprintf(an->challenge[1], sizeof(an->challenge[1]), "%s", challenge);
		an->n_challenges = 2;
	}
	ex = NULL;
	old->done(old->arg, an);
	free(old);
	free(an);
}

static struct cmk_kms_config config = {
	.api_version = "7.4",
	.imds = "http://169.254.169.254",
	.total_timeout_ms = 20000,
	.vaults = { HOST, "*.managedhsm.azure.net" },
	.n_vaults = 2,
};
static struct kms kms;
static struct op *op;
static int calls;
static struct cmk_judgement judged;
static char unwrapped[64], tenant[37];

static void on_done(void *arg, struct op *done, const struct cmk_kms_answer *an)
{
	(void)arg;
	assert_ptr_equal(done, op);
	calls++;
	op = NULL;
	cmk_judge(&an->evidence, &judged);
	assert_int_equal(strlen(judged.request_id), 36);
	snprintf(unwrapped, sizeof(unwrapped), "%.*s", (int)an->output.len,
		 (const char *)an->output.bytes);
	snprintf(tenant, sizeof(tenant), "%s", an->tenant);
}

static void begin(const char *host)
{
	struct cmk_kms_request rq = {
		.id = 1,
		.op = CMK_OP_UNWRAP,
		.alg = CMK_ALG_RSA_OAEP_256,
		.input_len = 256,
		.key = { .store = CMK_STORE_VAULT, .port = 443, .name = "kek", .version = V },
	};

	snprintf(rq.key.host, sizeof(rq.key.host), "%s", host);
	calls = 0;
	assert_int_equal(op_start(&kms, &rq, on_done, NULL, &op), 0);
}

static int setup(void **state)
{
	(void)state;
	now = 1000000;
	n_sent = n_tokens = calls = 0;
	ex = NULL;
	kms = (struct kms){ .c = &config,
			    .known = known_new(),
			    .tokens = tokencache_new(NULL, &config) };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (op)
		op_cancel(op);
	op = NULL;
	free(ex);
	ex = NULL;
	tokencache_free(kms.tokens);
	known_free(kms.known);
	return 0;
}

static void is_to_vault(const char *authorization)
{
	assert_string_equal(sent.url, "https://" HOST "/keys/kek/" V "/unwrapkey?api-version=7.4");
	assert_true(sent.post && !sent.metadata);
	assert_string_equal(sent_authorization, authorization);
	/* a body goes with a token only */
	assert_int_equal(sent_body[0] != '\0', authorization[0] != '\0');
}

static void is_to_imds(void)
{
	assert_non_null(strstr(sent.url, "http://169.254.169.254/metadata/identity/oauth2/token"));
	assert_non_null(strstr(sent.url, "&resource=https%3A%2F%2Fvault.azure.net"));
	assert_true(sent.metadata && !sent.post);
	assert_string_equal(sent_authorization, "");
}

static void to_the_call(const char *token_answer)
{
	begin(HOST);
	is_to_vault("");
	answer(401, "", GOOD);
	is_to_imds();
	answer(200, token_answer, NULL);
}

static void all_steps(void **state)
{
	(void)state;
	to_the_call(TOKEN("token-one"));
	is_to_vault("Bearer token-one");
	answer(200, UNWRAPPED, NULL);
	assert_int_equal(calls, 1);
	assert_int_equal(judged.reason, CMK_REASON_OK);
	assert_string_equal(unwrapped, "foobar");
	assert_string_equal(tenant, "a0000000-0000-4000-8000-000000000001");
	/* the second costs one request */
	begin(HOST);
	is_to_vault("Bearer token-one");
	answer(200, UNWRAPPED, NULL);
	assert_int_equal(n_sent, 4);
}

/* Whoever answers with a challenge for something else gets no token, and nobody is asked for one.
 */
static void wrong_resource(void **state)
{
	static const char *const challenges[] = {
		CHALLENGE "resource=\"https://graph.microsoft.com\"",
		CHALLENGE "resource=\"https://management.azure.com\"",
		CHALLENGE "resource=\"https://" HOST "\"",
		CHALLENGE "scope=\"https://graph.microsoft.com/.default\", "
			  "resource=\"https://vault.azure.net\"",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(challenges); i++) {
		n_sent = 0;
		begin(HOST);
		answer(401, "", challenges[i]);
		assert_int_equal(calls, 1);
		assert_int_equal(judged.reason, CMK_WRONG_RESOURCE);
		assert_int_equal(n_sent, 1);
	}
	/* nor one who does so later */
	to_the_call(TOKEN("token-one"));
	answer(401, "", challenges[0]);
	assert_int_equal(judged.reason, CMK_WRONG_RESOURCE);
	assert_int_equal(n_tokens, 1);
}

static void no_challenge(void **state)
{
	static const struct {
		int status;
		const char *body, *challenge;
		enum cmk_reason reason;
	} table[] = {
		{ 200, UNWRAPPED, NULL, CMK_BAD_ANSWER }, /* to someone without a token */
		{ 401, "", NULL, CMK_TOKEN_REFUSED },
		{ 401, "", "Basic realm=\"x\"", CMK_TOKEN_REFUSED },
		{ 401, "", CHALLENGE "resource=\"http://vault.azure.net\"", CMK_TOKEN_REFUSED },
		{ 403,
		  "{\"error\":{\"code\":\"Forbidden\",\"innererror\":{\"code\":"
		  "\"ForbiddenByFirewall\"}}}",
		  NULL, CMK_FORBIDDEN_BY_FIREWALL },
		{ 429, "", NULL, CMK_THROTTLED },
		{ 302, "", GOOD, CMK_BAD_ANSWER },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		begin(HOST);
		answer(table[i].status, table[i].body, table[i].challenge);
		assert_int_equal(calls, 1);
		assert_int_equal(judged.reason, table[i].reason);
		assert_string_equal(unwrapped, "");
	}
	assert_int_equal(n_tokens, 0);
}

/* A refused token is replaced once; twice refused is the answer. */
static void refused(void **state)
{
	(void)state;
	to_the_call(TOKEN("token-one"));
	answer(401, "", GOOD);
	is_to_imds();
	answer(200, TOKEN("token-two"), NULL);
	is_to_vault("Bearer token-two");
	answer(401, "", GOOD);
	assert_int_equal(calls, 1);
	assert_int_equal(judged.reason, CMK_TOKEN_REFUSED);
	assert_int_equal(n_tokens, 2);
	/* the next one begins with the newer, and may be valid */
	begin(HOST);
	is_to_vault("Bearer token-two");
	answer(200, UNWRAPPED, NULL);
	assert_int_equal(judged.reason, CMK_REASON_OK);
}

/* Claims reach the token endpoint once; the refresh is still there afterwards, and then it ends. */
static void claims(void **state)
{
	(void)state;
	to_the_call(TOKEN("token-one"));
	answer(401, "", CLAIMS);
	is_to_imds();
	assert_non_null(strstr(sent.url, "&claims=%7B%22a%22%3A1%7D"));
	answer(200, TOKEN("token-two"), NULL);
	is_to_vault("Bearer token-two");
	answer(401, "", CLAIMS);
	is_to_imds();
	assert_null(strstr(sent.url, "claims"));
	answer(200, TOKEN("token-three"), NULL);
	answer(401, "", CLAIMS);
	assert_int_equal(calls, 1);
	assert_int_equal(judged.reason, CMK_TOKEN_REFUSED);
	assert_int_equal(n_tokens, 3);
}

static void no_token(void **state)
{
	(void)state;
	begin(HOST);
	answer(401, "", GOOD);
	answer(400, "{\"error\":\"invalid_request\",\"error_description\":\"Identity not found\"}",
	       NULL);
	assert_int_equal(calls, 1);
	assert_int_equal(judged.reason, CMK_IDENTITY_GONE);
	assert_int_equal(n_sent, 2);
}

/* Not one packet for a vault that is not pinned, or for what is no vault's name. */
static void refused_here(void **state)
{
	static const char *const hosts[] = {
		"other.vault.azure.net",	   "evil.example",
		"CONTOSO.vault.azure.net",	   "a.b.managedhsm.azure.net",
		"x.managedhsm.azure.net@evil",	   "",
		"contoso.vault.azure.net/keys/x?",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		begin(hosts[i]);
		assert_int_equal(calls, 1);
		assert_int_equal(judged.reason, CMK_NOT_PINNED);
	}
	assert_int_equal(n_sent, 0);
}

static void another_key(void **state)
{
	(void)state;
	to_the_call(TOKEN("token-one"));
	answer(200, "{\"kid\":\"https://" HOST "/keys/other/" V "\",\"value\":\"Zm9vYmFy\"}", NULL);
	assert_int_equal(judged.reason, CMK_BAD_ANSWER);
	assert_string_equal(unwrapped, "");
}

/* Steps that each take long do not add up without end. */
static void deadline(void **state)
{
	(void)state;
	begin(HOST);
	assert_int_equal(sent.timeout_ms, 20000);
	now += 19000;
	answer(401, "", GOOD);
	now += 19000;
	answer(200, TOKEN("token-one"), NULL);
	now += 19000;
	assert_int_equal(sent.timeout_ms, 20000);
	answer(401, "", GOOD);
	now += 4000;
	answer(200, TOKEN("token-two"), NULL);
	assert_int_equal(calls, 1);
	assert_int_equal(judged.reason, CMK_UNREACHABLE);
}

/* Given up at any step, it is not heard of again. */
static void cancelled(void **state)
{
	(void)state;
	begin(HOST);
	op_cancel(op);
	op = NULL;
	assert_null(ex);
	begin(HOST);
	answer(401, "", GOOD);
	op_cancel(op); /* the fetch goes on, for others */
	op = NULL;
	answer(200, TOKEN("token-one"), NULL);
	begin(HOST);
	is_to_vault("Bearer token-one");
	op_cancel(op);
	op = NULL;
	assert_null(ex);
	assert_int_equal(calls, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_steps), TEST(wrong_resource), TEST(no_challenge), TEST(refused),
		TEST(claims),	 TEST(no_token),       TEST(refused_here), TEST(another_key),
		TEST(deadline),	 TEST(cancelled),
	};

	if (secret_process_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
