// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The token in a volume's header, which whoever has the disk may have written. What is accepted is
 * read back alike. */
#include "fuzz.h"

#include "common/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *json = fuzz_string(data, size), *first = NULL, *second = NULL;
	struct cmk_error err = { 0 };
	struct cmk_token t;
	int r = cmk_token_parse(json, NULL, &t, &err);

	if (r == 0) {
		CHECK(cmk_token_format(&t, &first) == 0);
		CHECK(cmk_token_parse(first, NULL, &t, &err) == 0);
		CHECK(cmk_token_format(&t, &second) == 0);
		CHECK(strcmp(first, second) == 0);
	} else {
		CHECK(r == -ENOMEM || (r == -EINVAL && err.text[0]));
	}
	free(first);
	free(second);
	free(json);
	return 0;
}
