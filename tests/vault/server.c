// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The listeners, and the way of a request through them: collect its body, meet its fault, wait if
 * it must, answer.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "vault.h"

#define BODY_MAX	(256 * 1024)
#define CONNECTIONS_MAX 4096
#define IDLE_S		120

static struct listener {
	enum surface surface;
	const char *where;
	struct sockaddr_storage addr;
	struct MHD_Daemon *daemon;
} listeners[ARRAY_SIZE(settings.https) + 3];
static unsigned int n_listeners;
static char *certificate, *certificate_key, *certificate_name;

static void *on_uri(void *cls, const char *uri, struct MHD_Connection *conn)
{
	const struct listener *listener = cls;
	struct req *req = xcalloc(1, sizeof(*req));

	req->conn = conn;
	req->surface = listener->surface;
	req->uri = xstrdup(uri);
	req->arrived_ms = now_ms();
	random_guid(req->activity);
	return req;
}

static void on_completed(void *cls, struct MHD_Connection *conn, void **ctx,
			 enum MHD_RequestTerminationCode code)
{
	struct req *req = *ctx;

	(void)cls, (void)conn, (void)code;
	if (!req)
		return;
	answer_reset(&req->answer);
	crypto_free(req->made);
	cJSON_Delete(req->json);
	free(req->uri);
	free(req->authority);
	free(req->host);
	free(req->path);
	free(req->body);
	free(req->key);
	free(req->version);
	free(req->tenant);
	free(req);
	*ctx = NULL;
}

static void begin(struct req *req, const char *url, const char *method)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(req->conn, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const char *authority = req_header(req, "Host");

	req->phase = PHASE_BODY;
	req->method = method;
	req->path = xstrdup(url);
	req->authority = xstrdup(authority ? authority : "");
	req->host = xasprintf("%.*s", (int)strcspn(req->authority, ":"), req->authority);
	for (char *c = req->host; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	if (info && info->client_addr->sa_family == AF_INET)
		req->client_port = ntohs(((const struct sockaddr_in *)info->client_addr)->sin_port);
	else if (info && info->client_addr->sa_family == AF_INET6)
		req->client_port =
			ntohs(((const struct sockaddr_in6 *)info->client_addr)->sin6_port);
}

static enum MHD_Result collect(struct req *req, const char *data, size_t *len)
{
	if (req->body_len + *len > BODY_MAX)
		return MHD_NO;
	req->body = realloc(req->body, req->body_len + *len + 1);
	if (!req->body)
		abort();
	memcpy(req->body + req->body_len, data, *len);
	req->body_len += *len;
	req->body[req->body_len] = '\0';
	*len = 0;
	return MHD_YES;
}

/* Whether the request has to wait, and if so have it wait: first for its fault, then for its key.
 */
static bool wait_wanted(struct req *req)
{
	if (req->phase == PHASE_BODY) {
		req->phase = PHASE_WAIT;
		req->effect = fault_pick(req);
		if (req->effect.kind == FAULT_HANG) {
			log_request(req);
			pend(req, -1);
			return true;
		}
		if (req->effect.kind == FAULT_DELAY) {
			pend(req, req->arrived_ms + req->effect.value);
			return true;
		}
	}
	return req->phase == PHASE_WAIT && !req->dropped && work_wanted(req);
}

static void answer(struct req *req)
{
	if (req->dropped || fault_apply(req))
		return;
	if (req->surface == SURFACE_VAULT && replay_on())
		replay_run(req);
	else
		route_run(req);
}

static enum MHD_Result advance(struct req *req)
{
	bool routed = req->phase != PHASE_BODY || route_find(req);

	if (routed && req->phase == PHASE_BODY && req->body)
		req->json = cJSON_Parse(req->body);
	if (routed && wait_wanted(req))
		return MHD_YES;
	if (routed)
		answer(req);
	answer_service_headers(req);
	if (!req->dropped)
		log_request(req);
	state_save_if_changed();
	return answer_send(req) ? MHD_YES : MHD_NO;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *conn, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *len, void **ctx)
{
	struct req *req = *ctx;
	enum MHD_Result result;

	(void)cls, (void)conn, (void)version;
	if (req->phase == PHASE_NEW) {
		begin(req, url, method);
		return MHD_YES;
	}
	if (*len)
		return collect(req, data, len);
	if (req->surface == SURFACE_CONTROL) {
		if (route_find(req))
			control_run(req);
		return answer_send(req) ? MHD_YES : MHD_NO;
	}
	pthread_mutex_lock(&vault_lock);
	result = advance(req);
	pthread_mutex_unlock(&vault_lock);
	return result;
}

static int parse_address(const char *where, struct sockaddr_storage *addr)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
					.ai_socktype = SOCK_STREAM };
	const char *colon = strrchr(where, ':');
	_cleanup_free_ char *host = NULL;
	struct addrinfo *found;

	if (!colon)
		return -EINVAL;
	host = *where == '[' ? xasprintf("%.*s", (int)(colon - where - 2), where + 1)
			     : xasprintf("%.*s", (int)(colon - where), where);
	if (getaddrinfo(host, colon + 1, &hints, &found))
		return -EINVAL;
	memcpy(addr, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	return 0;
}

static int listener_start(struct listener *listener)
{
	bool tls = listener->surface == SURFACE_VAULT;
	const struct MHD_OptionItem plain[] = { { MHD_OPTION_END, 0, NULL } };
	const struct MHD_OptionItem secure[] = { { MHD_OPTION_HTTPS_MEM_KEY, 0, certificate_key },
						 { MHD_OPTION_HTTPS_MEM_CERT, 0, certificate },
						 { MHD_OPTION_END, 0, NULL } };
	unsigned int flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;

	if (listener->daemon)
		return 0;
	if (tls)
		flags |= MHD_USE_TLS;
	if (listener->addr.ss_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	listener->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, on_request, listener, MHD_OPTION_SOCK_ADDR,
		(struct sockaddr *)&listener->addr, MHD_OPTION_URI_LOG_CALLBACK, on_uri, listener,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_CONNECTION_LIMIT,
		CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, MHD_OPTION_ARRAY,
		tls ? secure : plain, MHD_OPTION_END);
	if (listener->daemon)
		return 0;
	fprintf(stderr, "cmk-testvault: cannot listen on %s: %s\n", listener->where,
		strerror(errno));
	return errno ? -errno : -EIO;
}

/* Nothing may be suspended when a daemon is stopped. */
static void listener_stop(struct listener *listener)
{
	if (!listener->daemon)
		return;
	work_wait();
	pend_drop(true);
	MHD_stop_daemon(listener->daemon);
	listener->daemon = NULL;
	work_resume();
}

int server_cut(enum surface surface, const char *where)
{
	bool found = false;

	for (unsigned int i = 0; i < n_listeners; i++) {
		if (listeners[i].surface != surface || (where && strcmp(listeners[i].where, where)))
			continue;
		listener_stop(&listeners[i]);
		found = true;
	}
	return found ? 0 : -ENOENT;
}

int server_restore(enum surface surface)
{
	int r = 0;

	for (unsigned int i = 0; !r && i < n_listeners; i++)
		if (listeners[i].surface == surface)
			r = listener_start(&listeners[i]);
	return r;
}

static int certificate_load(const char *name)
{
	_cleanup_free_ char *pem = xasprintf("%s/server-%s.pem", settings.dir, name);
	_cleanup_free_ char *key = xasprintf("%s/server-%s.key", settings.dir, name);
	char *pem_text = read_file(pem), *key_text = read_file(key);

	if (!pem_text || !key_text) {
		free(pem_text);
		free(key_text);
		return -ENOENT;
	}
	free(certificate);
	free(certificate_key);
	certificate = pem_text;
	certificate_key = key_text;
	put_string(&certificate_name, name);
	return 0;
}

int server_certificate(const char *name)
{
	bool was_up[ARRAY_SIZE(listeners)] = { false };
	int r;

	/* Connections live on where nothing changes. */
	if (!strcmp(certificate_name, name))
		return 0;
	r = certificate_load(name);
	for (unsigned int i = 0; !r && i < n_listeners; i++) {
		if (listeners[i].surface != SURFACE_VAULT || !listeners[i].daemon)
			continue;
		was_up[i] = true;
		listener_stop(&listeners[i]);
	}
	for (unsigned int i = 0; !r && i < n_listeners; i++)
		if (was_up[i])
			r = listener_start(&listeners[i]);
	return r;
}

static int listener_add(enum surface surface, const char *where)
{
	struct listener *listener = &listeners[n_listeners];

	if (!where)
		return 0;
	listener->surface = surface;
	listener->where = where;
	if (parse_address(where, &listener->addr)) {
		fprintf(stderr,
			"cmk-testvault: \"%s\" is not an address and a port, as in 127.0.0.1:443\n",
			where);
		return -EINVAL;
	}
	n_listeners++;
	return listener_start(listener);
}

int server_start(void)
{
	int r = certificate_load("good");

	for (unsigned int i = 0; !r && i < settings.n_https; i++)
		r = listener_add(SURFACE_VAULT, settings.https[i]);
	if (!r)
		r = listener_add(SURFACE_IMDS, settings.imds);
	if (!r)
		r = listener_add(SURFACE_ARC, settings.arc);
	if (!r)
		r = listener_add(SURFACE_CONTROL, settings.control);
	return r;
}

void server_stop(void)
{
	/* The control port goes first: it is the one that could start another. */
	for (unsigned int i = n_listeners; i > 0; i--)
		listener_stop(&listeners[i - 1]);
	free(certificate);
	free(certificate_key);
	free(certificate_name);
}

int server_port(void)
{
	const char *colon = strrchr(settings.https[0], ':');

	return colon ? atoi(colon + 1) : 443;
}
