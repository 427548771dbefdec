// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * Plays recorded sessions to the test vault and compares the answers, one test a session; prints
 * TAP. Expects the network of with-vault. Usage: judge-recordings FILE...
 */
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include "judge.h"

#define SETTLE_MS 1000
#define RETRY_MS  100

struct play {
	struct session session;
	struct names names;
	char *host;
	char *token, *other_token;
};

static const cJSON *attributes(const cJSON *body)
{
	return cJSON_GetObjectItemCaseSensitive(body, "attributes");
}

static void take(cJSON *to, const cJSON *from, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(from, name);

	if (item)
		cJSON_AddItemToObject(to, name, cJSON_Duplicate(item, true));
}

/* What @from says of a key's attributes, as a request would ask for them. */
static void take_attributes(cJSON *to, const cJSON *from)
{
	static const char *const wanted[] = { "enabled", "nbf", "exp", "expiryTime" };
	cJSON *attr = cJSON_AddObjectToObject(to, "attributes");

	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		take(attr, attributes(from), wanted[i]);
}

/* Where the recording does not keep requests' bodies: one that asks for what was answered. */
static cJSON *body_made(const struct session *session, size_t i)
{
	const struct exchange *e = &session->exchanges[i];
	const cJSON *key = cJSON_GetObjectItemCaseSensitive(e->body, "key");
	bool wraps = strcasestr(e->url, "/wrapkey"), unwraps = strcasestr(e->url, "/unwrapkey");
	cJSON *body = cJSON_CreateObject();

	if (strstr(e->url, "/create?")) {
		if (key) {
			take(body, key, "kty");
			take(body, key, "crv");
			take(body, key, "key_ops");
			take_attributes(body, e->body);
		} else {
			cJSON_AddStringToObject(body, "kty", "EC");
		}
	} else if (!strcmp(e->method, "PATCH")) {
		take_attributes(body, e->body);
	} else if (strstr(e->url, "/rotationpolicy")) {
		take(body, e->body, "lifetimeActions");
		take_attributes(body, e->body);
	} else if ((wraps && i + 1 < session->n) || (unwraps && i)) {
		cJSON_AddStringToObject(body, "alg", "RSA-OAEP-256");
		take(body, session->exchanges[wraps ? i + 1 : i - 1].body, "value");
	}
	return body;
}

static char *request_body(const struct play *play, size_t i)
{
	const struct exchange *e = &play->session.exchanges[i];
	_cleanup_json_ cJSON *made = NULL;
	_cleanup_free_ char *text = NULL;

	if (!strcmp(e->method, "GET") || !strcmp(e->method, "DELETE"))
		return NULL;
	if (e->request_recorded && !e->request)
		return NULL;
	if (!e->request_recorded)
		made = body_made(&play->session, i);
	text = cJSON_PrintUnformatted(made ? made : e->request);
	return names_apply(&play->names, text);
}

static const char *request_token(const struct play *play, const struct exchange *e)
{
	_cleanup_free_ char *body = e->body ? cJSON_PrintUnformatted(e->body) : xstrdup("");

	if (!e->authorized)
		return NULL;
	return strstr(body, "Found token with aud=https://vault.azure.net") ? play->other_token
									    : play->token;
}

static char *request_url(const struct play *play, const char *recorded)
{
	_cleanup_free_ char *mapped = names_apply(&play->names, recorded);
	const char *path = mapped + 8 + strcspn(mapped + 8, "/");

	return xasprintf("https://%s%s", play->host, path);
}

/* Deletions and recoveries take their time in both services, and not the same: what is not there
 * yet is asked again. */
static bool not_yet(const struct exchange *e, const struct answer *answer)
{
	return e->status < 300 && answer->status == 404;
}

static bool play_one(struct play *play, size_t i, char **why)
{
	const struct timespec pause = { .tv_nsec = RETRY_MS * 1000000L };
	const struct exchange *e = &play->session.exchanges[i];
	_cleanup_free_ char *url = request_url(play, e->url);
	_cleanup_free_ char *body = request_body(play, i);
	struct answer answer;
	bool same;

	client_send(&answer, e->method, url, request_token(play, e), body);
	for (int tries = 3 * SETTLE_MS / RETRY_MS; not_yet(e, &answer) && tries; tries--) {
		answer_end(&answer);
		nanosleep(&pause, NULL);
		client_send(&answer, e->method, url, request_token(play, e), body);
	}
	same = compare_answers(&play->names, e, &answer, why);
	answer_end(&answer);
	return same;
}

/* Give the vault the retention and the protection that the recorded one had. */
static bool prepare(struct play *play)
{
	int64_t days = 90;
	bool purgeable = true;
	_cleanup_free_ char *line = NULL;

	for (size_t i = 0; i < play->session.n; i++) {
		const cJSON *attr = attributes(play->session.exchanges[i].body);
		const char *level = json_string(attr, "recoveryLevel");

		days = json_number(attr, "recoverableDays", days);
		if (level)
			purgeable = strstr(level, "Purgeable");
	}
	line = xasprintf("vault %s --retention %lld --purge-protection %s --settle %d", play->host,
			 (long long)days, purgeable ? "off" : "on",
			 play->session.hsm ? 0 : SETTLE_MS);
	play->token = client_token(play->session.hsm ? "https://managedhsm.azure.net"
						     : "https://vault.azure.net");
	play->other_token = client_token("https://vault.azure.net");
	return client_control(line) && play->token;
}

/* Whether the session works with keys that it did not make. */
static bool begins_late(const struct session *session)
{
	const struct exchange *first = &session->exchanges[0];

	for (size_t i = 0; i < session->n && first->status == 401; i++)
		first = &session->exchanges[i];
	return first->status == 200 && !strstr(first->url, "/create");
}

static void play_session(const char *path, unsigned int number, unsigned int *failed)
{
	_cleanup_free_ char *copy = xstrdup(path);
	const char *name = basename(copy), *skip;
	struct play play = { 0 };
	char *why = NULL;
	size_t i = 0;

	skip = session_load(&play.session, path);
	if (!skip && begins_late(&play.session))
		skip = "it works with keys that were made before it began";
	play.host = xasprintf("recorded%u.%s.azure.net", number,
			      play.session.hsm ? "managedhsm" : "vault");
	if (skip) {
		printf("ok %u %s # SKIP %s\n", number, name, skip);
	} else if (!prepare(&play)) {
		printf("not ok %u %s: the vault could not be prepared\n", number, name);
		(*failed)++;
	} else {
		while (i < play.session.n && play_one(&play, i, &why))
			i++;
		if (i == play.session.n) {
			printf("ok %u %s, %zu exchanges\n", number, name, i);
		} else {
			const struct exchange *e = &play.session.exchanges[i];

			printf("not ok %u %s\n# exchange %zu of %zu: %s %s\n# %s\n", number, name,
			       i + 1, play.session.n, e->method, e->url, why ? why : "");
			(*failed)++;
		}
	}
	fflush(stdout);
	free(why);
	free(play.host);
	free(play.token);
	free(play.other_token);
	cJSON_Delete(play.names.pairs);
	session_end(&play.session);
}

int main(int argc, char **argv)
{
	const char *ca = getenv("VAULT_CA");
	unsigned int failed = 0;

	if (argc < 2 || !ca) {
		fputs("usage: with-vault judge-recordings FILE...\n", stderr);
		return 2;
	}
	client_begin(ca);
	compare_list();
	printf("1..%d\n", argc - 1);
	for (int i = 1; i < argc; i++)
		play_session(argv[i], (unsigned int)i, &failed);
	client_end();
	return failed ? 1 : 0;
}
