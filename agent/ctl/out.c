// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* What cmkctl prints: JSON for programs, paragraphs and a table for people, notes on standard
 * error. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ctl.h"

void ctl_print_json(const cJSON *j)
{
	_cleanup_free_ char *text = cJSON_Print(j);

	if (text)
		printf("%s\n", text);
}

void ctl_print_field(const char *name, const char *value)
{
	if (value && *value)
		printf("  %-13s %s\n", name, value);
}

const char *ctl_text(const cJSON *obj, const char *name)
{
	const cJSON *j = cJSON_GetObjectItemCaseSensitive(obj, name);

	return cJSON_IsString(j) ? j->valuestring : "";
}

void ctl_note(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "%s: ", CTL_PROGRAM);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/* "9 min 58 s", or "" without a lease. */
static const char *lease_text(const cJSON *v, char *buf, size_t len)
{
	const cJSON *left = cJSON_GetObjectItemCaseSensitive(v, "lease_left_ms");
	int64_t s;

	if (!cJSON_IsNumber(left))
		return "";
	s = left->valuedouble / 1000;
	if (s >= 60)
		snprintf(buf, len, "%" PRId64 " min %" PRId64 " s", s / 60, s % 60);
	else
		snprintf(buf, len, "%.1f s", left->valuedouble / 1000);
	return buf;
}

static void print_units(const cJSON *v)
{
	const cJSON *unit, *units = cJSON_GetObjectItemCaseSensitive(v, "units");
	char text[1024] = "";

	cJSON_ArrayForEach(unit, units)
	{
		size_t at = strlen(text);

		if (cJSON_IsString(unit))
			snprintf(text + at, sizeof(text) - at, "%s%s", at ? " " : "",
				 unit->valuestring);
	}
	ctl_print_field("units", text);
}

static void print_volume(const cJSON *v)
{
	static const struct {
		const char *name, *title;
	} fields[] = {
		{ "meaning", "meaning" },
		{ "detail", "detail" },
		{ "error", "error" },
		{ "job", "doing" },
		{ "since", "since" },
		{ "remedy", "to do" },
		{ "kek", "KEK" },
		{ "identity", "identity" },
		{ "last_proof", "last proof" },
		{ "next_probe", "next probe" },
		{ "request_id", "request id" },
		{ "mount", "mount" },
	};
	const char *reason = ctl_text(v, "reason"), *deadline = ctl_text(v, "deadline");
	char lease[64], text[256];

	printf("%s: %s%s%s%s\n", ctl_text(v, "volume"), ctl_text(v, "state"),
	       strcmp(reason, "OK") ? " (" : "", strcmp(reason, "OK") ? reason : "",
	       strcmp(reason, "OK") ? ")" : "");
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		ctl_print_field(fields[i].title, ctl_text(v, fields[i].name));
	if (*lease_text(v, lease, sizeof(lease))) {
		snprintf(text, sizeof(text), "%s left%s%s", lease, *deadline ? ", until " : "",
			 deadline);
		ctl_print_field("lease", text);
	}
	print_units(v);
	snprintf(text, sizeof(text), "%s%s%s", ctl_text(v, "device"),
		 *ctl_text(v, "uuid") ? ", UUID " : "", ctl_text(v, "uuid"));
	ctl_print_field("device", text);
}

void ctl_print_volumes(const cJSON *status)
{
	const cJSON *v;

	cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(status, "volumes")) print_volume(v);
}

void ctl_print_table(const cJSON *status)
{
	const cJSON *v;

	printf("%-16s %-13s %-22s %-10s %s\n", "VOLUME", "STATE", "REASON", "LEASE", "DEVICE");
	cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(status, "volumes"))
	{
		char lease[64] = "";
		const char *left = lease_text(v, lease, sizeof(lease));

		printf("%-16s %-13s %-22s %-10s %s\n", ctl_text(v, "volume"), ctl_text(v, "state"),
		       ctl_text(v, "reason"), *left ? left : "-", ctl_text(v, "device"));
	}
}
