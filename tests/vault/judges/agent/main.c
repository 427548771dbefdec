// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The agent's client against recorded answers of the real services: the test vault plays each
 * recording, cmk-kms asks what it can ask of it, and what it reads must be what was recorded. One
 * test a recording; prints TAP. Expects the network of with-vault. Usage: judge-agent KMS FILE...
 */
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include "../recordings/judge.h"
#include "told.h"

/* What the two forms of a key's answer have in common, and what the agent must have read of it. */
static const char *expected_reason(const cJSON *body)
{
	const cJSON *attr = cJSON_GetObjectItemCaseSensitive(body, "attributes");
	const cJSON *key = cJSON_GetObjectItemCaseSensitive(body, "key");
	int64_t now = time(NULL), nbf = json_number(attr, "nbf", 0),
		exp = json_number(attr, "exp", 0);

	if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(attr, "enabled")))
		return "KeyDisabled";
	if (nbf > now)
		return "KeyNotYetValid";
	if (exp && exp <= now)
		return "KeyExpired";
	return json_names(cJSON_GetObjectItemCaseSensitive(key, "key_ops"), "unwrapKey")
		       ? "OK"
		       : "KeyOperationForbidden";
}

static bool same_bytes(const cJSON *json, const char *name, const unsigned char *bytes, size_t len)
{
	_cleanup_free_ char *text = b64url_encode(bytes, len);
	const char *recorded = json_string(json, name);

	return recorded ? !strcmp(recorded, text) : !len;
}

/* What the agent read otherwise than recorded, or NULL. */
static char *compare_key(const struct exchange *e, const struct told *told)
{
	const cJSON *key = cJSON_GetObjectItemCaseSensitive(e->body, "key");
	const cJSON *attr = cJSON_GetObjectItemCaseSensitive(e->body, "attributes");
	const char *kid = json_string(key, "kid"), *kty = json_string(key, "kty");
	const char *reason = expected_reason(e->body);
	const char *version = kid ? strrchr(kid, '/') + 1 : "";

	if (strcmp(told->kty, kty ? kty : ""))
		return xasprintf("kty: recorded %s, read %s (%s)", kty, told->kty, told->detail);
	if (strcmp(told->version, version))
		return xasprintf("version: recorded %s, read %s", version, told->version);
	if (told->enabled != cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(attr, "enabled")))
		return xasprintf("enabled: read %d", told->enabled);
	if (told->nbf != json_number(attr, "nbf", 0) || told->exp != json_number(attr, "exp", 0))
		return xasprintf("dates: read %lld and %lld", (long long)told->nbf,
				 (long long)told->exp);
	if (!same_bytes(key, "n", told->n, told->n_len) ||
	    !same_bytes(key, "e", told->e, told->e_len))
		return xstrdup("n or e");
	if (strcasecmp(told->reason, reason))
		return xasprintf("verdict: %s, %s instead of %s", told->verdict, told->reason,
				 reason);
	return NULL;
}

static char *ask_get(const struct exchange *e, const char *url)
{
	struct told told;

	if (!told_get(url, &told))
		return xasprintf("the agent takes %s for malformed", url);
	if (e->status == 200)
		return compare_key(e, &told);
	if (strcmp(told.verdict, "revoked") || strcmp(told.reason, "KeyNotFound"))
		return xasprintf("404 read as %s, %s", told.verdict, told.reason);
	return NULL;
}

static char *ask_unwrap(const struct session *session, size_t i, const char *url)
{
	const struct exchange *e = &session->exchanges[i];
	const cJSON *asked = e->request ? e->request : session->exchanges[i ? i - 1 : 0].body;
	const char *alg = json_string(asked, "alg"), *value = json_string(asked, "value");
	unsigned char *bytes;
	struct told told;
	size_t len = 0;
	bool done;

	bytes = value ? b64url_decode(value, &len) : NULL;
	done = bytes && told_unwrap(url, alg ? alg : "RSA-OAEP-256", bytes, len, &told);
	free(bytes);
	if (!done)
		return xstrdup("the agent would not ask for this unwrap");
	if (!same_bytes(e->body, "value", told.output, told.output_len))
		return xasprintf("another value, of %zu bytes (%s: %s)", told.output_len,
				 told.verdict, told.detail);
	return NULL;
}

/* The URL of the exchange as the agent knows keys' URLs, which the caller frees; NULL if it never
 * asks for it. */
static char *agent_url(const struct session *session, const struct exchange *e)
{
	const char *path = strstr(e->url, "/keys/");
	_cleanup_free_ char *copy = path ? xasprintf("%.*s", (int)strcspn(path, "?"), path) : NULL;
	bool unwrap = copy && strcasestr(copy, "/unwrapkey");
	size_t len;

	if (!copy || (!strcmp(e->method, "GET") ? e->status != 200 && e->status != 404 : !unwrap))
		return NULL;
	if (strstr(copy, "/versions") || strstr(copy, "/rotationpolicy"))
		return NULL;
	if (unwrap)
		*strcasestr(copy, "/unwrapkey") = '\0';
	for (len = strlen(copy); len && copy[len - 1] == '/'; len--)
		copy[len - 1] = '\0';
	return xasprintf("https://contoso.%s.azure.net%s", session->hsm ? "managedhsm" : "vault",
			 copy);
}

/* Ask all that can be asked; how many it was, and *@why what was read otherwise. */
static unsigned int ask_all(const struct session *session, char **why)
{
	unsigned int asked = 0;

	for (size_t i = 0; i < session->n && !*why; i++) {
		const struct exchange *e = &session->exchanges[i];
		_cleanup_free_ char *url = agent_url(session, e);

		if (!url)
			continue;
		asked++;
		*why = strcmp(e->method, "GET") ? ask_unwrap(session, i, url) : ask_get(e, url);
	}
	return asked;
}

static bool check(const char *path, unsigned int number)
{
	_cleanup_free_ char *copy = xstrdup(path);
	_cleanup_free_ char *line = xasprintf("recording %s", path);
	_cleanup_free_ char *why = NULL;
	struct session session;
	unsigned int asked = 0;
	const char *skip = session_load(&session, path);

	if (!skip && !client_control(line))
		why = xstrdup("the test vault does not take the recording");
	else if (!skip)
		asked = ask_all(&session, &why);
	if (!skip && !why && !asked)
		skip = "nothing in it that the agent asks for";
	session_end(&session);
	if (skip)
		printf("ok %u %s # SKIP %s\n", number, basename(copy), skip);
	else if (why)
		printf("not ok %u %s\n# question %u: %s\n", number, basename(copy), asked, why);
	else
		printf("ok %u %s, %u questions\n", number, basename(copy), asked);
	fflush(stdout);
	return !why;
}

int main(int argc, char **argv)
{
	const char *ca = getenv("VAULT_CA");
	unsigned int failed = 0;

	if (argc < 3 || !ca) {
		fputs("usage: with-vault judge-agent KMS FILE...\n", stderr);
		return 2;
	}
	client_begin(ca);
	if (!told_begin(argv[1], ca))
		return 1;
	printf("1..%d\n", argc - 2);
	for (int i = 2; i < argc; i++)
		failed += !check(argv[i], (unsigned int)(i - 1));
	told_end();
	client_end();
	return failed ? 1 : 0;
}
