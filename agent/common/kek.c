// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The requirements of a KEK as a table: a new one is a function and a row. */
#include "kek.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "timeutil.h"

#define RETENTION_RECOMMENDED_DAYS 90
#define BITS_RECOMMENDED	   4096

struct subject {
	const struct cmk_kms_answer *an;
	const char *host_region;
	const char *identity_tenant;
	int64_t now;
};

/* Each writes what it found, and says how it is. */
typedef enum cmk_check_result (*check_fn)(const struct subject *s, char *found, size_t len);

static enum cmk_check_result passed_if(bool ok)
{
	return ok ? CMK_CHECK_PASSED : CMK_CHECK_FAILED;
}

static enum cmk_check_result check_type(const struct subject *s, char *found, size_t len)
{
	snprintf(found, len, "%s", s->an->kty[0] ? s->an->kty : "none");
	return passed_if(strcmp(s->an->kty, "RSA") == 0 || strcmp(s->an->kty, "RSA-HSM") == 0);
}

static enum cmk_check_result check_size(const struct subject *s, char *found, size_t len)
{
	size_t bits = s->an->n_len * 8;

	snprintf(found, len, "%zu bits", bits);
	if (bits != 2048 && bits != 3072 && bits != 4096)
		return CMK_CHECK_FAILED;
	return bits == BITS_RECOMMENDED ? CMK_CHECK_PASSED : CMK_CHECK_WARNED;
}

static enum cmk_check_result check_enabled(const struct subject *s, char *found, size_t len)
{
	snprintf(found, len, "%s", s->an->attributes.enabled ? "enabled" : "disabled");
	return passed_if(s->an->attributes.enabled);
}

static enum cmk_check_result check_activation(const struct subject *s, char *found, size_t len)
{
	if (s->an->attributes.nbf)
		utc_format(found, len, s->an->attributes.nbf);
	else
		snprintf(found, len, "none");
	return passed_if(s->an->attributes.nbf <= s->now);
}

static enum cmk_check_result check_expiry(const struct subject *s, char *found, size_t len)
{
	if (s->an->attributes.exp)
		utc_format(found, len, s->an->attributes.exp);
	else
		snprintf(found, len, "none");
	return passed_if(!s->an->attributes.exp || s->an->attributes.exp > s->now);
}

static enum cmk_check_result check_wrap(const struct subject *s, char *found, size_t len)
{
	snprintf(found, len, "%s", s->an->attributes.op_wrap ? "allowed" : "not allowed");
	return passed_if(s->an->attributes.op_wrap);
}

static enum cmk_check_result check_unwrap(const struct subject *s, char *found, size_t len)
{
	snprintf(found, len, "%s", s->an->attributes.op_unwrap ? "allowed" : "not allowed");
	return passed_if(s->an->attributes.op_unwrap);
}

/* Key Vault's recoveryLevel: "Recoverable" in it is soft delete, no "Purgeable" in it is purge
 * protection. */
static enum cmk_check_result check_soft_delete(const struct subject *s, char *found, size_t len)
{
	snprintf(found, len, "%s", s->an->recovery_level[0] ? s->an->recovery_level : "none");
	return passed_if(strstr(s->an->recovery_level, "Recoverable") != NULL);
}

static enum cmk_check_result check_purge(const struct subject *s, char *found, size_t len)
{
	snprintf(found, len, "%s", s->an->recovery_level[0] ? s->an->recovery_level : "none");
	return passed_if(s->an->recovery_level[0] && !strstr(s->an->recovery_level, "Purgeable"));
}

static enum cmk_check_result check_retention(const struct subject *s, char *found, size_t len)
{
	int days = s->an->recoverable_days;

	if (days > 0)
		snprintf(found, len, "%d days", days);
	else
		snprintf(found, len, "unknown");
	return days >= RETENTION_RECOMMENDED_DAYS ? CMK_CHECK_PASSED : CMK_CHECK_WARNED;
}

/* Two names that must be the same; where one is not known, that is no failure but cannot be vouched
 * for. */
static enum cmk_check_result check_same(const char *vault, const char *ours, const char *whose,
					char *found, size_t len)
{
	snprintf(found, len, "vault %s, %s %s", vault[0] ? vault : "unknown", whose,
		 ours[0] ? ours : "unknown");
	if (!vault[0] || !ours[0])
		return CMK_CHECK_WARNED;
	return passed_if(strcasecmp(vault, ours) == 0);
}

static enum cmk_check_result check_tenant(const struct subject *s, char *found, size_t len)
{
	return check_same(s->an->tenant, s->identity_tenant, "identity", found, len);
}

static enum cmk_check_result check_region(const struct subject *s, char *found, size_t len)
{
	return check_same(s->an->region, s->host_region, "host", found, len);
}

static const struct requirement {
	const char *name;
	check_fn check;
	const char *remedy;
} requirements[] = {
	{ "key type", check_type, "Create a key of type RSA or RSA-HSM." },
	{ "key size", check_size, "Create an RSA key of 4096 bits; 2048 and 3072 are accepted." },
	{ "enabled", check_enabled, "Enable the key." },
	{ "activation date", check_activation,
	  "Wait for it, or set an activation date in the past, or none. Is this machine's clock "
	  "right?" },
	{ "expiration date", check_expiry, "Set an expiration date in the future, or none." },
	{ "operation wrapKey", check_wrap, "Add wrapKey to the key's permitted operations." },
	{ "operation unwrapKey", check_unwrap, "Add unwrapKey to the key's permitted operations." },
	{ "soft delete", check_soft_delete, "Turn soft delete on for the vault." },
	{ "days to recover", check_retention,
	  "Keep deleted keys for 90 days: set the vault's retention." },
	{ "purge protection", check_purge,
	  "Turn purge protection on for the vault: without it a key can be destroyed for good." },
	{ "tenant", check_tenant, "Use a vault in the identity's tenant." },
	{ "region", check_region, "Use a vault in the region of this host." },
};

_Static_assert(ARRAY_SIZE(requirements) <= CMK_CHECKS_MAX, "room for all requirements");

size_t cmk_kek_check(const struct cmk_kms_answer *an, const char *host_region,
		     const char *identity_tenant, int64_t now,
		     struct cmk_check checks[CMK_CHECKS_MAX])
{
	const struct subject s = {
		.an = an,
		.host_region = host_region,
		.identity_tenant = identity_tenant,
		.now = now,
	};

	for (size_t i = 0; i < ARRAY_SIZE(requirements); i++) {
		struct cmk_check *c = &checks[i];

		c->name = requirements[i].name;
		c->result = requirements[i].check(&s, c->found, sizeof(c->found));
		c->remedy = c->result == CMK_CHECK_PASSED ? NULL : requirements[i].remedy;
	}
	return ARRAY_SIZE(requirements);
}
