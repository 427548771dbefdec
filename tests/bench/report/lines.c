// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The guests' output, line by line and word by word.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "bench.h"

static void split(struct line *line)
{
	char *save = NULL;

	for (char *w = strtok_r(line->text, " \r\n", &save); w && line->n < WORDS_MAX;
	     w = strtok_r(NULL, " \r\n", &save))
		line->word[line->n++] = w;
}

int lines_read(struct lines *lines, const char *path)
{
	FILE *f = fopen(path, "re");
	char text[sizeof(lines->at->text)];

	if (!f)
		return -errno;
	while (fgets(text, sizeof(text), f)) {
		lines->at = realloc(lines->at, (lines->n + 1) * sizeof(*lines->at));
		if (!lines->at)
			abort();
		memset(&lines->at[lines->n], 0, sizeof(*lines->at));
		memcpy(lines->at[lines->n++].text, text, sizeof(text));
	}
	fclose(f);
	return 0;
}

void lines_split(struct lines *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		split(&lines->at[i]);
}

double line_number(const struct line *line, unsigned int i)
{
	return i < line->n ? strtod(line->word[i], NULL) : 0;
}
