// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The comparison of an answer of the test vault with the recorded one: the same status, the same
 * headers, the same fields in the same order, and the same values, but for those in the table of
 * values that differ by nature.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include "judge.h"

#define CLOCK_SLACK_S 120

struct comparison {
	struct names *names;
	const struct exchange *recorded;
	bool list; /* inside a list of keys or versions */
	char *why;
};

typedef bool rule_fn(struct comparison *c, const cJSON *recorded, const cJSON *told,
		     const cJSON *recorded_parent, const cJSON *told_parent);

static double member(const cJSON *json, const char *name)
{
	return (double)json_number(json, name, 0);
}

static bool same_text(struct comparison *c, const cJSON *recorded, const cJSON *told)
{
	_cleanup_free_ char *mapped = NULL;

	if (!cJSON_IsString(recorded) || !cJSON_IsString(told))
		return false;
	mapped = names_apply(c->names, recorded->valuestring);
	return !strcmp(mapped, told->valuestring);
}

static bool is_version(const char *s)
{
	return strlen(s) == 32 && strspn(s, "0123456789abcdef") == 32;
}

/* In a list, the order of versions is the test vault's own: each must be one that the session made.
 */
static bool listed_version(struct comparison *c, const char *told)
{
	const cJSON *pair;

	cJSON_ArrayForEach(pair, c->names->pairs) if (!strcmp(pair->valuestring, told)) return true;
	return false;
}

static bool rule_url(struct comparison *c, const cJSON *recorded, const cJSON *told,
		     const cJSON *rp, const cJSON *tp)
{
	const char *r, *t, *r_slash, *t_slash;
	_cleanup_free_ char *r_host = NULL;
	_cleanup_free_ char *t_host = NULL;

	(void)rp, (void)tp;
	if (!cJSON_IsString(recorded) || !cJSON_IsString(told))
		return false;
	r = recorded->valuestring;
	t = told->valuestring;
	if (strncmp(r, "https://", 8) || strncmp(t, "https://", 8))
		return false;
	r_host = xasprintf("%.*s/", (int)(8 + strcspn(r + 8, "/")), r);
	t_host = xasprintf("%.*s/", (int)(8 + strcspn(t + 8, "/")), t);
	names_learn(c->names, r_host, t_host);
	r_slash = strrchr(r, '/') + 1;
	t_slash = strrchr(t, '/') + 1;
	if (is_version(r_slash) && is_version(t_slash)) {
		if (c->list)
			return listed_version(c, t_slash);
		names_learn(c->names, r_slash, t_slash);
	}
	return same_text(c, recorded, told);
}

static bool rule_length(struct comparison *c, const cJSON *recorded, const cJSON *told,
			const cJSON *rp, const cJSON *tp)
{
	(void)c, (void)rp, (void)tp;
	return cJSON_IsString(recorded) && cJSON_IsString(told) &&
	       strlen(recorded->valuestring) == strlen(told->valuestring);
}

/* What an operation makes differs, what it opens does not. */
static bool rule_value(struct comparison *c, const cJSON *recorded, const cJSON *told,
		       const cJSON *rp, const cJSON *tp)
{
	const char *url = c->recorded->url;

	if (!rule_length(c, recorded, told, rp, tp))
		return false;
	if (strcasestr(url, "/unwrapkey") || strcasestr(url, "/decrypt"))
		return same_text(c, recorded, told);
	names_learn(c->names, recorded->valuestring, told->valuestring);
	return true;
}

static bool rule_now(struct comparison *c, const cJSON *recorded, const cJSON *told,
		     const cJSON *rp, const cJSON *tp)
{
	double age = (double)time(NULL) - (cJSON_IsNumber(told) ? told->valuedouble : 0);

	(void)c, (void)rp, (void)tp;
	return cJSON_IsNumber(recorded) && age >= -1 && age <= CLOCK_SLACK_S;
}

static bool rule_since_deleted(struct comparison *c, const cJSON *recorded, const cJSON *told,
			       const cJSON *rp, const cJSON *tp)
{
	(void)c;
	return cJSON_IsNumber(recorded) && cJSON_IsNumber(told) &&
	       recorded->valuedouble - member(rp, "deletedDate") ==
		       told->valuedouble - member(tp, "deletedDate");
}

/* An expiry is the one that was asked for, or one reckoned from the creation by the rotation
 * policy. */
static bool rule_expiry(struct comparison *c, const cJSON *recorded, const cJSON *told,
			const cJSON *rp, const cJSON *tp)
{
	(void)c;
	if (!cJSON_IsNumber(recorded) || !cJSON_IsNumber(told))
		return false;
	return recorded->valuedouble == told->valuedouble ||
	       recorded->valuedouble - member(rp, "created") ==
		       told->valuedouble - member(tp, "created");
}

static bool rule_next_link(struct comparison *c, const cJSON *recorded, const cJSON *told,
			   const cJSON *rp, const cJSON *tp)
{
	const char *r, *t;
	_cleanup_free_ char *r_token = NULL;
	_cleanup_free_ char *t_token = NULL;

	(void)rp, (void)tp;
	if (cJSON_IsNull(recorded) || cJSON_IsNull(told))
		return cJSON_IsNull(recorded) && cJSON_IsNull(told);
	r = strstr(recorded->valuestring, "$skiptoken=");
	t = strstr(told->valuestring, "$skiptoken=");
	if (!r || !t)
		return false;
	r += strlen("$skiptoken=");
	t += strlen("$skiptoken=");
	r_token = xasprintf("%.*s", (int)strcspn(r, "&"), r);
	t_token = xasprintf("%.*s", (int)strcspn(t, "&"), t);
	names_learn(c->names, r_token, t_token);
	return true;
}

/* @text up to its activity id, which is a new one each time. */
static char *without_activity(const char *text)
{
	const char *id = strstr(text, "(Activity ID: ");

	return xasprintf("%.*s", id ? (int)(id - text) : (int)strlen(text), text);
}

static bool rule_message(struct comparison *c, const cJSON *recorded, const cJSON *told,
			 const cJSON *rp, const cJSON *tp)
{
	_cleanup_free_ char *mapped = NULL;
	_cleanup_free_ char *r = NULL;
	_cleanup_free_ char *t = NULL;

	(void)rp, (void)tp;
	if (!cJSON_IsString(recorded) || !cJSON_IsString(told))
		return false;
	mapped = names_apply(c->names, recorded->valuestring);
	r = without_activity(mapped);
	t = without_activity(told->valuestring);
	/* The service began to put its number in front of this message in 2021. */
	return !strcmp(r, t) || (!strncmp(t, "AKV10000: ", 10) && !strcmp(r, t + 10));
}

/* Managed HSM tells the operations in another order each time. */
static bool rule_set(struct comparison *c, const cJSON *recorded, const cJSON *told,
		     const cJSON *rp, const cJSON *tp)
{
	const cJSON *item;

	(void)c, (void)rp, (void)tp;
	cJSON_ArrayForEach(item, recorded) if (!json_names(told, item->valuestring)) return false;
	return cJSON_GetArraySize(recorded) == cJSON_GetArraySize(told);
}

static const struct {
	const char *field;
	rule_fn *rule;
	const char *how;
} rules[] = {
	{ "kid", rule_url, "host and version; the same version is the same throughout a session" },
	{ "id", rule_url, "host" },
	{ "recoveryId", rule_url, "host" },
	{ "n", rule_length, "another key of the same size" },
	{ "x", rule_length, "another key on the same curve" },
	{ "y", rule_length, "another key on the same curve" },
	{ "value", rule_value, "ciphertexts, of the same length; what is unwrapped is the same" },
	{ "created", rule_now, "the time of the play" },
	{ "updated", rule_now, "the time of the play" },
	{ "deletedDate", rule_now, "the time of the play" },
	{ "scheduledPurgeDate", rule_since_deleted, "the same time after deletedDate" },
	{ "exp", rule_expiry, "the same, or the same time after created" },
	{ "nextLink", rule_next_link, "host and skip token; it is there on the same pages" },
	{ "message", rule_message,
	  "host, version and activity id; the number AKV10000 before mid 2021" },
	{ "key_ops", rule_set, "the order of Managed HSM" },
};

void compare_list(void)
{
	puts("# values that may differ from the recorded ones:");
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		printf("#   %-18s %s\n", rules[i].field, rules[i].how);
	puts("#   headers            tenant and host in the challenge; ids, dates, lengths, "
	     "region, version, addresses");
}

static bool compare_json(struct comparison *c, const cJSON *recorded, const cJSON *told,
			 const char *path);

static rule_fn *rule_of(const cJSON *item)
{
	for (size_t i = 0; item->string && i < ARRAY_SIZE(rules); i++)
		if (!strcmp(rules[i].field, item->string) &&
		    !(i && cJSON_IsArray(item) && !strcmp(item->string, "value")))
			return rules[i].rule;
	return NULL;
}

static bool differ(struct comparison *c, const char *path, const cJSON *recorded, const cJSON *told)
{
	_cleanup_free_ char *r = recorded ? cJSON_PrintUnformatted(recorded) : xstrdup("nothing");
	_cleanup_free_ char *t = told ? cJSON_PrintUnformatted(told) : xstrdup("nothing");

	c->why = xasprintf("%s: recorded %.200s, told %.200s", path, r, t);
	return false;
}

static bool compare_members(struct comparison *c, const cJSON *recorded, const cJSON *told,
			    const char *path)
{
	const cJSON *r = recorded->child, *t = told->child;

	for (; r && t; r = r->next, t = t->next) {
		_cleanup_free_ char *inner = xasprintf("%s.%s", path, r->string ? r->string : "[]");
		rule_fn *rule = rule_of(r);

		if ((r->string || t->string) &&
		    (!r->string || !t->string || strcmp(r->string, t->string)))
			return differ(c, inner, r, t);
		if (rule ? !rule(c, r, t, recorded, told) : !compare_json(c, r, t, inner))
			return c->why ? false : differ(c, inner, r, t);
	}
	return r || t ? differ(c, path, r, t) : true;
}

static bool compare_json(struct comparison *c, const cJSON *recorded, const cJSON *told,
			 const char *path)
{
	if (cJSON_IsObject(recorded) && cJSON_IsObject(told))
		return compare_members(c, recorded, told, path);
	if (cJSON_IsArray(recorded) && cJSON_IsArray(told)) {
		c->list = c->list || !strcmp(path, ".value");
		return compare_members(c, recorded, told, path);
	}
	return cJSON_Compare(recorded, told, true) ? true : differ(c, path, recorded, told);
}

/* Headers that the frontends of the time added, or that say when and where, and not what. */
static const char *const other_headers[] = {
	"date",
	"content-length",
	"x-powered-by",
	"x-aspnet-version",
	"server",
	"x-ms-keyvault-rbac-assignment-id",
	"x-ms-keyvault-rbac-cache",
	"x-ms-build-version",
	"retry-after",
	"vary",
	"connection",
	"transfer-encoding",
	"x-ms-keyvault-region",
	"x-ms-request-id",
	"x-ms-keyvault-service-version",
	"x-ms-keyvault-network-info",
	"x-ms-client-request-id",
	"x-ms-server-latency",
	"status_code",
};
/* Of these, the last ones are compared by their presence. */
#define OTHER_ABSENT 12

static int other_header(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(other_headers); i++)
		if (!strcmp(other_headers[i], name))
			return (int)i;
	return -1;
}

/* @text with nothing between its quotes, as what is there differs by nature. */
static char *without_quoted(const char *text)
{
	char *result = xstrdup(text), *to = result;
	bool inside = false;

	for (; *text; text++) {
		if (*text == '"')
			inside = !inside;
		if (!inside || *text == '"')
			*to++ = *text;
	}
	*to = '\0';
	return result;
}

static bool compare_headers(struct comparison *c, const cJSON *recorded, const cJSON *told)
{
	const cJSON *header;

	cJSON_ArrayForEach(header, recorded)
	{
		_cleanup_free_ char *name = xstrdup(header->string);
		_cleanup_free_ char *r = NULL;
		_cleanup_free_ char *t = NULL;
		const char *value;
		int other;

		for (char *p = name; *p; p++)
			*p = (char)tolower((unsigned char)*p);
		other = other_header(name);
		if (other >= 0 && other < OTHER_ABSENT)
			continue;
		value = json_string(told, name);
		if (!value) {
			c->why = xasprintf("header %s is missing", name);
			return false;
		}
		r = without_quoted(header->valuestring);
		t = without_quoted(value);
		if (other < 0 && strcmp(r, t)) {
			c->why = xasprintf("header %s: recorded %s, told %s", name,
					   header->valuestring, value);
			return false;
		}
	}
	return true;
}

bool compare_answers(struct names *names, const struct exchange *recorded,
		     const struct answer *told, char **why)
{
	struct comparison c = { .names = names, .recorded = recorded };
	bool same;

	if (recorded->status != told->status) {
		*why = xasprintf("status: recorded %d, told %ld: %.200s", recorded->status,
				 told->status, told->text);
		return false;
	}
	if (recorded->body && told->body)
		same = compare_json(&c, recorded->body, told->body, "");
	else
		same = !recorded->body == !told->body ||
		       (recorded->status == 401 && !recorded->body);
	same = same && compare_headers(&c, recorded->headers, told->headers);
	if (!same && !c.why)
		c.why = xasprintf("body: recorded %s, told %.200s",
				  recorded->body ? "JSON" : "none", told->text);
	*why = c.why;
	return same;
}
