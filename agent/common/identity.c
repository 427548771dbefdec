// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The text form of an identity: "<kind>[:<field>=<value>[,...]]". One table says which kind takes
 * which fields. */
#include "identity.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum field {
	F_CLIENT_ID = 1 << 0,
	F_OBJECT_ID = 1 << 1,
	F_RESOURCE_ID = 1 << 2,
	F_TENANT = 1 << 3,
	F_CREDENTIAL = 1 << 4,
};

#define F_SELECTORS (F_CLIENT_ID | F_OBJECT_ID | F_RESOURCE_ID)

static const struct {
	const char *name;
	unsigned int required;
	unsigned int one_of; /* at most one of these */
} kinds[] = {
	[CMK_IDENTITY_MANAGED] = { "managed", 0, F_SELECTORS },
	[CMK_IDENTITY_ARC] = { "arc", 0, 0 },
	[CMK_IDENTITY_WORKLOAD] = { "workload", F_TENANT | F_CLIENT_ID, 0 },
	[CMK_IDENTITY_PRINCIPAL] = { "principal", F_TENANT | F_CLIENT_ID | F_CREDENTIAL, 0 },
};

/* In the order of the canonical form. */
static const struct {
	const char *name;
	enum field field;
	enum cmk_identity_selector selector; /* what it selects in a managed identity */
} fields[] = {
	{ "tenant", F_TENANT, CMK_SELECT_SYSTEM },
	{ "client_id", F_CLIENT_ID, CMK_SELECT_CLIENT_ID },
	{ "object_id", F_OBJECT_ID, CMK_SELECT_OBJECT_ID },
	{ "resource_id", F_RESOURCE_ID, CMK_SELECT_RESOURCE_ID },
	{ "credential", F_CREDENTIAL, CMK_SELECT_SYSTEM },
};

static int bad(struct cmk_error *err, const char *text, const char *what)
{
	return cmk_error_set(
		err, CMK_EXIT_USAGE, -EINVAL,
		"allowed: managed, managed:client_id=<guid>, managed:object_id=<guid>, "
		"managed:resource_id=<path>, arc, workload:tenant=<guid>,client_id=<guid>, "
		"principal:tenant=<guid>,client_id=<guid>,credential=<name>",
		"identity \"%.300s\": %s", text, what);
}

static bool is_guid(const char *s, size_t len)
{
	if (len != 36)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s[i] != '-' : !isxdigit((unsigned char)s[i]))
			return false;
	}
	return true;
}

static bool is_made_of(const char *s, size_t len, const char *punctuation)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr(punctuation, s[i]))
			return false;
	return true;
}

/* Keep @value in @id if it is one of @field's; GUIDs in lower case. */
static bool set_field(struct cmk_identity *id, enum field field, const char *value, size_t len)
{
	char *to = id->id;

	switch (field) {
	case F_TENANT:
		to = id->tenant;
		/* fall through */
	case F_CLIENT_ID:
	case F_OBJECT_ID:
		if (!is_guid(value, len))
			return false;
		for (size_t i = 0; i < len; i++)
			to[i] = tolower((unsigned char)value[i]);
		to[len] = '\0';
		return true;
	case F_RESOURCE_ID:
		/* an Azure resource path: nothing that would need escaping in a query */
		if (len < 2 || len >= sizeof(id->id) || value[0] != '/' ||
		    !is_made_of(value, len, "/-_.()"))
			return false;
		break;
	case F_CREDENTIAL:
		/* a file's name under $CREDENTIALS_DIRECTORY */
		if (len == 0 || len >= sizeof(id->credential) || value[0] == '.' ||
		    !is_made_of(value, len, "-_."))
			return false;
		to = id->credential;
		break;
	}
	memcpy(to, value, len);
	to[len] = '\0';
	return true;
}

static int parse_field(const char *text, const char *p, size_t len, unsigned int allowed,
		       unsigned int *seen, struct cmk_identity *id, struct cmk_error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		size_t n = strlen(fields[i].name);

		if (len <= n || p[n] != '=' || strncmp(p, fields[i].name, n) != 0)
			continue;
		if (!(allowed & fields[i].field))
			return bad(err, text, "this kind does not take such a field");
		if (*seen & fields[i].field)
			return bad(err, text, "a field is given twice");
		if (!set_field(id, fields[i].field, p + n + 1, len - n - 1))
			return bad(err, text,
				   "a value is malformed (a GUID has the form "
				   "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx)");
		*seen |= fields[i].field;
		if (id->kind == CMK_IDENTITY_MANAGED)
			id->selector = fields[i].selector;
		return 0;
	}
	return bad(err, text, "it has an unknown field");
}

int cmk_identity_parse(const char *text, struct cmk_identity *id, struct cmk_error *err)
{
	struct cmk_identity out = { 0 };
	size_t len = strcspn(text, ":"), kind;
	const char *p = text + len;
	unsigned int seen = 0;
	int r;

	for (kind = 0; kind < ARRAY_SIZE(kinds); kind++)
		if (strlen(kinds[kind].name) == len && strncmp(text, kinds[kind].name, len) == 0)
			break;
	if (kind == ARRAY_SIZE(kinds))
		return bad(err, text, "it is of an unknown kind");
	out.kind = kind;
	while (*p) {
		p++; /* the ':' or ',' */
		len = strcspn(p, ",");
		r = parse_field(text, p, len, kinds[kind].required | kinds[kind].one_of, &seen,
				&out, err);
		if (r < 0)
			return r;
		p += len;
	}
	if ((seen & kinds[kind].required) != kinds[kind].required)
		return bad(err, text, "a field is missing");
	if (__builtin_popcount(seen & kinds[kind].one_of) > 1)
		return bad(err, text,
			   "only one of client_id, object_id and resource_id may be given");
	*id = out;
	return 0;
}

static const char *field_value(const struct cmk_identity *id, size_t i)
{
	switch (fields[i].field) {
	case F_TENANT:
		return id->tenant;
	case F_CREDENTIAL:
		return id->credential;
	case F_CLIENT_ID:
		if (id->kind != CMK_IDENTITY_MANAGED)
			return id->id;
		/* fall through */
	default:
		return id->kind == CMK_IDENTITY_MANAGED && id->selector == fields[i].selector
			       ? id->id
			       : "";
	}
}

char *cmk_identity_format(const struct cmk_identity *id, char *buf, size_t len)
{
	const char *separator = ":";
	size_t used = snprintf(buf, len, "%s", kinds[id->kind].name);

	for (size_t i = 0; i < ARRAY_SIZE(fields) && used < len; i++) {
		const char *value = field_value(id, i);

		if (!value[0])
			continue;
		used += snprintf(buf + used, len - used, "%s%s=%s", separator, fields[i].name,
				 value);
		separator = ",";
	}
	return buf;
}
