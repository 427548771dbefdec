// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The error bodies that the test vault answers with, against the known ones of the real services:
 * the same status, and word by word the same text between what stands for names and ids. Prints
 * TAP. Expects with-vault. Usage: judge-bodies error-bodies.jsonl
 */
#include <stdio.h>
#include <string.h>
#include "../../util.h"

/* Known bodies that the test vault does not have, or not in these words, and why. */
static const char *const not_compared[][2] = {
	{ "kv-disabled-key-GET", "no error: the answer of a GET, which recorded sessions compare" },
	{ "kv-disabled-secret-GET", "about secrets" },
	{ "mhsm-rbac", "known only in the words of a command-line client" },
	{ "aad-sp-disabled", "known only in the words of a document" },
};

static cJSON *read_lines(FILE *f)
{
	cJSON *list = cJSON_CreateArray();
	char *line = NULL;
	size_t size = 0;

	while (f && getline(&line, &size, f) > 0) {
		cJSON *item = cJSON_Parse(line);

		if (item)
			cJSON_AddItemToArray(list, item);
	}
	free(line);
	return list;
}

static const cJSON *find(const cJSON *list, const char *id)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list) if (json_string(item, "id") &&
					   !strcmp(json_string(item, "id"), id)) return item;
	return NULL;
}

/* The part of a body that is compared: of Entra's, whose envelope comes in several orders, the
 * description. */
static char *relevant(const char *body)
{
	const char *start = strstr(body, "AADSTS"), *end;

	if (!start)
		return xstrdup(body);
	end = strstr(start, "Trace ID:");
	if (end && end - start > 4 && !strncmp(end - 4, "\\r\\n", 4))
		end -= 4;
	else if (end && end[-1] == ' ')
		end--;
	return xasprintf("%.*s", end ? (int)(end - start) : (int)strlen(start), start);
}

/* The next piece of the template at *@p that is no placeholder ("$" and a letter), which the caller
 * frees. */
static char *piece(const char **p)
{
	const char *dollar = strchr(*p, '$');
	size_t len = dollar ? (size_t)(dollar - *p) : strlen(*p);
	char *text = xasprintf("%.*s", (int)len, *p);

	*p += len + (dollar ? 2 : 0);
	return text;
}

/* Whether @known is the template @ours with something in the places of its placeholders; else
 * *@where. */
static bool matches(const char *ours, const char *known, char **where)
{
	const char *p = ours, *at = known;
	bool first = true;

	while (*p) {
		_cleanup_free_ char *text = piece(&p);
		const char *found = strstr(at, text);

		if (!found || (first && found != at)) {
			*where = xasprintf("not in the known body: %s", text);
			return false;
		}
		at = found + strlen(text);
		first = false;
	}
	/* What ends in a placeholder may go on; what does not, may not. */
	if (*at && (p - ours < 2 || p[-2] != '$')) {
		*where = xasprintf("the known body goes on: %s", at);
		return false;
	}
	return true;
}

static bool check(const cJSON *known, const cJSON *ours, unsigned int n)
{
	const char *id = json_string(known, "id");
	const cJSON *status = cJSON_GetObjectItemCaseSensitive(known, "status");
	_cleanup_free_ char *known_body = relevant(json_string(known, "body"));
	_cleanup_free_ char *our_body = ours ? relevant(json_string(ours, "body")) : NULL;
	_cleanup_free_ char *where = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(not_compared); i++) {
		if (strcmp(not_compared[i][0], id))
			continue;
		printf("ok %u %s # SKIP %s\n", n, id, not_compared[i][1]);
		return true;
	}
	if (!ours)
		where = xstrdup("the test vault does not have it");
	else if (cJSON_IsNumber(status) && status->valueint != json_number(ours, "status", 0))
		where = xasprintf("status %d is known", status->valueint);
	else
		matches(our_body, known_body, &where);
	if (!where)
		printf("ok %u %s\n", n, id);
	else
		printf("not ok %u %s\n# %s\n", n, id, where);
	return !where;
}

int main(int argc, char **argv)
{
	_cleanup_free_ char *command =
		xasprintf("%s answer list", getenv("VAULTCTL") ? getenv("VAULTCTL") : "false");
	FILE *file = argc == 2 ? fopen(argv[1], "re") : NULL;
	FILE *vault = popen(command, "r");
	_cleanup_json_ cJSON *known = read_lines(file);
	_cleanup_json_ cJSON *ours = read_lines(vault);
	unsigned int n = 0, failed = 0;
	const cJSON *item;

	if (!file || !vault || pclose(vault)) {
		fputs("usage: with-vault judge-bodies error-bodies.jsonl\n", stderr);
		return 2;
	}
	cJSON_ArrayForEach(item, known) failed +=
		!check(item, find(ours, json_string(item, "id")), ++n);
	printf("1..%u\n", n);
	fclose(file);
	return failed ? 1 : 0;
}
