// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* "How to use managed identities for Azure resources on an Azure VM to acquire an access token",
 * and IMDS's page. */
#include "imds.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

int imds_token_url(const struct cmk_kms_config *c, const struct token_wish *wish, char *url,
		   size_t room)
{
	static const char *const selectors[] = {
		[CMK_SELECT_SYSTEM] = NULL,
		[CMK_SELECT_CLIENT_ID] = "&client_id=",
		[CMK_SELECT_OBJECT_ID] = "&object_id=",
		[CMK_SELECT_RESOURCE_ID] = "&msi_res_id=",
	};
	const char *selector = selectors[wish->identity->selector];

	snprintf(url, room,
		 "%s/metadata/identity/oauth2/token?api-version=2018-02-01&resource=", c->imds);
	if (!token_source_escape(url, room, wish->resource))
		return -EINVAL;
	if (selector) {
		if (strlen(url) + strlen(selector) >= room)
			return -EINVAL;
		strcat(url, selector);
		if (!token_source_escape(url, room, wish->identity->id))
			return -EINVAL;
	}
	if (!wish->claims)
		return 0;
	if (strlen(url) + strlen("&claims=") >= room)
		return -EINVAL;
	strcat(url, "&claims=");
	return token_source_escape(url, room, wish->claims) ? 0 : -EINVAL;
}

char *imds_region_url(const struct cmk_kms_config *c, char *url, size_t room)
{
	snprintf(url, room,
		 "%s/metadata/instance/compute/location?api-version=2021-02-01&format=text",
		 c->imds);
	return url;
}

int imds_read_region(const char *body, size_t len, char *region, size_t room)
{
	if (len == 0 || len >= room)
		return -EBADMSG;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)body[i]) && body[i] != '-' && body[i] != '_')
			return -EBADMSG;
	memcpy(region, body, len);
	region[len] = '\0';
	return 0;
}
