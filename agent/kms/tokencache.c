// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* Ages are on CLOCK_BOOTTIME: a clock that is set does not make a token older or younger. */
#include "tokencache.h"

#include <stdio.h>
#include <string.h>

#include "common/secret.h"
#include "common/timeutil.h"

#define ENTRIES_MAX    512
#define EARLY_MS       (5 * 60 * 1000) /* fetch this long before the end, or at half the lifetime */
#define RETRY_EARLY_MS (30 * 1000)     /* after an early fetch failed */

struct waiter {
	struct waiter *next;
	token_done_fn *done; /* NULL once it waits no more */
	void *arg;
	int64_t newer_than_ms;
};

struct entry {
	struct entry *next;
	struct tokencache *tc;
	/* what it is for */
	struct cmk_identity identity;
	char resource[254];
	char login[128];
	/* the token, if there is one */
	char *token;
	int64_t fetched_ms, refresh_ms, expires_ms;
	/* the fetch, if one is under way */
	struct token_source source;
	struct http_exchange *ex;
	char *claims;
	char request_id[37];
	int64_t timeout_ms;
	struct waiter *waiters;
};

struct tokencache {
	struct http *http;
	const struct cmk_kms_config *c;
	struct entry *entries; /* the last used first */
	size_t n;
};

struct tokencache *tokencache_new(struct http *http, const struct cmk_kms_config *c)
{
	struct tokencache *tc = calloc(1, sizeof(*tc));

	if (tc) {
		tc->http = http;
		tc->c = c;
	}
	return tc;
}

static void free_entry(struct entry *e)
{
	while (e->waiters) {
		struct waiter *next = e->waiters->next;

		free(e->waiters);
		e->waiters = next;
	}
	http_abort(e->ex);
	token_source_end(&e->source);
	wiping_free(e->claims);
	wiping_free(e->token);
	free(e);
}

void tokencache_free(struct tokencache *tc)
{
	if (!tc)
		return;
	while (tc->entries) {
		struct entry *next = tc->entries->next;

		free_entry(tc->entries);
		tc->entries = next;
	}
	free(tc);
}

static bool is_same(const struct cmk_identity *a, const struct cmk_identity *b)
{
	return a->kind == b->kind && a->selector == b->selector && strcmp(a->id, b->id) == 0 &&
	       strcmp(a->tenant, b->tenant) == 0 && strcmp(a->credential, b->credential) == 0;
}

/* Drop the entry that was not used for longest and has no fetch under way. */
static void make_room(struct tokencache *tc)
{
	struct entry **idle = NULL, *e;

	if (tc->n < ENTRIES_MAX)
		return;
	for (struct entry **p = &tc->entries; *p; p = &(*p)->next)
		if (!(*p)->ex)
			idle = p;
	if (!idle)
		return;
	e = *idle;
	*idle = e->next;
	free_entry(e);
	tc->n--;
}

/* The entry for a wish, moved to the front; a new one if there is none. */
static struct entry *find(struct tokencache *tc, const struct token_wish *wish)
{
	struct entry **p = &tc->entries, *e;

	while (*p && !(is_same(&(*p)->identity, wish->identity) &&
		       strcmp((*p)->resource, wish->resource) == 0 &&
		       strcmp((*p)->login, wish->login) == 0))
		p = &(*p)->next;
	e = *p;
	if (e) {
		*p = e->next;
	} else {
		make_room(tc);
		e = calloc(1, sizeof(*e));
		if (!e)
			return NULL;
		e->tc = tc;
		e->identity = *wish->identity;
		snprintf(e->resource, sizeof(e->resource), "%s", wish->resource);
		snprintf(e->login, sizeof(e->login), "%s", wish->login);
		tc->n++;
	}
	e->next = tc->entries;
	tc->entries = e;
	return e;
}

static bool is_usable(const struct entry *e, int64_t newer_than_ms)
{
	return e->token && boottime_ms() < e->expires_ms && e->fetched_ms > newer_than_ms;
}

/* The fetch is over: tell everyone. None of them asks for a token from within its function. */
static void finish(struct entry *e, const struct cmk_evidence *failure)
{
	const struct token token = { e->token, e->fetched_ms };
	struct waiter *w = e->waiters;

	e->waiters = NULL;
	e->ex = NULL;
	token_source_end(&e->source);
	wiping_free(e->claims);
	e->claims = NULL;
	while (w) {
		struct waiter *next = w->next;

		/* an early fetch that fails costs nothing while the old token lives; what was
		 * fetched for someone is new to them, even within the same millisecond */
		if (w->done && (!failure || is_usable(e, w->newer_than_ms)))
			w->done(w->arg, &token, NULL);
		else if (w->done)
			w->done(w->arg, NULL, failure);
		free(w);
		w = next;
	}
}

static void fail(struct entry *e, const struct cmk_evidence *ev)
{
	int64_t now = boottime_ms();

	if (e->token && now >= e->refresh_ms)
		e->refresh_ms = now + RETRY_EARLY_MS;
	finish(e, ev);
}

static void fail_memory(struct entry *e)
{
	struct cmk_evidence ev = { .transport = CMK_TRANSPORT_WORKER, .retry_after_s = -1 };

	snprintf(ev.message, sizeof(ev.message), "the worker is out of memory");
	fail(e, &ev);
}

static void on_answer(void *arg, const struct http_answer *an);

static struct token_wish wish_of(const struct entry *e)
{
	return (struct token_wish){ .identity = &e->identity,
				    .resource = e->resource,
				    .login = e->login,
				    .claims = e->claims,
				    .request_id = e->request_id };
}

/* Send the next request; @r says whether there is one. */
static void go_on(struct entry *e, int r, struct http_request *rq, const struct cmk_evidence *ev)
{
	e->ex = NULL;
	if (r == -EINVAL) {
		fail(e, ev);
		return;
	}
	rq->request_id = e->request_id;
	rq->timeout_ms = e->timeout_ms;
	if (r < 0 || http_start(e->tc->http, rq, on_answer, e, &e->ex) < 0)
		fail_memory(e);
}

static void take_token(struct entry *e, const struct http_answer *an)
{
	struct cmk_evidence ev;
	char *token = NULL;
	int64_t lifetime_s = 0, now, early;
	int r = token_source_read(&e->source, an, &token, &lifetime_s, &ev);

	if (r == -EBADMSG) {
		fail(e, &ev);
		return;
	}
	if (r < 0) {
		fail_memory(e);
		return;
	}
	now = boottime_ms();
	early = lifetime_s * 500 < EARLY_MS ? lifetime_s * 500 : EARLY_MS;
	wiping_free(e->token);
	e->token = token;
	e->fetched_ms = now;
	e->expires_ms = now + lifetime_s * 1000;
	e->refresh_ms = e->expires_ms - early;
	finish(e, NULL);
}

static void on_answer(void *arg, const struct http_answer *an)
{
	struct entry *e = arg;
	const struct token_wish wish = wish_of(e);
	struct http_request rq = { 0 };
	struct cmk_evidence ev;
	int r = 0;

	if (an->transport == CMK_TRANSPORT_OK)
		r = token_source_next(&e->source, e->tc->c, &wish, an, &rq, &ev);
	if (r == 0)
		take_token(e, an);
	else
		go_on(e, r, &rq, &ev);
}

static int add_waiter(struct entry *e, int64_t newer_than_ms, token_done_fn *done, void *arg)
{
	struct waiter *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	*w = (struct waiter){
		.next = e->waiters, .done = done, .arg = arg, .newer_than_ms = newer_than_ms
	};
	e->waiters = w;
	return 0;
}

static int start_fetch(struct entry *e, const struct token_wish *wish, int64_t timeout_ms)
{
	e->timeout_ms = timeout_ms;
	snprintf(e->request_id, sizeof(e->request_id), "%s", wish->request_id);
	e->claims = wish->claims ? wiping_strdup(wish->claims) : NULL;
	return wish->claims && !e->claims ? -ENOMEM : 0;
}

int tokencache_get(struct tokencache *tc, const struct token_wish *wish, int64_t newer_than_ms,
		   int64_t timeout_ms, struct token *token, token_done_fn *done, void *arg)
{
	struct entry *e = find(tc, wish);
	struct http_request rq = { 0 };
	struct cmk_evidence ev;
	struct token_wish own;
	bool fetching;
	int r;

	if (!e)
		return -ENOMEM;
	if (is_usable(e, newer_than_ms) && boottime_ms() < e->refresh_ms) {
		*token = (struct token){ e->token, e->fetched_ms };
		return 1;
	}
	fetching = e->ex;
	r = add_waiter(e, newer_than_ms, done, arg);
	if (r < 0 || fetching)
		return r;
	r = start_fetch(e, wish, timeout_ms);
	own = wish_of(e);
	own.credential = wish->credential;
	if (r == 0)
		r = token_source_first(&e->source, tc->c, &own, &rq, &ev);
	go_on(e, r, &rq, &ev);
	return 0;
}

void tokencache_cancel(struct tokencache *tc, const void *arg)
{
	for (struct entry *e = tc->entries; e; e = e->next)
		for (struct waiter *w = e->waiters; w; w = w->next)
			if (w->arg == arg)
				w->done = NULL;
}
