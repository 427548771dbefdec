// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The keys of cmk.conf and how each one's value is read. A new key is a row of a table here and of
 * the manual. */
#include "config_keys.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "syntax.h"
#include "timeutil.h"

#define NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define DM_CHARS   NAME_CHARS "#+-.:=@_"
#define UNIT_CHARS NAME_CHARS ":_.\\@-"
#define USER_CHARS NAME_CHARS "_-."
#define HOUR_MS	   (3600 * 1000LL)
#define DAY_MS	   (24 * HOUR_MS)

static void *field(const struct cmk_key *key, void *base)
{
	return (char *)base + key->offset;
}

static int put_string(const struct cmk_key *key, void *base, const char *value)
{
	size_t len = strlen(value);

	if (len >= key->room)
		return -ENOSPC;
	memcpy(field(key, base), value, len + 1);
	return 0;
}

static int parse_duration(const struct cmk_key *key, void *base, const char *value)
{
	int64_t ms;
	int r = duration_parse(value, &ms);

	if (r < 0)
		return r;
	if (ms < key->min || ms > key->max)
		return -ERANGE;
	*(int64_t *)field(key, base) = ms;
	return 0;
}

static int parse_number(const struct cmk_key *key, void *base, const char *value)
{
	unsigned long n;

	if (!syntax_only(value, "0123456789") || strlen(value) > 9)
		return -EINVAL;
	n = strtoul(value, NULL, 10);
	if ((int64_t)n < key->min || (int64_t)n > key->max)
		return -ERANGE;
	*(unsigned int *)field(key, base) = n;
	return 0;
}

static int parse_bool(const struct cmk_key *key, void *base, const char *value)
{
	bool yes = strcmp(value, "yes") == 0;

	if (!yes && strcmp(value, "no") != 0)
		return -EINVAL;
	*(bool *)field(key, base) = yes;
	return 0;
}

static int parse_on_lock(const struct cmk_key *key, void *base, const char *value)
{
	enum cmk_on_lock *on_lock = field(key, base);

	if (strcmp(value, "orderly") == 0)
		*on_lock = CMK_LOCK_ORDERLY;
	else if (strcmp(value, "immediate") == 0)
		*on_lock = CMK_LOCK_IMMEDIATE;
	else
		return -EINVAL;
	return 0;
}

static int parse_on_inaccessible(const struct cmk_key *key, void *base, const char *value)
{
	enum cmk_on_inaccessible *on_inaccessible = field(key, base);

	if (strcmp(value, "error") == 0)
		*on_inaccessible = CMK_INACCESSIBLE_ERROR;
	else if (strcmp(value, "queue") == 0)
		*on_inaccessible = CMK_INACCESSIBLE_QUEUE;
	else
		return -EINVAL;
	return 0;
}

static int parse_path(const struct cmk_key *key, void *base, const char *value)
{
	return syntax_is_path(value) && value[1] ? put_string(key, base, value) : -EINVAL;
}

static int parse_device(const struct cmk_key *key, void *base, const char *value)
{
	char *text = field(key, base);

	if (strncmp(value, "UUID=", 5) != 0)
		return parse_path(key, base, value);
	if (!syntax_is_uuid(value + 5))
		return -EINVAL;
	for (size_t i = 0; i < 36 + 5 + 1; i++)
		text[i] = i < 5 ? value[i] : tolower((unsigned char)value[i]);
	return 0;
}

/* What mount(8) takes after -o; it goes into an argv of its own, hence no white space and no
 * leading dash. */
static int parse_mount_options(const struct cmk_key *key, void *base, const char *value)
{
	if (!*value || *value == '-' || strpbrk(value, " \t"))
		return -EINVAL;
	return put_string(key, base, value);
}

static int parse_proxy(const struct cmk_key *key, void *base, const char *value)
{
	char host[SYNTAX_HOST_MAX + 1];
	struct in6_addr addr6;

	if (!syntax_split_http(value, host, sizeof(host)))
		return -EINVAL;
	if (!syntax_only(host, NAME_CHARS "-.") && inet_pton(AF_INET6, host, &addr6) != 1)
		return -EINVAL;
	return put_string(key, base, value);
}

/* Tokens come from there in clear text: only this machine and its hypervisor can be meant. */
static int parse_imds(const struct cmk_key *key, void *base, const char *value)
{
	char host[SYNTAX_HOST_MAX + 1];
	struct in6_addr addr6;
	struct in_addr addr;

	if (!syntax_split_http(value, host, sizeof(host)))
		return -EINVAL;
	if (inet_pton(AF_INET, host, &addr) == 1) {
		uint32_t a = ntohl(addr.s_addr);

		if (a >> 24 != 127 && a >> 16 != 0xa9fe)
			return -EINVAL;
	} else if (inet_pton(AF_INET6, host, &addr6) == 1) {
		if (!IN6_IS_ADDR_LOOPBACK(&addr6) && !IN6_IS_ADDR_LINKLOCAL(&addr6))
			return -EINVAL;
	} else {
		return -EINVAL;
	}
	return put_string(key, base, value);
}

static int parse_api_version(const struct cmk_key *key, void *base, const char *value)
{
	if (!syntax_only(value, "0123456789.-") || !isdigit((unsigned char)value[0]))
		return -EINVAL;
	return put_string(key, base, value);
}

static int parse_user(const struct cmk_key *key, void *base, const char *value)
{
	return syntax_only(value, USER_CHARS) && *value != '-' ? put_string(key, base, value)
							       : -EINVAL;
}

static int put_suffix(void *base, const char *value, enum cmk_store store)
{
	struct cmk_config *cfg = base;

	if (*value == '.')
		value++;
	if (!syntax_is_host(value))
		return -EINVAL;
	if (strlen(value) + 2 > sizeof(cfg->suffix))
		return -ENOSPC;
	cfg->suffix[0] = '.';
	memcpy(cfg->suffix + 1, value, strlen(value) + 1);
	cfg->suffix_store = store;
	return 0;
}

static int parse_vault_suffix(const struct cmk_key *key, void *base, const char *value)
{
	(void)key;
	return put_suffix(base, value, CMK_STORE_VAULT);
}

static int parse_mhsm_suffix(const struct cmk_key *key, void *base, const char *value)
{
	(void)key;
	return put_suffix(base, value, CMK_STORE_MHSM);
}

/* Call @one for each word of @value; at least one must be there. */
static int each_word(void *base, const char *value,
		     int (*one)(void *base, const char *word, size_t len))
{
	const char *p = value + strspn(value, " \t");

	if (!*p)
		return -EINVAL;
	while (*p) {
		size_t len = strcspn(p, " \t");
		int r = one(base, p, len);

		if (r < 0)
			return r;
		p += len;
		p += strspn(p, " \t");
	}
	return 0;
}

static int add_vault(void *base, const char *word, size_t len)
{
	struct cmk_config *cfg = base;
	char host[sizeof(cfg->vaults[0])];

	if (len >= sizeof(host))
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		host[i] = tolower((unsigned char)word[i]);
	host[len] = '\0';
	if (!syntax_is_host(strncmp(host, "*.", 2) == 0 ? host + 2 : host))
		return -EINVAL;
	if (cfg->n_vaults == CMK_MAX_VAULTS)
		return -ENOSPC;
	memcpy(cfg->vaults[cfg->n_vaults++], host, len + 1);
	return 0;
}

static int parse_vaults(const struct cmk_key *key, void *base, const char *value)
{
	(void)key;
	return each_word(base, value, add_vault);
}

static int add_unit(void *base, const char *word, size_t len)
{
	static const char *const types[] = {
		".service", ".socket", ".mount", ".automount", ".swap",
		".target",  ".path",   ".timer", ".slice",     ".scope"
	};
	struct cmk_volume_config *v = base;
	char *unit;

	if (v->n_units == CMK_MAX_UNITS)
		return -ENOSPC;
	unit = v->units[v->n_units];
	if (len >= sizeof(v->units[0]) || *word == '-')
		return -EINVAL;
	memcpy(unit, word, len);
	unit[len] = '\0';
	if (!syntax_only(unit, UNIT_CHARS))
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		size_t n = strlen(types[i]);

		if (len > n && strcmp(unit + len - n, types[i]) == 0) {
			v->n_units++;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_units(const struct cmk_key *key, void *base, const char *value)
{
	(void)key;
	return each_word(base, value, add_unit);
}

#define AGENT_FIELD(f)	 .offset = offsetof(struct cmk_config, f)
#define AGENT_STRING(f)	 AGENT_FIELD(f), .room = sizeof(((struct cmk_config *)0)->f)
#define VOLUME_FIELD(f)	 .offset = offsetof(struct cmk_volume_config, f)
#define VOLUME_STRING(f) VOLUME_FIELD(f), .room = sizeof(((struct cmk_volume_config *)0)->f)
#define RANGE(a, b)	 .min = (a), .max = (b)

static const struct cmk_key agent_keys[] = {
	{ "probe_interval", parse_duration, AGENT_FIELD(probe_interval_ms), RANGE(1000, HOUR_MS),
	  .allowed = "a duration from 1s to 1h" },
	{ "probe_jitter", parse_number, AGENT_FIELD(probe_jitter_percent), RANGE(0, 50),
	  .allowed = "a percentage from 0 to 50, without a sign" },
	{ "lease", parse_duration, AGENT_FIELD(lease_ms), RANGE(5000, 7 * DAY_MS),
	  .allowed = "a duration from 5s to 168h" },
	{ "confirm_after", parse_duration, AGENT_FIELD(confirm_after_ms), RANGE(100, 60000),
	  .allowed = "a duration from 100ms to 1min" },
	{ "lock_budget", parse_duration, AGENT_FIELD(lock_budget_ms), RANGE(100, HOUR_MS),
	  .allowed = "a duration from 100ms to 1h" },
	{ "socket", parse_path, AGENT_STRING(socket),
	  .allowed = "an absolute path of at most 107 characters" },
};

static const struct cmk_key kms_keys[] = {
	{ "vaults", parse_vaults, .list = true,
	  .allowed = "up to 64 host names such as contoso.vault.azure.net, or *.vault.azure.net" },
	{ "ca_file", parse_path, AGENT_STRING(ca_file),
	  .allowed = "the absolute path of a PEM file" },
	{ "proxy", parse_proxy, AGENT_STRING(proxy), .allowed = "http://HOST:PORT" },
	{ "api_version", parse_api_version, AGENT_STRING(api_version),
	  .allowed = "a version such as 7.4 or 2025-07-01" },
	{ "imds", parse_imds, AGENT_STRING(imds),
	  .allowed = "http:// and a link-local or loopback address, with :PORT if it is not 80" },
	{ "connect_timeout", parse_duration, AGENT_FIELD(connect_timeout_ms), RANGE(100, 60000),
	  .allowed = "a duration from 100ms to 1min" },
	{ "total_timeout", parse_duration, AGENT_FIELD(total_timeout_ms), RANGE(1000, 300000),
	  .allowed = "a duration from 1s to 5min" },
	{ "user", parse_user, AGENT_STRING(kms_user),
	  .allowed = "a user's name of at most 32 characters" },
	{ "worker", parse_path, AGENT_STRING(kms_path), .allowed = "the absolute path of cmk-kms" },
	{ "vault_suffix", parse_vault_suffix,
	  .allowed = "a DNS suffix such as .vault.example.net" },
	{ "mhsm_suffix", parse_mhsm_suffix,
	  .allowed = "a DNS suffix such as .managedhsm.example.net" },
};

static const struct cmk_key volume_keys[] = {
	{ "device", parse_device, VOLUME_STRING(device),
	  .allowed = "an absolute path in plain spelling, or UUID= and the LUKS UUID" },
	{ "mount", parse_path, VOLUME_STRING(mount),
	  .allowed = "an absolute path in plain spelling, other than /" },
	{ "mount_options", parse_mount_options, VOLUME_STRING(mount_options),
	  .allowed = "mount options with commas between them and no spaces" },
	{ "units", parse_units, .list = true,
	  .allowed = "up to 16 full names of systemd units, such as postgresql.service" },
	{ "on_lock", parse_on_lock, VOLUME_FIELD(on_lock), .allowed = "orderly or immediate" },
	{ "on_inaccessible", parse_on_inaccessible, VOLUME_FIELD(on_inaccessible),
	  .allowed = "error or queue" },
	{ "discards", parse_bool, VOLUME_FIELD(allow_discards), .allowed = "yes or no" },
	{ "lease", parse_duration, VOLUME_FIELD(lease_ms), RANGE(5000, 7 * DAY_MS),
	  .allowed = "a duration from 5s to 168h" },
};

const struct cmk_key *cmk_config_key(enum cmk_section section, const char *name,
				     unsigned int *index)
{
	static const struct {
		const struct cmk_key *keys;
		size_t n;
	} sections[] = {
		[CMK_SECTION_AGENT] = { agent_keys, ARRAY_SIZE(agent_keys) },
		[CMK_SECTION_KMS] = { kms_keys, ARRAY_SIZE(kms_keys) },
		[CMK_SECTION_VOLUME] = { volume_keys, ARRAY_SIZE(volume_keys) },
	};
	unsigned int base = 0;

	for (int s = CMK_SECTION_AGENT; s < (int)section; s++)
		base += sections[s].n;
	for (size_t i = 0; i < sections[section].n; i++) {
		if (strcmp(sections[section].keys[i].name, name) != 0)
			continue;
		if (index)
			*index = base + i;
		return &sections[section].keys[i];
	}
	return NULL;
}

bool cmk_config_volume_name_ok(const char *name)
{
	return syntax_only(name, DM_CHARS) && strlen(name) <= 127 && *name != '-' &&
	       strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strcmp(name, "control") != 0;
}

void cmk_config_defaults(struct cmk_config *cfg)
{
	cfg->probe_interval_ms = 60000;
	cfg->probe_jitter_percent = 10;
	cfg->lease_ms = 600000;
	cfg->confirm_after_ms = 5000;
	cfg->lock_budget_ms = 60000;
	snprintf(cfg->socket, sizeof(cfg->socket), "%s", CMK_CONTROL_SOCKET);
	snprintf(cfg->kms_path, sizeof(cfg->kms_path), "/usr/lib/cmk/cmk-kms");
	snprintf(cfg->kms_user, sizeof(cfg->kms_user), "cmk-kms");
	snprintf(cfg->api_version, sizeof(cfg->api_version), "7.4");
	snprintf(cfg->imds, sizeof(cfg->imds), "http://169.254.169.254");
	cfg->connect_timeout_ms = 5000;
	cfg->total_timeout_ms = 20000;
}
