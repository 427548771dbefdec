// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * Faults in transport and service: the table of those in force, and what one does to the request
 * that meets it.
 */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include "vault.h"

#define HUGE_BYTES (256 << 20)

struct fault {
	struct fault *next; /* older */
	unsigned int id;
	enum fault_kind kind;
	int64_t value;
	const char *answer;
	char *host, *key;
	unsigned int classes;
	int64_t left; /* requests it still acts on; -1: without end */
	int64_t every, seen;
	int64_t ends_ms; /* 0: without end */
};

static struct fault *faults; /* newest first */

static const struct {
	const char *verb;
	const char *wants; /* what its own argument is; NULL: it has none */
	int64_t value;	   /* without one */
} kinds[FAULT_KINDS] = {
	[FAULT_NONE] = { "none", NULL, 0 },
	[FAULT_THROTTLE] = { "throttle", NULL, -1 },
	[FAULT_STATUS] = { "status", "a status from 400 to 599", -1 },
	[FAULT_ANSWER] = { "answer", "the id of an error body", -1 },
	[FAULT_CAE] = { "cae", NULL, 0 },
	[FAULT_DELAY] = { "delay", "milliseconds", -1 },
	[FAULT_HANG] = { "hang", NULL, 0 },
	[FAULT_RESET] = { "reset", NULL, 0 },
	[FAULT_TRUNCATE] = { "truncate", NULL, 0 },
	[FAULT_GARBAGE] = { "garbage", NULL, 0 },
	[FAULT_HUGE] = { "huge", "bytes", HUGE_BYTES },
	[FAULT_WRONG] = { "wrong-answer", NULL, 0 },
	[FAULT_REPLAY] = { "replay", NULL, 0 },
};

enum fault_kind fault_kind(const char *verb)
{
	for (int i = FAULT_NONE + 1; i < FAULT_KINDS; i++)
		if (!strcmp(kinds[i].verb, verb))
			return (enum fault_kind)i;
	return FAULT_NONE;
}

const char *fault_name(enum fault_kind kind)
{
	return kinds[kind].verb;
}

static void fault_free(struct fault *fault)
{
	free(fault->host);
	free(fault->key);
	free(fault);
}

static bool fault_number(const char *text, int64_t *value)
{
	char *end;

	*value = strtoll(text, &end, 10);
	return *text && !*end && *value >= 0;
}

/* The options that all faults have; an error text, or NULL. */
static char *parse_options(struct fault *fault, int *argc, char **argv)
{
	static const char *const numbers[] = { "count", "every", "for" };
	int64_t *const to[] = { &fault->left, &fault->every, &fault->ends_ms };
	const char *on = control_option(argc, argv, "on");
	const char *retry = control_option(argc, argv, "retry-after");

	put_string(&fault->host, control_option(argc, argv, "host"));
	put_string(&fault->key, control_option(argc, argv, "key"));
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		const char *text = control_option(argc, argv, numbers[i]);

		if (text && (!fault_number(text, to[i]) || !*to[i]))
			return xasprintf("--%s wants a number above 0, not \"%s\"", numbers[i],
					 text);
	}
	if (fault->ends_ms)
		fault->ends_ms += now_ms();
	fault->classes = on ? route_classes(on) : CLASSES_KEYS;
	if (!fault->classes)
		return xasprintf("--on: there is no class of requests in \"%s\" as it stands", on);
	if (retry && !fault_number(retry, &fault->value))
		return xasprintf("--retry-after wants seconds, not \"%s\"", retry);
	return NULL;
}

/* The argument that the kind itself has; an error text, or NULL. */
static char *parse_value(struct fault *fault, int argc, char **argv)
{
	const char *wants = kinds[fault->kind].wants;

	if (argc > (wants ? 1 : 0))
		return xasprintf("%s: one word too many: \"%s\"", kinds[fault->kind].verb,
				 argv[argc - 1]);
	if (fault->kind == FAULT_ANSWER) {
		fault->answer = argc ? errors_id(argv[0]) : NULL;
		return fault->answer
			       ? NULL
			       : xasprintf("answer wants %s; `answer list` shows them", wants);
	}
	if (argc == 1 && !fault_number(argv[0], &fault->value))
		return xasprintf("%s wants %s, not \"%s\"", kinds[fault->kind].verb, wants,
				 argv[0]);
	if (fault->kind == FAULT_STATUS && (fault->value < 400 || fault->value > 599))
		return xasprintf("status wants %s", wants);
	if (wants && fault->value < 0)
		return xasprintf("%s wants %s", kinds[fault->kind].verb, wants);
	return NULL;
}

unsigned int fault_add(enum fault_kind kind, int argc, char **argv, char **why)
{
	static unsigned int last_id;
	struct fault *fault = xcalloc(1, sizeof(*fault));

	fault->kind = kind;
	fault->value = kinds[kind].value;
	fault->left = -1;
	*why = parse_options(fault, &argc, argv);
	if (!*why)
		*why = parse_value(fault, argc, argv);
	if (*why) {
		fault_free(fault);
		return 0;
	}
	fault->id = ++last_id;
	fault->next = faults;
	faults = fault;
	return fault->id;
}

bool fault_clear(unsigned int id)
{
	bool found = !id;

	for (struct fault **at = &faults; *at;) {
		struct fault *fault = *at;

		if (id && fault->id != id) {
			at = &fault->next;
			continue;
		}
		found = true;
		*at = fault->next;
		fault_free(fault);
	}
	return found;
}

cJSON *fault_list(void)
{
	cJSON *list = cJSON_CreateArray();

	for (const struct fault *fault = faults; fault; fault = fault->next) {
		cJSON *item = cJSON_CreateObject();

		cJSON_AddNumberToObject(item, "id", fault->id);
		cJSON_AddStringToObject(item, "fault", kinds[fault->kind].verb);
		if (fault->answer)
			cJSON_AddStringToObject(item, "answer", fault->answer);
		else
			cJSON_AddNumberToObject(item, "value", (double)fault->value);
		cJSON_AddStringToObject(item, "host", fault->host ? fault->host : "*");
		if (fault->key)
			cJSON_AddStringToObject(item, "key", fault->key);
		cJSON_AddNumberToObject(item, "left", (double)fault->left);
		cJSON_AddItemToArray(list, item);
	}
	return list;
}

static bool meets(struct fault *fault, const struct req *req)
{
	if (!(fault->classes & 1u << req->route->class))
		return false;
	if (fault->host && fnmatch(fault->host, req->host, 0))
		return false;
	if (fault->key && (!req->key || strcmp(fault->key, req->key)))
		return false;
	if (!fault->left || (fault->ends_ms && now_ms() >= fault->ends_ms))
		return false;
	return !fault->every || ++fault->seen % fault->every == 0;
}

struct effect fault_pick(const struct req *req)
{
	struct effect effect = { .kind = FAULT_NONE };

	for (struct fault *fault = faults; fault; fault = fault->next) {
		if (!meets(fault, req))
			continue;
		if (fault->left > 0)
			fault->left--;
		effect.kind = fault->kind;
		effect.value = fault->value;
		effect.id = fault->id;
		effect.answer = fault->answer;
		break;
	}
	return effect;
}

static void answer_status(struct req *req)
{
	unsigned int status = (unsigned int)req->effect.value;
	_cleanup_free_ char *text = xasprintf(
		"{\"error\":{\"code\":\"Error%u\",\"message\":\"Status %u\"}}", status, status);

	if (req->vault && (status == 500 || status == 503))
		errors_answer(req, status == 500 ? "kv-internal" : "kv-unavailable", NULL, NULL);
	else
		answer_text(req, status, "application/json; charset=utf-8", text);
}

/* Whether the request brought a token that was asked for with claims, or none at all. */
static bool claims_met(const struct req *req)
{
	const char *header = req_header(req, "Authorization");
	const char *token = header ? strchr(header, ' ') : NULL;
	_cleanup_json_ cJSON *claims = token ? token_payload(token + 1) : NULL;

	return !token || json_string(claims, "acrs");
}

bool fault_apply(struct req *req)
{
	switch (req->effect.kind) {
	case FAULT_THROTTLE:
		if (req->vault)
			errors_answer(req, "kv-throttled", NULL, NULL);
		else
			answer_text(req, 429, "application/json",
				    "{\"error\":\"Too many requests\"}");
		if (req->effect.value >= 0)
			answer_header(req, "Retry-After", "%lld", (long long)req->effect.value);
		return true;
	case FAULT_STATUS:
		answer_status(req);
		return true;
	case FAULT_ANSWER:
		errors_answer(req, req->effect.answer, req->key, NULL);
		return true;
	case FAULT_CAE:
		if (claims_met(req))
			return false;
		errors_answer(req, "cae-challenge", NULL, NULL);
		return true;
	case FAULT_RESET:
	case FAULT_HUGE:
	case FAULT_GARBAGE:
		answer_text(req, 200, "application/json; charset=utf-8", "");
		return true;
	default:
		return false;
	}
}
