/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Where a token comes from, by kind of identity: which requests to make, one after the other, and
 * how to read the last answer. tokencache.c makes the exchanges.
 */
#ifndef CMK_KMS_TOKEN_SOURCE_H
#define CMK_KMS_TOKEN_SOURCE_H

#include "http.h"

struct token_wish {
	const struct cmk_identity *identity;
	const char *resource;		 /* "https://vault.azure.net" */
	const char *login;		 /* the challenge's authority, a host */
	const char *claims;		 /* of a claims challenge, JSON, or NULL */
	const struct secret *credential; /* of a workload or principal; else empty */
	const char *request_id;
};

/* The exchanges for one token, one after the other. */
struct token_source {
	enum cmk_source source; /* who answers */
	int step;
	const char *why; /* there can be no request */
	char *text;	 /* memory behind the request's body or authorization; wiping */
};

/**
 * token_source_first() - the first request.
 * @s: zeroed; token_source_end() releases it.
 * @rq: url, post, body, content_type, authorization and metadata are set.
 * @ev: evidence when there can be no request: transport CMK_TRANSPORT_CREDENTIAL and why.
 *
 * Return: 0, -EINVAL with @ev, or -ENOMEM.
 */
int token_source_first(struct token_source *s, const struct cmk_kms_config *c,
		       const struct token_wish *wish, struct http_request *rq,
		       struct cmk_evidence *ev) _must_check_;

/**
 * token_source_next() - the request after an answer.
 *
 * Return: 1 and @rq; 0 if @an is the last answer, to be read with token_source_read(); -EINVAL with
 * @ev; -ENOMEM.
 */
int token_source_next(struct token_source *s, const struct cmk_kms_config *c,
		      const struct token_wish *wish, const struct http_answer *an,
		      struct http_request *rq, struct cmk_evidence *ev) _must_check_;

/**
 * token_source_read() - take the token out of the last answer.
 * @token: the caller's to wiping_free(). @lifetime_s: from now.
 * @ev: all of the evidence, on success too.
 *
 * Return: 0, -EBADMSG with @ev, or -ENOMEM.
 */
int token_source_read(const struct token_source *s, const struct http_answer *an, char **token,
		      int64_t *lifetime_s, struct cmk_evidence *ev) _must_check_;

void token_source_end(struct token_source *s);

/* Append @text to a URL or form of @room bytes, all but RFC 3986's unreserved characters as %XX.
 * False: no room. */
bool token_source_escape(char *to, size_t room, const char *text);

/*
 * What a kind of identity brings: first() and next() as above, but that on -EINVAL they leave in
 * @s->why what is wrong.
 */
typedef int token_first_fn(struct token_source *s, const struct cmk_kms_config *c,
			   const struct token_wish *wish, struct http_request *rq);
typedef int token_next_fn(struct token_source *s, const struct cmk_kms_config *c,
			  const struct token_wish *wish, const struct http_answer *an,
			  struct http_request *rq);

#endif
