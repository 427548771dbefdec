// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* Bodies of errors: the first byte says who answers, the next two with which status. None of them
 * is ever valid. */
#include "fuzz.h"

#include "kms/evidence.h"

static bool is_printable(const char *s, size_t room)
{
	size_t n = strnlen(s, room);

	for (size_t i = 0; i < n; i++)
		if (s[i] < 0x20 || s[i] > 0x7e)
			return false;
	return n < room;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cmk_evidence ev = { 0 };
	struct cmk_judgement j;

	if (size < 3)
		return 0;
	evidence_from_answer(data[0] % CMK_SOURCES, (data[1] << 8 | data[2]) % 1000,
			     (const char *)data + 3, size - 3, &ev);
	CHECK(is_printable(ev.code, sizeof(ev.code)) && is_printable(ev.inner, sizeof(ev.inner)) &&
	      is_printable(ev.message, sizeof(ev.message)));
	cmk_judge(&ev, &j);
	CHECK(j.verdict != CMK_VALID);
	CHECK(is_printable(j.detail, sizeof(j.detail)));
	return 0;
}
