// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The table of reasons that come from the host: the kernel's words, an operator, an unreadable
 * header. */
#include <string.h>

#include <uapi/dm-cmk.h>

#include "reason.h"

static const struct host_reason {
	const char *name;
	const char *kernel; /* the kernel's word, or NULL */
	bool sticky;
	const char *text;
	const char *remedy;
} host_reasons[] = {
	{ REASON_OPERATOR_LOCK, NULL, true, "the volume was locked by hand",
	  "run `cmkctl unlock` on it when it may open again" },
	{ REASON_LEASE_EXPIRED, CMK_REASON_LEASE, false,
	  "the lease ended in the kernel before access to the KEK was proved again",
	  "none needed: it opens again as soon as a probe proves access to the KEK" },
	{ "KeyRevoked", CMK_REASON_KEY_REVOKED, true,
	  "the key was revoked in the kernel's keyring by hand",
	  "run `cmkctl unlock` on it when it may open again" },
	{ "Revoked", CMK_REASON_REVOKED, true, "a revoke message was sent to the mapping by hand",
	  "run `cmkctl unlock` on it when it may open again" },
	{ "NoKey", CMK_REASON_NO_KEY, false, "the mapping was made without a key",
	  "none needed: it opens as soon as a probe proves access to the KEK" },
	{ "Hibernation", CMK_REASON_HIBERNATION, false,
	  "the host was hibernated, which wipes the key",
	  "none needed: it opens again as soon as a probe proves access to the KEK" },
	{ REASON_HEADER_UNREADABLE, NULL, false,
	  "the LUKS2 header cannot be read, so access to the KEK cannot be proved",
	  "look at the device with `cmkctl dump`; restore the header from a backup if it is "
	  "damaged" },
};

static const struct host_reason *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(host_reasons); i++) {
		if (!strcmp(host_reasons[i].name, name))
			return &host_reasons[i];
	}
	return NULL;
}

const char *reason_from_kernel(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(host_reasons); i++) {
		if (host_reasons[i].kernel && !strcmp(host_reasons[i].kernel, word))
			return host_reasons[i].name;
	}
	return word;
}

bool reason_is_sticky(const char *name)
{
	const struct host_reason *r = find(name);

	return r && r->sticky;
}

const char *reason_text(const char *name)
{
	const struct host_reason *r = find(name);
	enum cmk_reason vault;

	if (r)
		return r->text;
	vault = cmk_reason_from_name(name);
	return vault < CMK_REASONS ? cmk_reason_text(vault) : "";
}

const char *reason_remedy(const char *name)
{
	const struct host_reason *r = find(name);
	enum cmk_reason vault;

	if (r)
		return r->remedy;
	vault = cmk_reason_from_name(name);
	return vault < CMK_REASONS ? cmk_reason_remedy(vault) : "";
}
