// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* WWW-Authenticate headers. Whatever one says, no token leaves for a host that is not under the
 * resource. */
#include "fuzz.h"

#include "kms/challenge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *value = fuzz_string(data, size), path[128];
	struct challenge c;

	if (challenge_parse(value, &c) == 0) {
		CHECK(c.login[0] && (c.resource[0] || c.claims[0]));
		CHECK(!c.resource[0] || strncmp(c.resource, "https://", 8) == 0);
		CHECK(!strpbrk(c.login, "/@: \"") && !strpbrk(c.resource + 8, "/@: \""));
		CHECK(c.tenant[0] == '\0' || strlen(c.tenant) == 36);
		if (challenge_fits(&c, "contoso.vault.azure.net"))
			CHECK(strcasestr("vault.azure.net", c.resource + 8));
	}
	if (challenge_realm(value, path, sizeof(path)) == 0)
		CHECK(path[0] && strlen(path) < sizeof(path));
	free(value);
	return 0;
}
