// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * Recorded sessions as JavaScript for nock: nock('https://host:443', ...).post('/path',
 * {body}).query(true) .reply(status, {body}, ['Header', 'value', ...]), one after another. Only
 * what is sent to vaults is taken.
 */
#include <stdio.h>
#include <string.h>
#include "judge.h"

/* The text between the quotes at *@p, which then stands behind them; NULL if there is none. The
 * caller frees. */
static char *quoted(const char **p, char quote)
{
	const char *end;
	char *text;

	if (**p != quote)
		return NULL;
	end = strchr(*p + 1, quote);
	if (!end)
		return NULL;
	text = xasprintf("%.*s", (int)(end - *p - 1), *p + 1);
	*p = end + 1;
	return text;
}

static void skip(const char **p, const char *any)
{
	*p += strspn(*p, any);
}

/* .get('/path') and its like, and the body that may follow. */
static bool read_request(struct exchange *e, const char **p, const char *host)
{
	static const char *const methods[] = { "get", "post", "put", "patch", "delete" };
	_cleanup_free_ char *path = NULL;
	const char *end;

	skip(p, " \n");
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		size_t len = strlen(methods[i]);

		if (**p != '.' || strncmp(*p + 1, methods[i], len) || (*p)[len + 1] != '(')
			continue;
		*p += len + 2;
		path = quoted(p, '\'');
		if (!path)
			return false;
		e->method = xstrdup(methods[i]);
		for (char *c = e->method; *c; c++)
			*c = (char)(*c - 'a' + 'A');
		/* .query(true) means that any query will do. */
		e->url = xasprintf("%s%s%sapi-version=7.2", host, path,
				   strchr(path, '?') ? "&" : "?");
		skip(p, ", ");
		end = *p;
		e->request = cJSON_ParseWithOpts(*p, &end, false);
		return true;
	}
	return false;
}

static bool read_reply(struct exchange *e, const char **p)
{
	const char *reply = strstr(*p, ".reply(");
	int used = 0;

	if (!reply || sscanf(reply, ".reply(%d, %n", &e->status, &used) != 1)
		return false;
	*p = reply + used;
	e->body = cJSON_ParseWithOpts(*p, p, false);
	if (cJSON_IsString(e->body)) {
		e->text = xstrdup(e->body->valuestring);
		cJSON_Delete(e->body);
		e->body = NULL;
	}
	e->headers = cJSON_CreateObject();
	skip(p, ", [\n");
	while (**p == '\'') {
		_cleanup_free_ char *name = quoted(p, '\'');
		_cleanup_free_ char *value = NULL;

		skip(p, ", \n");
		value = quoted(p, '\'');
		skip(p, ", \n");
		if (name && value)
			cJSON_AddStringToObject(e->headers, name, value);
	}
	return true;
}

bool nock_load(struct session *session, const char *text)
{
	const char *p = text;

	if (!strstr(text, "nock("))
		return false;
	while ((p = strstr(p, "\nnock("))) {
		_cleanup_free_ char *host = NULL;
		struct exchange *e;

		p += strlen("\nnock(");
		host = quoted(&p, '\'');
		p = strchr(p, '\n');
		if (!p)
			break;
		if (!host || !strstr(host, "vault.azure.net"))
			continue;
		host[strcspn(host + 8, ":") + 8] = '\0';
		e = session_add(session);
		e->request_recorded = true;
		if (!read_request(e, &p, host) || !read_reply(e, &p))
			return false;
		e->authorized = e->status != 401;
	}
	return session->n > 0;
}
