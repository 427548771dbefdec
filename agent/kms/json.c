// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* cJSON takes garbage behind a value, and numbers that are none: both are refused here. */
#include "json.h"

#include <string.h>

cJSON *json_object(const char *body, size_t len)
{
	const char *end = NULL;
	cJSON *j;

	/* a NUL would end the text early for cJSON and for us at different places */
	if (len == 0 || memchr(body, '\0', len))
		return NULL;
	j = cJSON_ParseWithLengthOpts(body, len, &end, false);
	if (!j)
		return NULL;
	while (end < body + len && strchr(" \t\r\n", *end))
		end++;
	if (end == body + len && cJSON_IsObject(j))
		return j;
	cJSON_Delete(j);
	return NULL;
}

const char *json_string(const cJSON *object, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

static int from_digits(const char *s, int64_t max, int64_t *out)
{
	int64_t v = 0;

	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		if (*s < '0' || *s > '9' || v > (max - (*s - '0')) / 10)
			return -EINVAL;
		v = v * 10 + (*s - '0');
	}
	*out = v;
	return 0;
}

int json_integer(const cJSON *object, const char *name, int64_t max, int64_t *out)
{
	const cJSON *j = cJSON_GetObjectItemCaseSensitive(object, name);
	double d;

	if (!j || cJSON_IsNull(j))
		return -ENOENT;
	if (cJSON_IsString(j))
		return from_digits(j->valuestring, max, out);
	if (!cJSON_IsNumber(j))
		return -EINVAL;
	d = j->valuedouble;
	/* written so that a NaN fails */
	if (!(d >= 0 && d <= (double)max) || d != (double)(int64_t)d)
		return -EINVAL;
	*out = (int64_t)d;
	return 0;
}

void json_copy(char *to, size_t room, const char *from)
{
	size_t n = 0;

	for (; from && *from && *from != '\r' && *from != '\n' && n + 1 < room; from++)
		to[n++] = *from >= 0x20 && *from <= 0x7e ? *from : '?';
	to[n] = '\0';
}
