// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The transport. What was configured is all there is: no environment, no .netrc, no cookies, no
 * redirects. */
#include "http.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "common/secret.h"
#include "json.h"

#define HEADERS_MAX	(64 * 1024)
#define RETRY_AFTER_MAX (24 * 3600)
#define CA_CACHE_S	300L /* a renewed CA file counts after that */

struct http {
	CURLM *multi;
	const struct cmk_kms_config *c;
};

struct http_exchange {
	struct http *http;
	CURL *easy;
	struct curl_slist *headers;
	char *body; /* the request's */
	http_done_fn *done;
	void *arg;
	char error[CURL_ERROR_SIZE];
	struct http_answer answer;
	size_t header_bytes;
	bool too_large, has_retry_after;
};

struct http *http_new(const struct cmk_kms_config *c)
{
	struct http *h = calloc(1, sizeof(*h));

	if (h && curl_global_init_mem(CURL_GLOBAL_DEFAULT, wiping_malloc, wiping_free,
				      wiping_realloc, wiping_strdup, wiping_calloc) == CURLE_OK)
		h->multi = curl_multi_init();
	if (!h || !h->multi) {
		free(h);
		return NULL;
	}
	h->c = c;
	return h;
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct http_exchange *ex = arg;
	struct http_answer *an = &ex->answer;
	size_t len = size * n;
	char *more;

	if (len > HTTP_BODY_MAX - an->len) {
		ex->too_large = true;
		return 0;
	}
	more = wiping_realloc(an->body, an->len + len + 1);
	if (!more)
		return 0;
	an->body = more;
	memcpy(an->body + an->len, p, len);
	an->len += len;
	an->body[an->len] = '\0';
	return len;
}

/* Copy the value of header @name if @line is that one. */
static bool take_header(const char *line, size_t len, const char *name, char *out, size_t room)
{
	size_t n = strlen(name);

	if (len <= n || line[n] != ':' || strncasecmp(line, name, n) != 0)
		return false;
	for (line += n + 1, len -= n + 1; len && (*line == ' ' || *line == '\t'); len--)
		line++;
	while (len && strchr(" \t\r\n", line[len - 1]))
		len--;
	if (len >= room || memchr(line, '\0', len))
		return false;
	memcpy(out, line, len);
	out[len] = '\0';
	return true;
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	struct http_exchange *ex = arg;
	struct http_answer *an = &ex->answer;
	size_t len = size * n;
	char value[64];

	ex->header_bytes += len;
	if (ex->header_bytes > HEADERS_MAX) {
		ex->too_large = true;
		return 0;
	}
	/* the status line of the next answer: what a 1xx said before does not count */
	if (len > 5 && strncmp(p, "HTTP/", 5) == 0) {
		an->n_challenges = 0;
		an->region[0] = '\0';
		an->date = 0;
		ex->has_retry_after = false;
	}
	if (an->n_challenges < HTTP_CHALLENGES_MAX &&
	    take_header(p, len, "WWW-Authenticate", an->challenge[an->n_challenges],
			sizeof(an->challenge[0])))
		an->n_challenges++;
	if (take_header(p, len, "x-ms-keyvault-region", value, sizeof(value)))
		json_copy(an->region, sizeof(an->region), value);
	if (take_header(p, len, "Date", value, sizeof(value)) && curl_getdate(value, NULL) > 0)
		an->date = curl_getdate(value, NULL);
	if (take_header(p, len, "Retry-After", value, sizeof(value)))
		ex->has_retry_after = true;
	return len;
}

static void free_exchange(struct http_exchange *ex)
{
	if (!ex)
		return;
	if (ex->easy) {
		curl_multi_remove_handle(ex->http->multi, ex->easy);
		curl_easy_cleanup(ex->easy);
	}
	curl_slist_free_all(ex->headers);
	wiping_free(ex->body);
	wiping_free(ex->answer.body);
	free(ex);
}

static bool add_header(struct http_exchange *ex, const char *name, const char *value)
{
	size_t room = strlen(name) + strlen(value) + 3;
	char *line = wiping_malloc(room);
	struct curl_slist *more = NULL;

	if (line) {
		snprintf(line, room, "%s: %s", name, value);
		more = curl_slist_append(ex->headers, line);
		wiping_free(line);
	}
	if (more)
		ex->headers = more;
	return more;
}

static bool add_headers(struct http_exchange *ex, const struct http_request *rq)
{
	/* curl's own line for "Expect" would cost a round trip */
	return add_header(ex, "Accept", "application/json") && add_header(ex, "Expect", "") &&
	       add_header(ex, "x-ms-client-request-id", rq->request_id) &&
	       add_header(ex, "x-ms-return-client-request-id", "true") &&
	       (!rq->authorization || add_header(ex, "Authorization", rq->authorization)) &&
	       (!rq->metadata || add_header(ex, "Metadata", "true")) &&
	       (!rq->post || add_header(ex, "Content-Type",
					rq->content_type ? rq->content_type : "application/json"));
}

#define SET(option, value) (curl_easy_setopt(ex->easy, CURLOPT_##option, (value)) == CURLE_OK)

static bool set_transport(struct http_exchange *ex, const struct http_request *rq)
{
	const struct cmk_kms_config *c = ex->http->c;
	int64_t connect =
		c->connect_timeout_ms < rq->timeout_ms ? c->connect_timeout_ms : rq->timeout_ms;

	if (c->ca_file[0] && !(SET(CAINFO, c->ca_file) && SET(CAPATH, NULL)))
		return false;
	return SET(PROTOCOLS_STR, rq->metadata ? "http" : "https") && SET(FOLLOWLOCATION, 0L) &&
	       SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) && SET(SSL_VERIFYPEER, 1L) &&
	       SET(SSL_VERIFYHOST, 2L) && SET(CA_CACHE_TIMEOUT, CA_CACHE_S) &&
	       SET(HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
	       /* "" is none at all, where NULL would be the environment's */
	       SET(PROXY, rq->metadata ? "" : c->proxy) && SET(NOPROXY, "") &&
	       SET(SUPPRESS_CONNECT_HEADERS, 1L) && SET(CONNECTTIMEOUT_MS, (long)connect) &&
	       SET(TIMEOUT_MS, (long)rq->timeout_ms) &&
	       /* else giving up on a name would wait for the resolver's thread, and everyone with
		  it */
	       SET(QUICK_EXIT, 1L) &&
	       SET(NOSIGNAL, 1L) && SET(TCP_KEEPALIVE, 1L);
}

static bool set_request(struct http_exchange *ex, const struct http_request *rq)
{
	if (rq->post) {
		ex->body = wiping_strdup(rq->body ? rq->body : "");
		if (!ex->body || !SET(POST, 1L) || !SET(POSTFIELDS, ex->body) ||
		    !SET(POSTFIELDSIZE, (long)strlen(ex->body)))
			return false;
	}
	return SET(URL, rq->url) && SET(USERAGENT, "dm-cmk") && add_headers(ex, rq) &&
	       SET(HTTPHEADER, ex->headers) && SET(WRITEFUNCTION, on_body) && SET(WRITEDATA, ex) &&
	       SET(HEADERFUNCTION, on_header) && SET(HEADERDATA, ex) &&
	       SET(ERRORBUFFER, ex->error) && SET(PRIVATE, ex);
}

int http_start(struct http *h, const struct http_request *rq, http_done_fn *done, void *arg,
	       struct http_exchange **out)
{
	struct http_exchange *ex = calloc(1, sizeof(*ex));

	if (!ex)
		return -ENOMEM;
	ex->http = h;
	ex->done = done;
	ex->arg = arg;
	ex->easy = curl_easy_init();
	if (!ex->easy || !set_transport(ex, rq) || !set_request(ex, rq) ||
	    curl_multi_add_handle(h->multi, ex->easy) != CURLM_OK) {
		free_exchange(ex);
		return -ENOMEM;
	}
	*out = ex;
	return 0;
}

void http_abort(struct http_exchange *ex)
{
	free_exchange(ex);
}

static enum cmk_transport classify(const struct http_exchange *ex, CURLcode code)
{
	static const struct {
		CURLcode code;
		enum cmk_transport transport;
	} table[] = {
		{ CURLE_OK, CMK_TRANSPORT_OK },
		{ CURLE_COULDNT_RESOLVE_HOST, CMK_TRANSPORT_DNS },
		{ CURLE_COULDNT_RESOLVE_PROXY, CMK_TRANSPORT_DNS },
		{ CURLE_COULDNT_CONNECT, CMK_TRANSPORT_CONNECT },
		{ CURLE_OPERATION_TIMEDOUT, CMK_TRANSPORT_TIMEOUT },
		{ CURLE_SSL_CONNECT_ERROR, CMK_TRANSPORT_TLS },
		{ CURLE_SSL_CERTPROBLEM, CMK_TRANSPORT_TLS },
		{ CURLE_SSL_CIPHER, CMK_TRANSPORT_TLS },
		{ CURLE_PEER_FAILED_VERIFICATION, CMK_TRANSPORT_TLS },
		{ CURLE_SSL_CACERT_BADFILE, CMK_TRANSPORT_TLS },
		{ CURLE_SSL_ISSUER_ERROR, CMK_TRANSPORT_TLS },
		{ CURLE_SSL_INVALIDCERTSTATUS, CMK_TRANSPORT_TLS },
	};

	if (ex->too_large)
		return CMK_TRANSPORT_TOO_LARGE;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].code == code)
			return table[i].transport;
	return CMK_TRANSPORT_RESET;
}

static void finish(struct http_exchange *ex, CURLcode code)
{
	struct http_answer *an = &ex->answer;
	curl_off_t retry = 0;
	long status = 0;

	an->transport = classify(ex, code);
	an->retry_after_s = -1;
	if (an->transport == CMK_TRANSPORT_OK) {
		curl_easy_getinfo(ex->easy, CURLINFO_RESPONSE_CODE, &status);
		an->status = status;
		if (ex->has_retry_after &&
		    curl_easy_getinfo(ex->easy, CURLINFO_RETRY_AFTER, &retry) == CURLE_OK)
			an->retry_after_s = retry < RETRY_AFTER_MAX ? retry : RETRY_AFTER_MAX;
	} else {
		json_copy(an->error, sizeof(an->error),
			  ex->error[0] ? ex->error : curl_easy_strerror(code));
	}
	ex->done(ex->arg, an);
	free_exchange(ex);
}

int http_wait(struct http *h, int fd)
{
	struct curl_waitfd extra = { .fd = fd, .events = CURL_WAIT_POLLIN };

	/* curl shortens the time to its own timers */
	if (curl_multi_poll(h->multi, &extra, 1, 60 * 1000, NULL) != CURLM_OK)
		return -EIO;
	return extra.revents != 0;
}

void http_perform(struct http *h)
{
	struct http_exchange *ex;
	CURLMsg *msg;
	int running;

	curl_multi_perform(h->multi, &running);
	while ((msg = curl_multi_info_read(h->multi, &running))) {
		if (msg->msg != CURLMSG_DONE ||
		    curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&ex) != CURLE_OK)
			continue;
		finish(ex, msg->data.result);
	}
}
