/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Evidence -> verdict: what one answer (or the lack of one) from the vault, from Entra or from IMDS
 * means for a volume. One table in verdict.c holds all the rules. Pure.
 */
#ifndef CMK_VERDICT_H
#define CMK_VERDICT_H

#include "error.h"

enum cmk_verdict {
	CMK_VALID,
	CMK_REVOKED,	   /* the KEK's owner took it away */
	CMK_DENIED,	   /* access is closed: firewall, identity gone */
	CMK_UNKNOWN,	   /* an outage: says nothing about the KEK */
	CMK_MISCONFIGURED, /* wrong tenant, wrong address: a person must act; never locks by itself
			    */
};

/* Why; the names (reason_name) are what status, logs and the kernel's revoke message show. */
enum cmk_reason {
	CMK_REASON_OK,
	/* revoked */
	CMK_KEY_DISABLED,
	CMK_KEY_NOT_FOUND,
	CMK_KEY_EXPIRED,
	CMK_KEY_NOT_YET_VALID,
	CMK_KEY_OPERATION_FORBIDDEN,
	CMK_FORBIDDEN_BY_RBAC,
	CMK_FORBIDDEN_BY_POLICY,
	CMK_FORBIDDEN, /* another 403 */
	/* denied */
	CMK_FORBIDDEN_BY_FIREWALL,
	CMK_FORBIDDEN_BY_CONNECTION,
	CMK_IDENTITY_GONE,
	/* unknown */
	CMK_UNREACHABLE, /* no connection, reset, time-out */
	CMK_DNS_FAILED,
	CMK_TLS_FAILED,
	CMK_THROTTLED,
	CMK_SERVER_ERROR,
	CMK_TOKEN_REFUSED, /* 401 after a fresh token */
	CMK_IMDS_UNAVAILABLE,
	CMK_BAD_ANSWER,	   /* not what the service would say */
	CMK_PROOF_FAILED,  /* the unwrap did not give the challenge back */
	CMK_WORKER_FAILED, /* cmk-kms died, hung or broke the protocol */
	/* misconfigured */
	CMK_WRONG_TENANT,
	CMK_WRONG_RESOURCE, /* the challenge's resource does not fit the host */
	CMK_NOT_PINNED,
	CMK_BAD_REQUEST,
	CMK_CREDENTIAL_REFUSED, /* wrong secret, tenant not found */
	CMK_REASONS,		/* how many there are */
};

/* What happened below HTTP. */
enum cmk_transport {
	CMK_TRANSPORT_OK,
	CMK_TRANSPORT_DNS,
	CMK_TRANSPORT_CONNECT,
	CMK_TRANSPORT_TLS,
	CMK_TRANSPORT_TIMEOUT,
	CMK_TRANSPORT_RESET, /* also a truncated body */
	CMK_TRANSPORT_TOO_LARGE,
	CMK_TRANSPORT_NOT_PINNED,
	CMK_TRANSPORT_WRONG_RESOURCE,
	CMK_TRANSPORT_CREDENTIAL, /* the identity cannot be used here: message says why */
	CMK_TRANSPORT_WORKER,	  /* made by the root side when cmk-kms failed */
	CMK_TRANSPORTS,
};

enum cmk_source {
	CMK_SOURCE_VAULT,
	CMK_SOURCE_ENTRA,
	CMK_SOURCE_IMDS,
	CMK_SOURCES,
};

/* What was seen. Strings are the service's own, cut, printable ASCII only. */
struct cmk_evidence {
	enum cmk_source source;
	enum cmk_transport transport;
	int http_status;     /* 0 without an answer */
	bool parsed;	     /* the body was what the service answers in this case */
	char code[64];	     /* error.code, or Entra's "error" */
	char inner[64];	     /* error.innererror.code, or "AADSTS<n>", or "AKV<n>" from the text */
	char message[256];   /* error.message, first line */
	char request_id[37]; /* our x-ms-client-request-id */
	int retry_after_s;   /* -1 where the service did not say */
};

struct cmk_judgement {
	enum cmk_verdict verdict;
	enum cmk_reason reason;
	char detail[512]; /* the service's own code and text, for people */
	char request_id[37];
	int retry_after_s; /* -1: none */
};

/* What a GET of the key said; times in Unix seconds, 0 where absent. */
struct cmk_key_attributes {
	bool enabled;
	int64_t nbf, exp;
	bool op_wrap, op_unwrap;
};

/**
 * cmk_judge() - the verdict of one exchange.
 *
 * An HTTP 200 with parsed is CMK_VALID here; whether it proves anything is for the caller (a GET
 * does not).
 */
void cmk_judge(const struct cmk_evidence *ev, struct cmk_judgement *out);

/**
 * cmk_judge_attributes() - the verdict of a key's attributes at time @now (Unix seconds).
 *
 * The service itself serves unwrap for expired and not yet valid keys (Key Vault docs,
 * key-attributes), and answers a GET of a disabled one with 200: the rule is enforced here.
 */
void cmk_judge_attributes(const struct cmk_key_attributes *at, int64_t now,
			  struct cmk_judgement *out);

const char *cmk_verdict_name(
	enum cmk_verdict v); /* "valid", "revoked", "denied", "unknown", "misconfigured" */
const char *cmk_reason_name(
	enum cmk_reason r); /* "KeyDisabled", ... a word as the kernel's revoke takes it */
const char *cmk_reason_text(enum cmk_reason r);	  /* one sentence: what it means */
const char *cmk_reason_remedy(enum cmk_reason r); /* one sentence: what a person can do */
enum cmk_verdict cmk_reason_verdict(enum cmk_reason r);
enum cmk_exit cmk_verdict_exit(enum cmk_verdict v); /* the exit code of cmkctl for it */
/* The reason of that name, or CMK_REASONS. */
enum cmk_reason cmk_reason_from_name(const char *name);

#endif
