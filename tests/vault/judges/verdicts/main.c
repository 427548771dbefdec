// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * Each error body that the real services are known to answer with, as the agent reads it: the
 * verdict must be the documented one. Prints TAP. Usage: judge-verdicts error-bodies.jsonl
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/verdict.h"
#include "kms/evidence.h"
#include "kms/json.h"

#define V(verdict) (1u << (verdict))
/* Where the documentation names no verdict: it must neither renew a lease nor lock a volume. */
#define HARMLESS (V(CMK_UNKNOWN) | V(CMK_MISCONFIGURED))

static const struct {
	const char *id;
	unsigned int verdicts;
	int reason; /* -1: any that has the verdict */
} expected[] = {
	{ "kv-no-token", V(CMK_UNKNOWN), CMK_TOKEN_REFUSED },
	{ "kv-no-token-2020", V(CMK_UNKNOWN), CMK_TOKEN_REFUSED },
	{ "kv-no-token-2018", V(CMK_UNKNOWN), CMK_TOKEN_REFUSED },
	{ "mhsm-no-token", V(CMK_UNKNOWN), CMK_TOKEN_REFUSED },
	{ "mhsm-no-token-get", V(CMK_UNKNOWN), CMK_TOKEN_REFUSED },
	{ "mhsm-wrong-audience", V(CMK_UNKNOWN), CMK_TOKEN_REFUSED },
	{ "mhsm-bad-token", V(CMK_UNKNOWN), CMK_TOKEN_REFUSED },
	{ "mhsm-token-not-yet-valid", V(CMK_UNKNOWN), CMK_TOKEN_REFUSED },
	{ "kv-invalid-issuer", V(CMK_MISCONFIGURED), CMK_WRONG_TENANT },
	{ "kv-invalid-audience", V(CMK_UNKNOWN), CMK_TOKEN_REFUSED },
	{ "kv-signing-key-unresolved", V(CMK_UNKNOWN), CMK_TOKEN_REFUSED },
	{ "kv-token-expired", V(CMK_UNKNOWN), CMK_TOKEN_REFUSED },
	{ "kv-disabled-key-GET", V(CMK_REVOKED), CMK_KEY_DISABLED },
	{ "kv-disabled-key-unwrap", V(CMK_REVOKED), CMK_KEY_DISABLED },
	{ "kv-key-ops", V(CMK_REVOKED), CMK_KEY_OPERATION_FORBIDDEN },
	{ "kv-policy-2020", V(CMK_REVOKED), CMK_FORBIDDEN_BY_POLICY },
	{ "kv-policy-2019", V(CMK_REVOKED), CMK_FORBIDDEN_BY_POLICY },
	{ "kv-rbac", V(CMK_REVOKED), CMK_FORBIDDEN_BY_RBAC },
	{ "mhsm-rbac", V(CMK_REVOKED), CMK_FORBIDDEN_BY_RBAC },
	{ "kv-firewall", V(CMK_DENIED), CMK_FORBIDDEN_BY_FIREWALL },
	{ "kv-public-access-off", V(CMK_DENIED), CMK_FORBIDDEN_BY_CONNECTION },
	{ "kv-key-not-found", V(CMK_REVOKED), CMK_KEY_NOT_FOUND },
	{ "kv-key-not-found-2018", V(CMK_REVOKED), CMK_KEY_NOT_FOUND },
	{ "kv-deletedkey-not-found", V(CMK_REVOKED), CMK_KEY_NOT_FOUND },
	{ "mhsm-key-not-found", V(CMK_REVOKED), CMK_KEY_NOT_FOUND },
	{ "kv-name-deleted-recoverable", HARMLESS, -1 },
	{ "kv-being-deleted", HARMLESS, -1 },
	{ "kv-throttled", V(CMK_UNKNOWN), CMK_THROTTLED },
	{ "kv-bad-name", HARMLESS, -1 },
	{ "mhsm-bad-name", HARMLESS, -1 },
	{ "cae-challenge", V(CMK_UNKNOWN), CMK_TOKEN_REFUSED },
	{ "imds-identity-gone", V(CMK_DENIED), CMK_IDENTITY_GONE },
	{ "imds-no-metadata-header", HARMLESS, -1 },
	{ "aad-app-gone", V(CMK_DENIED), CMK_IDENTITY_GONE },
	{ "aad-bad-secret", HARMLESS, -1 },
	{ "aad-tenant-gone", HARMLESS, -1 },
	{ "aad-sp-missing", V(CMK_DENIED), CMK_IDENTITY_GONE },
	{ "aad-sp-disabled", V(CMK_DENIED), CMK_IDENTITY_GONE },
};

static const char *const not_judged[][2] = {
	{ "kv-disabled-secret-GET", "an answer about a secret, which the agent never asks for" },
};

static enum cmk_source source_of(const char *id)
{
	if (!strncmp(id, "imds-", 5))
		return CMK_SOURCE_IMDS;
	return strncmp(id, "aad-", 4) ? CMK_SOURCE_VAULT : CMK_SOURCE_ENTRA;
}

/* A text of Entra's without its envelope, as documents have it, in the envelope. */
static char *enveloped(const char *body)
{
	char *text = NULL;

	if (strncmp(body, "AADSTS", 6))
		return strdup(body);
	if (asprintf(&text, "{\"error\":\"invalid_client\",\"error_description\":\"%s\"}", body) <
	    0)
		return NULL;
	return text;
}

static void judge_entry(const cJSON *entry, const char *id, struct cmk_judgement *out)
{
	const cJSON *status = cJSON_GetObjectItemCaseSensitive(entry, "status");
	const char *recorded = json_string(entry, "body");
	int http =
		cJSON_IsNumber(status) ? status->valueint : 401; /* not recorded: Entra's usual */
	struct cmk_evidence evidence = { .retry_after_s = -1 };
	/* The body of the one good answer is not in full in the table: what it says is this. */
	const struct cmk_key_attributes disabled = { .op_wrap = true, .op_unwrap = true };
	char *body = enveloped(recorded ? recorded : "");

	if (http == 200 && body && strstr(body, "\"enabled\":false")) {
		cmk_judge_attributes(&disabled, 1700000000, out);
	} else {
		evidence_from_answer(source_of(id), http, body ? body : "", body ? strlen(body) : 0,
				     &evidence);
		cmk_judge(&evidence, out);
	}
	free(body);
}

static const char *why_not_judged(const char *id)
{
	for (size_t i = 0; i < ARRAY_SIZE(not_judged); i++)
		if (!strcmp(not_judged[i][0], id))
			return not_judged[i][1];
	return NULL;
}

/* One line of the file as test @n; whether it is as it should be. */
static bool check_line(const char *line, unsigned int n)
{
	_cleanup_json_ cJSON *entry = json_object(line, strlen(line));
	const char *id = json_string(entry, "id");
	struct cmk_judgement judgement;
	size_t i = 0;

	if (!id) {
		printf("not ok %u line %u is not an entry\n", n, n);
		return false;
	}
	if (why_not_judged(id)) {
		printf("ok %u %s # SKIP %s\n", n, id, why_not_judged(id));
		return true;
	}
	while (i < ARRAY_SIZE(expected) && strcmp(expected[i].id, id))
		i++;
	if (i == ARRAY_SIZE(expected)) {
		printf("not ok %u %s: no verdict is documented here\n", n, id);
		return false;
	}
	judge_entry(entry, id, &judgement);
	if (!(expected[i].verdicts & V(judgement.verdict)) ||
	    (expected[i].reason >= 0 && (enum cmk_reason)expected[i].reason != judgement.reason)) {
		printf("not ok %u %s: %s, %s\n# %s\n", n, id, cmk_verdict_name(judgement.verdict),
		       cmk_reason_name(judgement.reason), judgement.detail);
		return false;
	}
	printf("ok %u %s: %s, %s\n", n, id, cmk_verdict_name(judgement.verdict),
	       cmk_reason_name(judgement.reason));
	return true;
}

int main(int argc, char **argv)
{
	FILE *f = argc == 2 ? fopen(argv[1], "re") : NULL;
	unsigned int n = 0, failed = 0;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	if (!f) {
		fputs("usage: judge-verdicts error-bodies.jsonl\n", stderr);
		return 2;
	}
	while ((len = getline(&line, &size, f)) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (*line)
			failed += !check_line(line, ++n);
	}
	printf("1..%u\n", n);
	free(line);
	fclose(f);
	return failed ? 1 : 0;
}
