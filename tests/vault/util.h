/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Small helpers of the test vault: memory that never fails, JSON access, base64url and whole files.
 */
#ifndef CMK_TESTVAULT_UTIL_H
#define CMK_TESTVAULT_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cjson/cJSON.h>

#define ARRAY_SIZE(a)  (sizeof(a) / sizeof((a)[0]))
#define __printf(f, a) __attribute__((format(printf, f, a)))
#define __must_check   __attribute__((warn_unused_result))

static inline void free_string(char **s)
{
	free(*s);
}

static inline void free_json(cJSON **json)
{
	cJSON_Delete(*json);
}

#define _cleanup_free_ __attribute__((cleanup(free_string)))
#define _cleanup_json_ __attribute__((cleanup(free_json)))

/** xasprintf() - asprintf that ends the program when memory does */
char *xasprintf(const char *fmt, ...) __printf(1, 2);
void *xcalloc(size_t n, size_t size);
char *xstrdup(const char *s);
/** put_string() - replace the string at *to, which is freed, by a copy of @s (NULL allowed) */
void put_string(char **to, const char *s);
int64_t now_ms(void);
/** json_string() - the string member @name of @json, or NULL */
const char *json_string(const cJSON *json, const char *name);
/** json_number() - the number member @name of @json, or @otherwise */
int64_t json_number(const cJSON *json, const char *name, int64_t otherwise);
/** json_sort() - order the members of @json, and if @deep of all in it, by name */
void json_sort(cJSON *json, bool deep);
/** json_names() - whether the array of strings @names holds @name or "*" */
bool json_names(const cJSON *names, const char *name);
/** b64url_encode() - base64url without padding; the caller frees */
char *b64url_encode(const void *data, size_t len);
/**
 * b64url_decode() - decode base64url, padding allowed
 * Return: the bytes, NUL-terminated beyond @len, which the caller frees, or NULL
 */
unsigned char *b64url_decode(const char *text, size_t *len);
/** random_hex() - fill @out with @n lower-case hex digits and a NUL */
void random_hex(char *out, size_t n);
void random_guid(char out[37]);
/** read_file() - a whole small file as a string, or NULL with errno */
char *read_file(const char *path);
/** write_file() - replace a file as a whole; 0 or -errno */
int __must_check write_file(const char *path, const char *text, unsigned int mode);

#endif
