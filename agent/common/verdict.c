// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * What evidence means. One table holds all that is known of the services' answers; the first row
 * that fits decides.
 */
#include "verdict.h"

#include <stdio.h>
#include <string.h>

#define ANY   -1
#define LATER -2 /* any status of 500 and above */

struct rule {
	enum cmk_reason reason;
	int source;		  /* enum cmk_source, or ANY */
	int transport;		  /* enum cmk_transport */
	int status;		  /* HTTP's, ANY or LATER */
	int parsed;		  /* 0, 1 or ANY */
	const char *code, *inner; /* NULL: any */
};

/* Rows of an answer: V is the vault, E Entra, I the instance metadata service. */
#define V(status, parsed, code, inner, reason)                                                     \
	{                                                                                          \
		reason, CMK_SOURCE_VAULT, CMK_TRANSPORT_OK, status, parsed, code, inner            \
	}
#define E(status, parsed, code, inner, reason)                                                     \
	{                                                                                          \
		reason, CMK_SOURCE_ENTRA, CMK_TRANSPORT_OK, status, parsed, code, inner            \
	}
#define I(status, parsed, code, inner, reason)                                                     \
	{                                                                                          \
		reason, CMK_SOURCE_IMDS, CMK_TRANSPORT_OK, status, parsed, code, inner             \
	}
/* Rows of what happened below HTTP. */
#define T(source, transport, reason)                                                               \
	{                                                                                          \
		reason, source, transport, ANY, ANY, NULL, NULL                                    \
	}

/* clang-format off */
static const struct rule rules[] = {
	T(ANY, CMK_TRANSPORT_WORKER, CMK_WORKER_FAILED),
	T(ANY, CMK_TRANSPORT_NOT_PINNED, CMK_NOT_PINNED),
	T(ANY, CMK_TRANSPORT_WRONG_RESOURCE, CMK_WRONG_RESOURCE),
	T(ANY, CMK_TRANSPORT_TOO_LARGE, CMK_BAD_ANSWER),
	T(ANY, CMK_TRANSPORT_CREDENTIAL, CMK_CREDENTIAL_REFUSED),
	T(CMK_SOURCE_IMDS, CMK_TRANSPORT_DNS, CMK_IMDS_UNAVAILABLE),
	T(CMK_SOURCE_IMDS, CMK_TRANSPORT_CONNECT, CMK_IMDS_UNAVAILABLE),
	T(CMK_SOURCE_IMDS, CMK_TRANSPORT_TIMEOUT, CMK_IMDS_UNAVAILABLE),
	T(CMK_SOURCE_IMDS, CMK_TRANSPORT_RESET, CMK_IMDS_UNAVAILABLE),
	T(ANY, CMK_TRANSPORT_DNS, CMK_DNS_FAILED),
	T(ANY, CMK_TRANSPORT_CONNECT, CMK_UNREACHABLE),
	T(ANY, CMK_TRANSPORT_TLS, CMK_TLS_FAILED),
	T(ANY, CMK_TRANSPORT_TIMEOUT, CMK_UNREACHABLE),
	T(ANY, CMK_TRANSPORT_RESET, CMK_UNREACHABLE),

	V(200, true, NULL, NULL, CMK_REASON_OK),
	V(400, true, NULL, NULL, CMK_BAD_REQUEST),
	/* 401 says nothing of the key, whatever its body: good tokens are refused now and then */
	V(401, ANY, NULL, "AKV10032", CMK_WRONG_TENANT),
	V(401, ANY, NULL, NULL, CMK_TOKEN_REFUSED),
	V(403, true, NULL, "KeyDisabled", CMK_KEY_DISABLED),
	V(403, true, NULL, "KeyOperationForbidden", CMK_KEY_OPERATION_FORBIDDEN),
	V(403, true, NULL, "ForbiddenByRbac", CMK_FORBIDDEN_BY_RBAC),
	V(403, true, NULL, "ForbiddenByPolicy", CMK_FORBIDDEN_BY_POLICY),
	V(403, true, NULL, "ForbiddenByFirewall", CMK_FORBIDDEN_BY_FIREWALL),
	V(403, true, NULL, "ForbiddenByConnection", CMK_FORBIDDEN_BY_CONNECTION),
	V(403, true, "AccessDenied", NULL, CMK_FORBIDDEN_BY_RBAC), /* Managed HSM */
	V(403, true, NULL, "AccessDenied", CMK_FORBIDDEN_BY_RBAC),
	/* only in the service's own envelope: a proxy's 403 is no word of the KEK's owner */
	V(403, true, NULL, NULL, CMK_FORBIDDEN),
	V(404, true, "KeyNotFound", NULL, CMK_KEY_NOT_FOUND),
	V(408, ANY, NULL, NULL, CMK_UNREACHABLE),
	V(409, true, NULL, NULL, CMK_BAD_REQUEST), /* to create only */
	V(429, ANY, NULL, NULL, CMK_THROTTLED),
	V(LATER, ANY, NULL, NULL, CMK_SERVER_ERROR),

	E(200, true, NULL, NULL, CMK_REASON_OK),
	E(ANY, ANY, NULL, "AADSTS700016", CMK_IDENTITY_GONE),	/* no such application in the tenant */
	E(ANY, ANY, NULL, "AADSTS7000229", CMK_IDENTITY_GONE),	/* no service principal */
	E(ANY, ANY, NULL, "AADSTS7000112", CMK_IDENTITY_GONE),	/* application disabled */
	E(429, ANY, NULL, NULL, CMK_THROTTLED),
	E(LATER, ANY, NULL, NULL, CMK_SERVER_ERROR),
	E(ANY, true, "temporarily_unavailable", NULL, CMK_SERVER_ERROR),
	E(400, true, NULL, NULL, CMK_CREDENTIAL_REFUSED),
	E(401, true, NULL, NULL, CMK_CREDENTIAL_REFUSED),
	E(403, true, NULL, NULL, CMK_CREDENTIAL_REFUSED),
	E(404, true, NULL, NULL, CMK_CREDENTIAL_REFUSED),

	I(200, true, NULL, NULL, CMK_REASON_OK),
	/* its error_description is no contract, so that "invalid_request" alone decides */
	I(400, true, "invalid_request", NULL, CMK_IDENTITY_GONE),
	I(404, ANY, NULL, NULL, CMK_IMDS_UNAVAILABLE),
	I(410, ANY, NULL, NULL, CMK_IMDS_UNAVAILABLE),
	I(429, ANY, NULL, NULL, CMK_THROTTLED),
	I(LATER, ANY, NULL, NULL, CMK_IMDS_UNAVAILABLE),
	I(400, ANY, NULL, NULL, CMK_BAD_REQUEST),
	I(401, ANY, NULL, NULL, CMK_BAD_REQUEST),
	I(403, ANY, NULL, NULL, CMK_BAD_REQUEST),

	{ CMK_BAD_ANSWER, ANY, CMK_TRANSPORT_OK, ANY, ANY, NULL, NULL },
};
/* clang-format on */

static bool fits(const struct rule *rule, const struct cmk_evidence *ev)
{
	if (rule->source != ANY && rule->source != (int)ev->source)
		return false;
	if (rule->transport != (int)ev->transport)
		return false;
	if (rule->status == LATER ? ev->http_status < 500
				  : rule->status != ANY && rule->status != ev->http_status)
		return false;
	if (rule->parsed != ANY && rule->parsed != ev->parsed)
		return false;
	if (rule->code && strcmp(rule->code, ev->code) != 0)
		return false;
	return !rule->inner || strcmp(rule->inner, ev->inner) == 0;
}

static void judge(enum cmk_reason reason, struct cmk_judgement *out)
{
	out->verdict = cmk_reason_verdict(reason);
	out->reason = reason;
}

static void describe(const struct cmk_evidence *ev, char *buf, size_t len)
{
	static const char *const sources[CMK_SOURCES] = {
		[CMK_SOURCE_VAULT] = "vault",
		[CMK_SOURCE_ENTRA] = "Entra",
		[CMK_SOURCE_IMDS] = "IMDS",
	};
	static const char *const transports[CMK_TRANSPORTS] = {
		[CMK_TRANSPORT_OK] = "no answer",
		[CMK_TRANSPORT_DNS] = "name not resolved",
		[CMK_TRANSPORT_CONNECT] = "no connection",
		[CMK_TRANSPORT_TLS] = "TLS failed",
		[CMK_TRANSPORT_TIMEOUT] = "timed out",
		[CMK_TRANSPORT_RESET] = "connection broke off",
		[CMK_TRANSPORT_TOO_LARGE] = "answer too large",
		[CMK_TRANSPORT_NOT_PINNED] = "not contacted",
		[CMK_TRANSPORT_WRONG_RESOURCE] = "challenge refused",
		[CMK_TRANSPORT_CREDENTIAL] = "no credential",
		[CMK_TRANSPORT_WORKER] = "worker failed",
	};
	char what[32];

	if (ev->transport == CMK_TRANSPORT_OK && ev->http_status)
		snprintf(what, sizeof(what), "HTTP %d", ev->http_status);
	else
		snprintf(what, sizeof(what), "%s", transports[ev->transport]);
	snprintf(buf, len, "%s: %s%s%s%s%s%s%s", sources[ev->source], what, ev->code[0] ? " " : "",
		 ev->code, ev->inner[0] ? "/" : "", ev->inner, ev->message[0] ? ": " : "",
		 ev->message);
}

void cmk_judge(const struct cmk_evidence *ev, struct cmk_judgement *out)
{
	size_t i = 0;

	*out = (struct cmk_judgement){ .retry_after_s = ev->retry_after_s };
	if ((unsigned int)ev->transport >= CMK_TRANSPORTS ||
	    (unsigned int)ev->source >= CMK_SOURCES) {
		judge(CMK_WORKER_FAILED, out);
		return;
	}
	/* the last row fits all that has an answer, the rows before it all that has none */
	while (i < ARRAY_SIZE(rules) - 1 && !fits(&rules[i], ev))
		i++;
	judge(rules[i].reason, out);
	describe(ev, out->detail, sizeof(out->detail));
	snprintf(out->request_id, sizeof(out->request_id), "%s", ev->request_id);
}

void cmk_judge_attributes(const struct cmk_key_attributes *at, int64_t now,
			  struct cmk_judgement *out)
{
	enum cmk_reason reason = CMK_REASON_OK;

	if (!at->enabled)
		reason = CMK_KEY_DISABLED;
	else if (at->nbf && now < at->nbf)
		reason = CMK_KEY_NOT_YET_VALID;
	else if (at->exp && now >= at->exp)
		reason = CMK_KEY_EXPIRED;
	else if (!at->op_unwrap)
		reason = CMK_KEY_OPERATION_FORBIDDEN;
	*out = (struct cmk_judgement){ .retry_after_s = -1 };
	judge(reason, out);
	if (reason != CMK_REASON_OK)
		snprintf(out->detail, sizeof(out->detail), "vault: %s", cmk_reason_text(reason));
}
