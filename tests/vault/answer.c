// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The answer of a request: building it, the headers that each service adds, and sending it, whole
 * or as a fault has it.
 */
#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include "vault.h"

#define JSON_TYPE "application/json; charset=utf-8"

const char *req_header(const struct req *req, const char *name)
{
	return MHD_lookup_connection_value(req->conn, MHD_HEADER_KIND, name);
}

const char *req_query(const struct req *req, const char *name)
{
	return MHD_lookup_connection_value(req->conn, MHD_GET_ARGUMENT_KIND, name);
}

int req_api(const struct req *req)
{
	const char *api = req_query(req, "api-version");
	int major, minor;

	if (!api || sscanf(api, "%d.%d", &major, &minor) != 2)
		return api ? atoi(api) : 0;
	return major * 100 + minor;
}

void answer_reset(struct answer *answer)
{
	for (unsigned int i = 0; i < answer->n_headers; i++)
		free(answer->headers[i].value);
	free(answer->body);
	memset(answer, 0, sizeof(*answer));
}

void answer_text(struct req *req, unsigned int status, const char *type, const char *text)
{
	req->answer.status = status;
	req->answer.type = type;
	put_string(&req->answer.body, text);
}

void answer_json(struct req *req, unsigned int status, cJSON *json)
{
	if (req->vault && req->vault->cloud->hsm)
		json_sort(json, true);
	free(req->answer.body);
	req->answer.body = cJSON_PrintUnformatted(json);
	req->answer.status = status;
	req->answer.type = JSON_TYPE;
	cJSON_Delete(json);
}

void answer_header(struct req *req, const char *name, const char *fmt, ...)
{
	struct answer *answer = &req->answer;
	char *value = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (answer->n_headers == ARRAY_SIZE(answer->headers) || vasprintf(&value, fmt, ap) < 0)
		abort();
	va_end(ap);
	answer->headers[answer->n_headers++] = (struct header){ name, value };
}

void answer_bearer(struct req *req)
{
	const struct cloud *cloud = req->vault->cloud;

	answer_header(req, "WWW-Authenticate",
		      "Bearer authorization=\"https://%s/%s\", resource=\"%s\"", cloud->login,
		      req->vault->tenant, cloud->resource);
}

static void vault_headers(struct req *req)
{
	const char *client_id = req_header(req, "x-ms-client-request-id");

	answer_header(req, "Pragma", "no-cache");
	answer_header(req, "Expires", "-1");
	answer_header(req, "x-ms-keyvault-region", "%s", req->vault->region);
	if (client_id)
		answer_header(req, "x-ms-client-request-id", "%s", client_id);
	answer_header(req, "x-ms-request-id", "%s", req->activity);
	answer_header(req, "x-ms-keyvault-service-version", "1.9.3019.1");
	answer_header(req, "x-ms-keyvault-network-info",
		      "conn_type=Ipv4;addr=127.0.0.1;act_addr_fam=InterNetwork;");
	if (req->who)
		answer_header(req, "x-ms-keyvault-rbac-cache",
			      "ra_age=570;da_age=2856;rd_age=2856;brd_age=2856;");
	answer_header(req, "Strict-Transport-Security", "max-age=31536000;includeSubDomains");
}

static void hsm_headers(struct req *req)
{
	answer_header(req, "Content-Security-Policy", "default-src 'self'");
	answer_header(req, "X-Frame-Options", "SAMEORIGIN");
	answer_header(req, "x-ms-request-id", "%s", req->activity);
	answer_header(req, "x-ms-server-latency", "1");
	if (req->answer.status < 300) {
		answer_header(req, "x-ms-keyvault-region", "%s", req->vault->region);
		answer_header(req, "x-ms-keyvault-network-info",
			      "conn_type=Ipv4;addr=127.0.0.1;act_addr_fam=Ipv4;");
	}
	answer_header(req, "Strict-Transport-Security", "max-age=31536000; includeSubDomains");
}

void answer_service_headers(struct req *req)
{
	answer_header(req, "Cache-Control", req->vault ? "no-cache" : "no-store");
	if (!req->vault)
		return;
	if (req->vault->cloud->hsm)
		hsm_headers(req);
	else
		vault_headers(req);
	answer_header(req, "X-Content-Type-Options", "nosniff");
}

/* A body that breaks off (truncate) or goes on and on (huge). */
struct stream {
	char *text; /* NULL: letters without end */
	uint64_t len;
};

static ssize_t stream_read(void *cls, uint64_t pos, char *buf, size_t max)
{
	const struct stream *stream = cls;

	if (pos >= stream->len)
		return stream->text ? MHD_CONTENT_READER_END_WITH_ERROR
				    : MHD_CONTENT_READER_END_OF_STREAM;
	if (max > stream->len - pos)
		max = stream->len - pos;
	if (stream->text)
		memcpy(buf, stream->text + pos, max);
	else
		memset(buf, 'A', max);
	return (ssize_t)max;
}

static void stream_free(void *cls)
{
	struct stream *stream = cls;

	free(stream->text);
	free(stream);
}

static struct MHD_Response *response_make(struct req *req)
{
	struct answer *answer = &req->answer;
	const char *body = answer->body ? answer->body : "";
	size_t len = strlen(body);
	struct stream *stream;

	switch (req->effect.kind) {
	case FAULT_GARBAGE:
		body = "\x01\x02}{\xff\xfe[[[\"\\u00";
		return MHD_create_response_from_buffer(strlen(body), (void *)(uintptr_t)body,
						       MHD_RESPMEM_PERSISTENT);
	case FAULT_TRUNCATE:
	case FAULT_HUGE:
		stream = xcalloc(1, sizeof(*stream));
		stream->len = (uint64_t)req->effect.value;
		if (req->effect.kind == FAULT_TRUNCATE) {
			stream->text = xstrdup(body);
			stream->len = len / 2;
			return MHD_create_response_from_callback(len ? len : 1, 4096, stream_read,
								 stream, stream_free);
		}
		return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 65536, stream_read,
							 stream, stream_free);
	default:
		return MHD_create_response_from_buffer(len, (void *)(uintptr_t)body,
						       MHD_RESPMEM_MUST_COPY);
	}
}

/* Dissolving the association sends the RST that a close, which libmicrohttpd has a shutdown
 * precede, would not. */
static void reset_connection(struct req *req)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(req->conn, MHD_CONNECTION_INFO_CONNECTION_FD);
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	if (info && connect(info->connect_fd, &nobody, sizeof(nobody)))
		perror("cmk-testvault: reset");
}

bool answer_send(struct req *req)
{
	struct answer *answer = &req->answer;
	struct MHD_Response *response;
	enum MHD_Result queued;

	if (req->dropped || req->effect.kind == FAULT_RESET) {
		reset_connection(req);
		return false;
	}
	response = response_make(req);
	if (!response)
		return false;
	for (unsigned int i = 0; i < answer->n_headers; i++)
		MHD_add_response_header(response, answer->headers[i].name,
					answer->headers[i].value);
	if (answer->type)
		MHD_add_response_header(response, "Content-Type", answer->type);
	queued = MHD_queue_response(req->conn, answer->status, response);
	MHD_destroy_response(response);
	return queued == MHD_YES;
}
