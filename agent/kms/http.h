/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * HTTP exchanges, any number at the same time, in one thread. http.c is the only file that knows
 * libcurl. Each exchange is bounded in time and size; nothing is retried and no redirect is
 * followed.
 */
#ifndef CMK_KMS_HTTP_H
#define CMK_KMS_HTTP_H

#include "common/proto.h"

#define HTTP_BODY_MAX	    (256 * 1024)
#define HTTP_CHALLENGES_MAX 4

struct http;
struct http_exchange;

struct http_request {
	char url[2048];
	bool metadata; /* of IMDS or Arc: plain HTTP, no proxy, "Metadata: true"; all else is HTTPS
			*/
	bool post;
	const char *body;	   /* with post, may be NULL: an empty one */
	const char *content_type;  /* with body */
	const char *authorization; /* the header's value, or NULL */
	const char *request_id;	   /* GUID */
	int64_t timeout_ms;
};

struct http_answer {
	enum cmk_transport transport;
	int status;	 /* 0 unless transport is CMK_TRANSPORT_OK */
	char error[256]; /* why not, for people */
	char *body;	 /* NUL behind it; NULL if empty */
	size_t len;
	char challenge[HTTP_CHALLENGES_MAX][4096]; /* values of WWW-Authenticate */
	size_t n_challenges;
	char region[64];   /* x-ms-keyvault-region */
	int retry_after_s; /* -1: none */
	int64_t date;	   /* Unix seconds, 0: none */
};

/* The answer is freed when this returns. It may start and abort exchanges. */
typedef void http_done_fn(void *arg, const struct http_answer *answer);

/**
 * http_new() - set libcurl up for one configuration. Once in a process, before there are threads.
 * @c: must outlive it.
 */
struct http *http_new(const struct cmk_kms_config *c);

/**
 * http_start() - begin an exchange. All strings of @rq are copied.
 *
 * Return: 0 and *@ex, valid until @done was called or http_abort(); or -ENOMEM.
 */
int http_start(struct http *h, const struct http_request *rq, http_done_fn *done, void *arg,
	       struct http_exchange **ex) _must_check_;

/* Give an exchange up; @done is not called. NULL is fine. */
void http_abort(struct http_exchange *ex);

/**
 * http_wait() - sleep until something can go on, or @fd is readable.
 *
 * Return: 1 if @fd is readable, else 0; or -EIO.
 */
int http_wait(struct http *h, int fd) _must_check_;

/* Go on with all exchanges; calls done functions. */
void http_perform(struct http *h);

#endif
