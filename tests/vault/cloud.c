// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The clouds' names: which hosts are vaults, which are login hosts, and which resource a token must
 * be for.
 */
#include <string.h>
#include "vault.h"

static const struct cloud clouds[] = {
	{ ".vault.azure.net", "https://vault.azure.net", "login.microsoftonline.com", false },
	{ ".managedhsm.azure.net", "https://managedhsm.azure.net", "login.microsoftonline.com",
	  true },
	{ ".vault.azure.cn", "https://vault.azure.cn", "login.chinacloudapi.cn", false },
	{ ".managedhsm.azure.cn", "https://managedhsm.azure.cn", "login.chinacloudapi.cn", true },
	{ ".vault.usgovcloudapi.net", "https://vault.usgovcloudapi.net", "login.microsoftonline.us",
	  false },
	{ ".managedhsm.usgovcloudapi.net", "https://managedhsm.usgovcloudapi.net",
	  "login.microsoftonline.us", true },
};

static const char *const other_logins[] = { "login.windows.net",
					    "login.partner.microsoftonline.cn" };

const struct cloud *cloud_of_host(const char *host)
{
	size_t len = strlen(host);

	for (size_t i = 0; i < ARRAY_SIZE(clouds); i++) {
		size_t n = strlen(clouds[i].suffix);

		if (len > n && !strcmp(host + len - n, clouds[i].suffix) &&
		    !memchr(host, '.', len - n))
			return &clouds[i];
	}
	return NULL;
}

bool cloud_is_login(const char *host)
{
	for (size_t i = 0; i < ARRAY_SIZE(clouds); i++)
		if (!strcmp(host, clouds[i].login))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(other_logins); i++)
		if (!strcmp(host, other_logins[i]))
			return true;
	return false;
}

const struct cloud *cloud_of_audience(const char *aud)
{
	for (size_t i = 0; i < ARRAY_SIZE(clouds); i++)
		if (!strcmp(aud, clouds[i].resource))
			return &clouds[i];
	return NULL;
}

const struct cloud *cloud_at(size_t i)
{
	return i < ARRAY_SIZE(clouds) ? &clouds[i] : NULL;
}
