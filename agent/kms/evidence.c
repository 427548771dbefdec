// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The envelopes: the vault's {"error":{...}}, OAuth's {"error":"...","error_description":"..."},
 * and plain texts. */
#include "evidence.h"

#include <ctype.h>
#include <string.h>

#include "json.h"

/* Copy "<prefix><digits>" to @inner if @text begins so, as in "AKV10032: Invalid issuer". */
static void find_number(const char *text, const char *prefix, char *inner, size_t room)
{
	size_t len = strlen(prefix), n = len;

	if (strncmp(text, prefix, len) != 0)
		return;
	while (isdigit((unsigned char)text[n]) && n + 1 < room)
		n++;
	if (n == len)
		return;
	memcpy(inner, text, n);
	inner[n] = '\0';
}

/* The word behind "Reason: ", as throttling has it instead of an inner error. */
static void find_reason(const char *text, char *inner, size_t room)
{
	const char *p = strstr(text, "Reason: ");
	size_t n = 0;

	if (!p)
		return;
	for (p += strlen("Reason: "); isalnum((unsigned char)p[n]) && n + 1 < room; n++)
		inner[n] = p[n];
	inner[n] = '\0';
}

static bool read_vault(const cJSON *j, struct cmk_evidence *ev)
{
	const cJSON *error = cJSON_GetObjectItemCaseSensitive(j, "error");
	const char *code = json_string(error, "code"), *inner;

	if (!code)
		return false;
	inner = json_string(cJSON_GetObjectItemCaseSensitive(error, "innererror"), "code");
	json_copy(ev->code, sizeof(ev->code), code);
	json_copy(ev->inner, sizeof(ev->inner), inner);
	json_copy(ev->message, sizeof(ev->message), json_string(error, "message"));
	return true;
}

static bool read_oauth(const cJSON *j, struct cmk_evidence *ev)
{
	const char *code = json_string(j, "error");

	if (!code)
		return false;
	json_copy(ev->code, sizeof(ev->code), code);
	json_copy(ev->message, sizeof(ev->message), json_string(j, "error_description"));
	return true;
}

/* Copy what stands between @open and @close at the beginning of the message to code. */
static bool read_text_code(struct cmk_evidence *ev, const char *open, char close)
{
	const char *p = ev->message + strlen(open);
	size_t n = 0;

	if (strncmp(ev->message, open, strlen(open)) != 0)
		return false;
	while ((isalnum((unsigned char)p[n]) || p[n] == '_') && n + 1 < sizeof(ev->code))
		n++;
	if (n == 0 || p[n] != close)
		return false;
	memcpy(ev->code, p, n);
	ev->code[n] = '\0';
	return true;
}

/* Not JSON: Managed HSM writes "(AccessDenied) ...", IMDS "error=bad_request_102 ...". */
static bool read_text(enum cmk_source source, const char *body, size_t len, struct cmk_evidence *ev)
{
	char text[sizeof(ev->message)] = "";
	size_t n = strnlen(body, len < sizeof(text) - 1 ? len : sizeof(text) - 1);

	memcpy(text, body, n);
	json_copy(ev->message, sizeof(ev->message), text);
	switch (source) {
	case CMK_SOURCE_VAULT:
		return read_text_code(ev, "(", ')');
	case CMK_SOURCE_IMDS:
		return read_text_code(ev, "error=", ' ');
	default:
		return false;
	}
}

void evidence_from_answer(enum cmk_source source, int status, const char *body, size_t len,
			  struct cmk_evidence *ev)
{
	_cleanup_json_ cJSON *j = json_object(body, len);

	ev->source = source;
	ev->http_status = status;
	ev->parsed = false;
	ev->code[0] = ev->inner[0] = ev->message[0] = '\0';
	if (status == 200)
		return;
	if (!j)
		ev->parsed = len && read_text(source, body, len, ev);
	else if (source == CMK_SOURCE_VAULT)
		ev->parsed = read_vault(j, ev);
	else
		ev->parsed = read_oauth(j, ev);
	if (!ev->inner[0])
		find_number(ev->message, source == CMK_SOURCE_VAULT ? "AKV" : "AADSTS", ev->inner,
			    sizeof(ev->inner));
	if (!ev->inner[0])
		find_reason(ev->message, ev->inner, sizeof(ev->inner));
}
