// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The token cache in simulated time, over exchanges that the test answers itself. */
#include "unit.h"

#include "common/secret.h"
#include "common/timeutil.h"
#include "kms/tokencache.h"

#define S 1000

/* What stands in for http.c and the clock. */
struct http_exchange {
	http_done_fn *done;
	void *arg;
	char url[sizeof(((struct http_request *)0)->url)];
};

static int64_t now;
static struct http_exchange *under_way[16];
static size_t n_under_way;
static bool no_memory;

int64_t boottime_ms(void)
{
	return now;
}

int64_t realtime_s(void)
{
	return now / S;
}

int http_start(struct http *h, const struct http_request *rq, http_done_fn *done, void *arg,
	       struct http_exchange **ex)
{
	(void)h;
	if (no_memory)
		return -ENOMEM;
	*ex = calloc(1, sizeof(**ex));
	(*ex)->done = done;
	(*ex)->arg = arg;
	snprintf((*ex)->url, sizeof((*ex)->url), "%s", rq->url);
	assert_true(n_under_way < ARRAY_SIZE(under_way));
	under_way[n_under_way++] = *ex;
	return 0;
}

void http_abort(struct http_exchange *ex)
{
	for (size_t i = 0; i < n_under_way; i++)
		if (under_way[i] == ex)
			under_way[i] = under_way[--n_under_way];
	free(ex);
}

/* Answer the oldest exchange: a token of @lifetime_s, or a status. */
static void answer(const char *token, int lifetime_s, int status)
{
	struct http_exchange *ex = under_way[0];
	struct http_answer *an = calloc(1, sizeof(*an));
	char body[256];

	assert_true(n_under_way > 0);
	memmove(under_way, under_way + 1, --n_under_way * sizeof(under_way[0]));
	an->status = status;
	an->retry_after_s = -1;
	if (token) {
		an->len = snprintf(
			body, sizeof(body),
			"{\"access_token\":\"%s\",\"expires_in\":\"%d\",\"token_type\":\"Bearer\"}",
			token, lifetime_s);
		an->body = body;
	}
	ex->done(ex->arg, an);
	free(ex);
	free(an);
}

struct user {
	int calls;
	char token[32];
	int64_t fetched_ms;
	struct cmk_evidence failure;
};

static void on_token(void *arg, const struct token *token, const struct cmk_evidence *failure)
{
	struct user *u = arg;

	u->calls++;
	u->token[0] = '\0';
	/* one of the two, and never neither */
	assert_true(!token != !failure);
	if (token) {
		snprintf(u->token, sizeof(u->token), "%s", token->text);
		u->fetched_ms = token->fetched_ms;
	} else {
		u->failure = *failure;
	}
}

static struct tokencache *cache;
static struct cmk_kms_config config = { .imds = "http://169.254.169.254" };

static int get(struct user *u, const char *resource, int64_t newer_than_ms)
{
	static const struct cmk_identity id = { .kind = CMK_IDENTITY_MANAGED };
	const struct token_wish wish = {
		.identity = &id, .resource = resource, .login = "l", .request_id = "guid"
	};
	struct token token;
	int r = tokencache_get(cache, &wish, newer_than_ms, 5 * S, &token, on_token, u);

	if (r == 1)
		on_token(u, &token, NULL);
	return r;
}

/* A cache lives as long as its process, so it has no end; here each test's stays in sight. */
static int setup(void **state)
{
	static struct tokencache *all[16];
	static size_t n;

	(void)state;
	if (n == ARRAY_SIZE(all))
		return -1;
	now = 1000 * S;
	n_under_way = 0;
	no_memory = false;
	cache = tokencache_new(NULL, &config);
	all[n++] = cache;
	return cache ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	tokencache_free(cache);
	/* what was under way was given up */
	return n_under_way;
}

/* One fetch for all who ask while it runs, and none for those who ask later. */
static void shared(void **state)
{
	struct user u[3] = { 0 };

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(get(&u[i], "https://vault.azure.net", -1), 0);
	assert_int_equal(n_under_way, 1);
	answer("token-one", 86400, 200);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(u[i].calls, 1);
		assert_string_equal(u[i].token, "token-one");
	}
	assert_int_equal(get(&u[0], "https://vault.azure.net", -1), 1);
	assert_int_equal(n_under_way, 0);
	/* another resource is another token */
	assert_int_equal(get(&u[1], "https://managedhsm.azure.net", -1), 0);
	assert_non_null(strstr(under_way[0]->url, "managedhsm"));
	answer("token-two", 86400, 200);
	assert_string_equal(u[1].token, "token-two");
	get(&u[0], "https://vault.azure.net", -1);
	assert_string_equal(u[0].token, "token-one");
}

/* Asked for a newer one, whoever waits for it gets it, be it of the same millisecond. */
static void refused_at_once(void **state)
{
	struct user u = { 0 };

	(void)state;
	get(&u, "https://vault.azure.net", -1);
	answer("token-one", 86400, 200);
	assert_int_equal(get(&u, "https://vault.azure.net", u.fetched_ms), 0);
	answer("token-two", 86400, 200);
	assert_int_equal(u.calls, 2);
	assert_string_equal(u.token, "token-two");
	/* and when it cannot be had, the refused one is not given again */
	get(&u, "https://vault.azure.net", u.fetched_ms);
	answer(NULL, 0, 500);
	assert_int_equal(u.calls, 3);
	assert_string_equal(u.token, "");
	assert_int_equal(u.failure.source, CMK_SOURCE_IMDS);
	assert_int_equal(u.failure.http_status, 500);
}

/* Fetched again before its end; while that fails, the old one serves, until its end. */
static void refreshed_early(void **state)
{
	struct user u = { 0 };

	(void)state;
	get(&u, "https://vault.azure.net", -1);
	answer("token-one", 3600, 200);
	now += (3600 - 301) * S;
	assert_int_equal(get(&u, "https://vault.azure.net", -1), 1);
	now += 2 * S;
	assert_int_equal(get(&u, "https://vault.azure.net", -1), 0);
	answer(NULL, 0, 500);
	assert_string_equal(u.token, "token-one");
	/* not asked again for some time */
	assert_int_equal(get(&u, "https://vault.azure.net", -1), 1);
	now += 31 * S;
	assert_int_equal(get(&u, "https://vault.azure.net", -1), 0);
	answer("token-two", 3600, 200);
	assert_string_equal(u.token, "token-two");
	now += 3601 * S;
	assert_int_equal(get(&u, "https://vault.azure.net", -1), 0);
	answer(NULL, 0, 429);
	assert_string_equal(u.token, "");
	assert_int_equal(u.failure.http_status, 429);
}

/* A short life: fetched again at its half. */
static void short_lived(void **state)
{
	struct user u = { 0 };

	(void)state;
	get(&u, "https://vault.azure.net", -1);
	answer("token-one", 60, 200);
	now += 29 * S;
	assert_int_equal(get(&u, "https://vault.azure.net", -1), 1);
	now += 2 * S;
	assert_int_equal(get(&u, "https://vault.azure.net", -1), 0);
	answer("token-two", 0, 200); /* over when it comes: for those who waited, no longer */
	assert_string_equal(u.token, "token-two");
	assert_int_equal(get(&u, "https://vault.azure.net", -1), 0);
	answer("token-three", 60, 200);
	assert_string_equal(u.token, "token-three");
}

static void cancelled(void **state)
{
	struct user u[2] = { 0 };

	(void)state;
	get(&u[0], "https://vault.azure.net", -1);
	get(&u[1], "https://vault.azure.net", -1);
	tokencache_cancel(cache, &u[0]);
	answer("token-one", 60, 200);
	assert_int_equal(u[0].calls, 0);
	assert_int_equal(u[1].calls, 1);
}

static void without_memory(void **state)
{
	struct user u = { 0 };

	(void)state;
	no_memory = true;
	assert_int_equal(get(&u, "https://vault.azure.net", -1), 0);
	assert_int_equal(u.calls, 1);
	assert_int_equal(u.failure.transport, CMK_TRANSPORT_WORKER);
	no_memory = false;
	get(&u, "https://vault.azure.net", -1);
	answer("token-one", 60, 200);
	assert_string_equal(u.token, "token-one");
}

/* More resources than places: the oldest are forgotten, those under way are not. */
static void many(void **state)
{
	struct user first = { 0 }, u = { 0 };
	char resource[64];

	(void)state;
	get(&first, "https://first.example", -1);
	for (int i = 0; i < 1200; i++) {
		struct http_exchange *held = under_way[0];

		snprintf(resource, sizeof(resource), "https://r%d.example", i);
		get(&u, resource, -1);
		/* answer the newer one */
		under_way[0] = under_way[1];
		under_way[1] = held;
		answer("token-one", 86400, 200);
	}
	assert_int_equal(first.calls, 0);
	answer("token-first", 86400, 200);
	assert_string_equal(first.token, "token-first");
	assert_int_equal(get(&u, "https://r1199.example", -1), 1);
	assert_int_equal(get(&u, "https://r0.example", -1), 0);
	answer("token-one", 86400, 200);
}

/* An answer that holds no fit token is no token. */
static void malformed(void **state)
{
	static const char *const bad[] = { "x", "tok en-one", "tok\\r\\nen-one", "" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct user u = { 0 };
		struct cmk_judgement j;

		get(&u, "https://vault.azure.net", -1);
		answer(bad[i], 60, 200);
		assert_string_equal(u.token, "");
		cmk_judge(&u.failure, &j);
		assert_int_equal(j.reason, CMK_BAD_ANSWER);
	}
}

/* Freed with a fetch under way and someone waiting: nobody is called. */
static void freed_under_way(void **state)
{
	static struct user u;

	(void)state;
	get(&u, "https://vault.azure.net", -1);
	assert_int_equal(n_under_way, 1);
	tokencache_free(cache);
	cache = NULL;
	assert_int_equal(n_under_way, 0);
	assert_int_equal(u.calls, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(shared, setup, teardown),
		cmocka_unit_test_setup_teardown(refused_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(refreshed_early, setup, teardown),
		cmocka_unit_test_setup_teardown(short_lived, setup, teardown),
		cmocka_unit_test_setup_teardown(cancelled, setup, teardown),
		cmocka_unit_test_setup_teardown(without_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(many, setup, teardown),
		cmocka_unit_test_setup_teardown(malformed, setup, teardown),
		cmocka_unit_test_setup_teardown(freed_under_way, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
