// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* RFC 9110, 11.6.1: challenges are "<scheme> <name>=<value>, ...", and one header may hold several
 * of them. */
#include "challenge.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define VALUE_MAX 2048

static bool is_token_char(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static const char *skip(const char *p, const char *set)
{
	return p + strspn(p, set);
}

/* A token, or nothing. Return: behind it. */
static const char *read_token(const char *p, char *out, size_t room)
{
	size_t n = 0;

	while (is_token_char(p[n]))
		n++;
	if (n >= room)
		n = 0;
	memcpy(out, p, n);
	out[n] = '\0';
	return p + n;
}

/* A value, quoted or plain up to a comma or space. Return: behind it, or NULL. */
static const char *read_value(const char *p, char *out, size_t room)
{
	bool quoted = *p == '"';
	size_t n = 0;

	if (quoted)
		p++;
	for (; quoted ? *p != '"' : *p && *p != ',' && *p != ' ' && *p != '\t'; p++) {
		if (quoted && *p == '\\')
			p++;
		if (!*p || n + 1 >= room || (unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
			return NULL;
		out[n++] = *p;
	}
	out[n] = '\0';
	return quoted ? p + 1 : p;
}

/* Gets the parameters of the wanted scheme. Return: 0 or -EINVAL. */
typedef int param_fn(const char *name, const char *value, void *arg);

static int each_param(const char *p, const char *scheme, param_fn *fn, void *arg)
{
	char name[64], value[VALUE_MAX];
	bool wanted = false, found = false;
	int r;

	for (p = skip(p, " \t,"); *p; p = skip(p, " \t,")) {
		const char *q = read_token(p, name, sizeof(name));

		if (!name[0])
			return -EINVAL;
		p = skip(q, " \t");
		if (*p != '=') {
			/* a token with no '=' behind it is the next scheme; a second challenge of
			 * ours is ignored */
			wanted = !found && strcasecmp(name, scheme) == 0;
			found |= wanted;
			continue;
		}
		p = read_value(skip(p + 1, " \t"), value, sizeof(value));
		if (!p)
			return -EINVAL;
		r = wanted ? fn(name, value, arg) : 0;
		if (r < 0)
			return r;
	}
	return found ? 0 : -ENOENT;
}

static int copy(char *to, size_t room, const char *from, size_t len)
{
	if (len >= room)
		return -EINVAL;
	memcpy(to, from, len);
	to[len] = '\0';
	return 0;
}

static bool is_host(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)p[i]) && p[i] != '-' && p[i] != '.')
			return false;
	return len > 0 && p[0] != '.' && p[len - 1] != '.';
}

static bool is_guid(const char *p)
{
	for (size_t i = 0; i < 36; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? p[i] != '-'
							    : !isxdigit((unsigned char)p[i]))
			return false;
	return p[36] == '\0' || p[36] == '/';
}

/* "https://<login>/<tenant>[/...]" */
static int take_authority(struct challenge *c, const char *url)
{
	const char *p = url + strlen("https://");
	size_t len;

	if (strncmp(url, "https://", strlen("https://")) != 0)
		return -EINVAL;
	len = strcspn(p, "/");
	if (!is_host(p, len) || copy(c->login, sizeof(c->login), p, len) < 0)
		return -EINVAL;
	p += len;
	if (*p == '/' && is_guid(p + 1))
		for (size_t i = 0; i < 36; i++)
			c->tenant[i] = tolower((unsigned char)p[i + 1]);
	return 0;
}

/* "https://<host>[/]" */
static int take_resource(struct challenge *c, const char *url, size_t len)
{
	const size_t scheme = strlen("https://");

	if (len && url[len - 1] == '/')
		len--;
	if (len <= scheme || strncmp(url, "https://", scheme) != 0 ||
	    !is_host(url + scheme, len - scheme))
		return -EINVAL;
	return copy(c->resource, sizeof(c->resource), url, len);
}

struct bearer {
	struct challenge *c;
	bool have_scope, insufficient;
};

static int bearer_param(const char *name, const char *value, void *arg)
{
	static const char suffix[] = "/.default";
	struct bearer *b = arg;
	size_t len = strlen(value);

	if (strcasecmp(name, "authorization") == 0 || strcasecmp(name, "authorization_uri") == 0)
		return take_authority(b->c, value);
	if (strcasecmp(name, "scope") == 0) {
		b->have_scope = true;
		if (len > strlen(suffix) && strcmp(value + len - strlen(suffix), suffix) == 0)
			len -= strlen(suffix);
		return take_resource(b->c, value, len);
	}
	if (strcasecmp(name, "resource") == 0 && !b->have_scope)
		return take_resource(b->c, value, len);
	if (strcasecmp(name, "error") == 0)
		b->insufficient = strcmp(value, "insufficient_claims") == 0;
	if (strcasecmp(name, "claims") == 0)
		return copy(b->c->claims, sizeof(b->c->claims), value, len);
	return 0;
}

int challenge_parse(const char *value, struct challenge *c)
{
	struct bearer b = { .c = c };
	int r;

	memset(c, 0, sizeof(*c));
	r = each_param(value, "Bearer", bearer_param, &b);
	if (r < 0)
		return r;
	if (!b.insufficient)
		c->claims[0] = '\0';
	if (!c->login[0] || (!c->resource[0] && !c->claims[0]))
		return -EINVAL;
	return 0;
}

bool challenge_fits(const struct challenge *c, const char *host)
{
	const char *under = c->resource + strlen("https://");
	size_t hl = strlen(host), ul;

	if (!c->resource[0])
		return false;
	ul = strlen(under);
	return hl > ul + 1 && host[hl - ul - 1] == '.' && strcasecmp(host + hl - ul, under) == 0;
}

struct realm {
	char *path;
	size_t room;
};

static int basic_param(const char *name, const char *value, void *arg)
{
	struct realm *realm = arg;

	if (strcasecmp(name, "realm") != 0)
		return 0;
	return copy(realm->path, realm->room, value, strlen(value));
}

int challenge_realm(const char *value, char *path, size_t room)
{
	struct realm realm = { .path = path, .room = room };
	int r;

	path[0] = '\0';
	r = each_param(value, "Basic", basic_param, &realm);
	if (r < 0)
		return r;
	return path[0] ? 0 : -EINVAL;
}
