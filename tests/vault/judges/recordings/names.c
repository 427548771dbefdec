// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The names of things in a recording and in the test vault: learned from answers, put into later
 * requests.
 */
#include <stdio.h>
#include <string.h>
#include "judge.h"

void names_learn(struct names *names, const char *recorded, const char *told)
{
	if (!names->pairs)
		names->pairs = cJSON_CreateObject();
	if (*recorded && !cJSON_GetObjectItemCaseSensitive(names->pairs, recorded))
		cJSON_AddStringToObject(names->pairs, recorded, told);
}

static char *replaced(const char *text, const char *from, const char *to)
{
	char *result = NULL;
	const char *found;
	size_t size;
	FILE *out = open_memstream(&result, &size);

	while ((found = strstr(text, from))) {
		fprintf(out, "%.*s%s", (int)(found - text), text, to);
		text = found + strlen(from);
	}
	fputs(text, out);
	fclose(out);
	return result;
}

char *names_apply(const struct names *names, const char *text)
{
	char *result = xstrdup(text);
	const cJSON *pair;

	cJSON_ArrayForEach(pair, names->pairs)
	{
		char *next = replaced(result, pair->string, pair->valuestring);

		free(result);
		result = next;
	}
	return result;
}
