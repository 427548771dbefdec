// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * Small helpers of the test vault: memory that never fails, JSON access, base64url and whole files.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "vault.h"

static void *must(void *p)
{
	if (!p) {
		fputs("cmk-testvault: out of memory\n", stderr);
		abort();
	}
	return p;
}

char *xasprintf(const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	return must(s);
}

void *xcalloc(size_t n, size_t size)
{
	return must(calloc(n, size));
}

char *xstrdup(const char *s)
{
	return must(strdup(s));
}

void put_string(char **to, const char *s)
{
	char *copy = s ? xstrdup(s) : NULL;

	free(*to);
	*to = copy;
}

int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

const char *json_string(const cJSON *json, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
}

int64_t json_number(const cJSON *json, const char *name, int64_t otherwise)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);

	return cJSON_IsNumber(item) ? (int64_t)item->valuedouble : otherwise;
}

static void json_sort_members(cJSON *object)
{
	int n = cJSON_GetArraySize(object);

	for (int left = n; left > 0; left--) {
		cJSON *item, *least = object->child;

		/* Selection: of the members not yet moved, which stand in front, the least goes to
		 * the end. */
		item = object->child;
		for (int i = 0; i < left; i++, item = item->next)
			if (strcmp(item->string, least->string) < 0)
				least = item;
		least = cJSON_DetachItemViaPointer(object, least);
		cJSON_AddItemToObject(object, least->string, least);
	}
}

void json_sort(cJSON *json, bool deep)
{
	cJSON *item;

	if (cJSON_IsObject(json))
		json_sort_members(json);
	if (deep)
		cJSON_ArrayForEach(item, json) json_sort(item, true);
}

bool json_names(const cJSON *names, const char *name)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, names)
	{
		const char *s = cJSON_GetStringValue(item);

		if (s && (!strcmp(s, name) || !strcmp(s, "*")))
			return true;
	}
	return false;
}

static const char b64url_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

char *b64url_encode(const void *data, size_t len)
{
	const unsigned char *p = data;
	char *out = xcalloc(1, len * 4 / 3 + 4), *o = out;
	unsigned int bits = 0, n = 0;

	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | p[i];
		for (n += 8; n >= 6; n -= 6)
			*o++ = b64url_digits[bits >> (n - 6) & 63];
	}
	if (n)
		*o++ = b64url_digits[bits << (6 - n) & 63];
	return out;
}

unsigned char *b64url_decode(const char *text, size_t *len)
{
	unsigned char *out = xcalloc(1, strlen(text) * 3 / 4 + 4);
	unsigned int bits = 0, n = 0;
	size_t k = 0;

	for (; *text && *text != '='; text++) {
		const char *digit = strchr(b64url_digits, *text);

		if (!digit) {
			free(out);
			return NULL;
		}
		bits = bits << 6 | (unsigned int)(digit - b64url_digits);
		n += 6;
		if (n >= 8) {
			n -= 8;
			out[k++] = (unsigned char)(bits >> n);
		}
	}
	*len = k;
	return out;
}

void random_hex(char *out, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	crypto_random(out, n);
	for (size_t i = 0; i < n; i++)
		out[i] = digits[out[i] & 15];
	out[n] = '\0';
}

void random_guid(char out[37])
{
	char hex[33];

	random_hex(hex, 32);
	snprintf(out, 37, "%.8s-%.4s-4%.3s-a%.3s-%.12s", hex, hex + 8, hex + 13, hex + 17,
		 hex + 20);
}

char *read_file(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (!f)
		return NULL;
	if (getdelim(&text, &size, '\0', f) < 0) {
		free(text);
		text = xstrdup("");
	}
	fclose(f);
	return text;
}

int write_file(const char *path, const char *text, unsigned int mode)
{
	_cleanup_free_ char *temporary = xasprintf("%s.new", path);
	int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	size_t len = strlen(text);
	bool written;

	if (fd < 0)
		return -errno;
	written = write(fd, text, len) == (ssize_t)len;
	if (close(fd) || !written || rename(temporary, path)) {
		int r = errno ? -errno : -EIO;

		unlink(temporary);
		return r;
	}
	return 0;
}
