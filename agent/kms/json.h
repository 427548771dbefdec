/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* JSON from the network: cJSON, with the checks that it leaves to its caller. Pure. */
#ifndef CMK_KMS_JSON_H
#define CMK_KMS_JSON_H

#include <cjson/cJSON.h>

#include "common/base.h"

static inline void json_freep(cJSON **j)
{
	cJSON_Delete(*j);
}
#define _cleanup_json_ _cleanup_(json_freep)

/* The object that the @len bytes at @body are, and nothing else; or NULL. */
cJSON *json_object(const char *body, size_t len);

/* Member @name of @object if it is a string, else NULL. */
const char *json_string(const cJSON *object, const char *name);

/**
 * json_integer() - member @name as a whole number, 0..@max.
 * Also one in quotes, as the token endpoints write some. Return: 0, -ENOENT, -EINVAL.
 */
int json_integer(const cJSON *object, const char *name, int64_t max, int64_t *out) _must_check_;

/**
 * json_copy() - copy a text of the service's for people: its first line, cut, printable ASCII only.
 */
void json_copy(char *to, size_t room, const char *from);

#endif
