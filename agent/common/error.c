// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The first failure is the cause: it is recorded once, and printed once by the layer that knows the
 * program's name. */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>

int cmk_error_set(struct cmk_error *err, enum cmk_exit exit, int r, const char *remedy,
		  const char *fmt, ...)
{
	va_list ap;

	if (!err || err->text[0])
		return r;
	err->exit = exit;
	snprintf(err->remedy, sizeof(err->remedy), "%s", remedy ? remedy : "");
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return r;
}

void cmk_error_print(const char *program, const struct cmk_error *err)
{
	fprintf(stderr, "%s: %s\n", program,
		err->text[0] ? err->text : "failed for an unknown reason");
	if (err->remedy[0])
		fprintf(stderr, "%s: %s\n", program, err->remedy);
}
