// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* A KEK's address, read strictly: what is not plainly a key's URL under a known suffix is refused.
 */
#include "keyid.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Key Vault docs, "About keys, secrets and certificates": the data plane's suffixes of each cloud.
 */
static const struct cmk_suffix suffixes[] = {
	{ ".vault.azure.net", CMK_STORE_VAULT },
	{ ".vault.azure.cn", CMK_STORE_VAULT },
	{ ".vault.usgovcloudapi.net", CMK_STORE_VAULT },
	{ ".managedhsm.azure.net", CMK_STORE_MHSM },
	{ ".managedhsm.azure.cn", CMK_STORE_MHSM },
	{ ".managedhsm.usgovcloudapi.net", CMK_STORE_MHSM },
};

#define REMEDY                                                                                     \
	"give the key's URL as the vault shows it: "                                               \
	"https://<vault>.vault.azure.net/keys/<name>[/<version>]"
#define VERSION_CHARS 32

static int bad(struct cmk_error *err, const char *url, const char *what)
{
	return cmk_error_set(err, CMK_EXIT_USAGE, -EINVAL, REMEDY, "key URL \"%.300s\": %s", url,
			     what);
}

/* One DNS label before the suffix: [0-9a-z] with inner dashes. */
static bool is_label(const char *p, size_t len)
{
	if (len == 0 || len > 63 || p[0] == '-' || p[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!islower((unsigned char)p[i]) && !isdigit((unsigned char)p[i]) && p[i] != '-')
			return false;
	return true;
}

static bool match_suffix(const char *host, const struct cmk_suffix *s)
{
	size_t hl = strlen(host), sl = strlen(s->suffix);

	/* exactly one label: a vault's name has no dot, and more would be a host of someone else's
	 * zone */
	return s->suffix[0] == '.' && hl > sl && strcmp(host + hl - sl, s->suffix) == 0 &&
	       is_label(host, hl - sl);
}

static int parse_host(const char *p, size_t len, const struct cmk_suffix *extra,
		      struct cmk_keyid *id)
{
	if (len == 0 || len >= sizeof(id->host))
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		id->host[i] = tolower((unsigned char)p[i]);
	id->host[len] = '\0';
	for (size_t i = 0; i <= ARRAY_SIZE(suffixes); i++) {
		const struct cmk_suffix *s = i < ARRAY_SIZE(suffixes) ? &suffixes[i] : extra;

		if (s && match_suffix(id->host, s)) {
			id->store = s->store;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_port(const char *p, size_t len, uint16_t *port)
{
	unsigned int n = 0;

	if (len == 0 || len > 5 || p[0] == '0')
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)p[i]))
			return -EINVAL;
		n = n * 10 + (p[i] - '0');
	}
	if (n > 65535)
		return -EINVAL;
	*port = n;
	return 0;
}

static int parse_name(const char *p, size_t len, char *name, size_t room)
{
	if (len == 0 || len >= room)
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)p[i]) && p[i] != '-')
			return -EINVAL;
	memcpy(name, p, len);
	name[len] = '\0';
	return 0;
}

static int parse_version(const char *p, char *version)
{
	if (strlen(p) != VERSION_CHARS)
		return -EINVAL;
	for (size_t i = 0; i < VERSION_CHARS; i++) {
		if (!isxdigit((unsigned char)p[i]))
			return -EINVAL;
		version[i] = tolower((unsigned char)p[i]);
	}
	version[VERSION_CHARS] = '\0';
	return 0;
}

int cmk_keyid_parse(const char *url, const struct cmk_suffix *extra, struct cmk_keyid *id,
		    struct cmk_error *err)
{
	static const char scheme[] = "https://", keys[] = "/keys/";
	struct cmk_keyid out = { .port = 443 };
	const char *p = url;
	size_t len;

	if (strncmp(p, scheme, strlen(scheme)) != 0)
		return bad(err, url, "it does not begin with https://");
	p += strlen(scheme);
	len = strcspn(p, ":/?#@");
	if (parse_host(p, len, extra, &out) < 0)
		return bad(err, url,
			   "the host is not <vault>.<suffix> of Key Vault or Managed HSM in any "
			   "cloud");
	p += len;
	if (*p == ':') {
		len = strcspn(++p, "/?#@");
		if (parse_port(p, len, &out.port) < 0)
			return bad(err, url, "the port is not a number from 1 to 65535");
		p += len;
	}
	if (strncmp(p, keys, strlen(keys)) != 0)
		return bad(err, url, "after the host it does not go on with /keys/<name>");
	p += strlen(keys);
	len = strcspn(p, "/");
	if (parse_name(p, len, out.name, sizeof(out.name)) < 0)
		return bad(err, url, "the key's name is not 1 to 127 letters, digits and dashes");
	p += len;
	if (*p == '/' && parse_version(p + 1, out.version) < 0)
		return bad(err, url, "the key's version is not 32 hexadecimal digits");
	*id = out;
	return 0;
}

char *cmk_keyid_store_url(const struct cmk_keyid *id, char *buf, size_t len)
{
	if (id->port == 443)
		snprintf(buf, len, "https://%s", id->host);
	else
		snprintf(buf, len, "https://%s:%u", id->host, id->port);
	return buf;
}

char *cmk_keyid_format(const struct cmk_keyid *id, char *buf, size_t len)
{
	char store[280];

	snprintf(buf, len, "%s/keys/%s%s%s", cmk_keyid_store_url(id, store, sizeof(store)),
		 id->name, id->version[0] ? "/" : "", id->version);
	return buf;
}
