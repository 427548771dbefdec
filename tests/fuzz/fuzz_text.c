// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The small languages: key URLs, identities, durations, base64url. What is accepted has a canonical
 * form. */
#include "fuzz.h"

#include "common/base64url.h"
#include "common/identity.h"
#include "common/keyid.h"
#include "common/timeutil.h"

static void check_keyid(const char *s)
{
	struct cmk_keyid id, same;
	char url[512], again[512];

	if (cmk_keyid_parse(s, NULL, &id, NULL) < 0)
		return;
	cmk_keyid_format(&id, url, sizeof(url));
	CHECK(cmk_keyid_parse(url, NULL, &same, NULL) == 0);
	CHECK(strcmp(url, cmk_keyid_format(&same, again, sizeof(again))) == 0);
}

static void check_identity(const char *s)
{
	struct cmk_identity id, same;
	char text[512], again[512];

	if (cmk_identity_parse(s, &id, NULL) < 0)
		return;
	cmk_identity_format(&id, text, sizeof(text));
	CHECK(cmk_identity_parse(text, &same, NULL) == 0);
	CHECK(strcmp(text, cmk_identity_format(&same, again, sizeof(again))) == 0);
}

static void check_base64url(const char *s)
{
	uint8_t bytes[256];
	char again[400];
	size_t len;

	if (base64url_decode(s, bytes, sizeof(bytes), &len) < 0)
		return;
	base64url_encode(bytes, len, again, sizeof(again));
	CHECK(strcmp(s, again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *s = fuzz_string(data, size);
	int64_t ms;

	check_keyid(s);
	check_identity(s);
	check_base64url(s);
	if (duration_parse(s, &ms) == 0)
		CHECK(ms >= 0 && ms <= 7LL * 24 * 3600 * 1000);
	free(s);
	return 0;
}
