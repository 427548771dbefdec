// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* Is a text a path, a UUID, a host name, a URL? Stricter than most, as one spelling must mean one
 * thing. */
#include "syntax.h"

#include <ctype.h>
#include <string.h>

#define HOST_CHARS "abcdefghijklmnopqrstuvwxyz0123456789-"
#define LABEL_MAX  63

bool syntax_only(const char *s, const char *chars)
{
	return *s && s[strspn(s, chars)] == '\0';
}

/* An absolute path without "." and "..", so that two spellings of one path are not taken for two.
 */
bool syntax_is_path(const char *s)
{
	if (s[0] != '/' || strstr(s, "//") || (s[1] && s[strlen(s) - 1] == '/'))
		return false;
	for (const char *p = s; p; p = strchr(p + 1, '/')) {
		size_t len = strcspn(p + 1, "/");

		if ((len == 1 && p[1] == '.') || (len == 2 && p[1] == '.' && p[2] == '.'))
			return false;
	}
	return true;
}

bool syntax_is_uuid(const char *s)
{
	for (size_t i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s[i] != '-' : !isxdigit((unsigned char)s[i]))
			return false;
	}
	return s[36] == '\0';
}

/* host[:port] after "http://". Fills @host, without the brackets of an IPv6 address. */
bool syntax_split_http(const char *url, char *host, size_t room)
{
	const char *p = url + strlen("http://"), *end;
	size_t len;

	if (strncmp(url, "http://", strlen("http://")) != 0)
		return false;
	end = *p == '[' ? strchr(++p, ']') : p + strcspn(p, ":");
	if (!end || end == p)
		return false;
	len = end - p;
	if (len >= room)
		return false;
	memcpy(host, p, len);
	host[len] = '\0';
	end += *end == ']';
	if (*end == '\0')
		return true;
	return *end == ':' && syntax_only(end + 1, "0123456789") && strlen(end + 1) <= 5 &&
	       strtoul(end + 1, NULL, 10) >= 1 && strtoul(end + 1, NULL, 10) <= 65535;
}

/* A host name of at least two labels; lower case, as it is compared later. */
bool syntax_is_host(const char *s)
{
	size_t labels = 0;

	if (strlen(s) > SYNTAX_HOST_MAX)
		return false;
	for (;;) {
		size_t len = strspn(s, HOST_CHARS);

		if (len == 0 || len > LABEL_MAX || s[0] == '-' || s[len - 1] == '-')
			return false;
		labels++;
		s += len;
		if (*s == '\0')
			return labels >= 2;
		if (*s++ != '.')
			return false;
	}
}
