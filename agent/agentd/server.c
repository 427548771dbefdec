// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The control socket: clients, lines in, lines out. Several at once; none of them can make the loop
 * wait. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>

#include "common/control.h"
#include "op.h"

#define CLIENTS_MAX  64
#define BACKLOG	     32
#define REQUEST_MS   5000
#define ANSWER_MS    5000
#define OPERATION_MS 900000 /* beyond every limit that a job has */

struct client {
	struct client *next;
	struct agent *agent;
	int fd;
	sd_event_source *io, *limit;
	char *in; /* CMK_CONTROL_LINE_MAX; freed once the request is whole */
	size_t in_len;
	char *out;
	size_t out_len, sent;
	bool waiting; /* for the operation below */
	struct op_wait op;
};

static void client_free(struct client *c)
{
	struct client **p = &c->agent->server.clients;

	while (*p != c)
		p = &(*p)->next;
	*p = c->next;
	c->agent->server.n_clients--;
	sd_event_source_disable_unref(c->io);
	sd_event_source_disable_unref(c->limit);
	/* A job that was forked meanwhile has a copy of the descriptor: close() alone would not end
	 * the connection. */
	shutdown(c->fd, SHUT_RDWR);
	close(c->fd);
	free(c->in);
	cJSON_free(c->out);
	free(c);
}

static void set_limit(struct client *c, int64_t ms)
{
	sd_event_source_set_time_relative(c->limit, (uint64_t)ms * 1000);
	sd_event_source_set_enabled(c->limit, SD_EVENT_ONESHOT);
}

/* Send what is left. Return: false if the client is done with and freed. */
static bool flush(struct client *c)
{
	ssize_t n;

	while (c->sent < c->out_len) {
		n = send(c->fd, c->out + c->sent, c->out_len - c->sent,
			 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN) {
			sd_event_source_set_io_events(c->io, EPOLLOUT);
			return true;
		}
		if (n < 0)
			break;
		c->sent += n;
	}
	client_free(c);
	return false;
}

/* Takes the answer. The client is gone afterwards, or writes on by itself. */
static void answer(struct client *c, cJSON *o)
{
	size_t len;
	char *text = o ? cJSON_PrintUnformatted(o) : NULL;

	cJSON_Delete(o);
	c->waiting = false;
	if (!text) {
		client_free(c);
		return;
	}
	len = strlen(text);
	text[len] = '\n'; /* in the place of the NUL: it goes out by length */
	c->out = text;
	c->out_len = len + 1;
	set_limit(c, ANSWER_MS);
	flush(c);
}

static void refuse(struct client *c, const char *what)
{
	struct cmk_error err = { 0 };

	cmk_error_set(&err, CMK_EXIT_USAGE, -EINVAL, "see Documentation/control.md",
		      "bad request: %s", what);
	answer(c, op_refusal(&err));
}

static void take_line(struct client *c, size_t len)
{
	cJSON *request = cJSON_ParseWithLength(c->in, len), *o;

	free(c->in);
	c->in = NULL;
	if (!cJSON_IsObject(request)) {
		cJSON_Delete(request);
		refuse(c, "not a JSON object on one line");
		return;
	}
	o = op_begin(c->agent, request, &c->op);
	cJSON_Delete(request);
	if (o) {
		answer(c, o);
		return;
	}
	c->waiting = true;
	set_limit(c, OPERATION_MS);
}

static void receive(struct client *c)
{
	ssize_t n = recv(c->fd, c->in + c->in_len, CMK_CONTROL_LINE_MAX - c->in_len, MSG_DONTWAIT);
	char *end;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		client_free(c);
		return;
	}
	c->in_len += n;
	end = memchr(c->in, '\n', c->in_len);
	if (end)
		take_line(c, end - c->in);
	else if (c->in_len == CMK_CONTROL_LINE_MAX)
		refuse(c, "longer than 64 KiB");
}

static int on_client(sd_event_source *s, int fd, uint32_t revents, void *arg)
{
	struct client *c = arg;

	(void)s;
	(void)fd;
	if (c->out)
		flush(c);
	else if (c->in)
		receive(c);
	else if (revents & (EPOLLHUP | EPOLLERR))
		client_free(c); /* it left; what it asked for goes on */
	else			/* more than one line: the rest is not read */
		sd_event_source_set_io_events(c->io, 0);
	return 0;
}

static int on_limit(sd_event_source *s, uint64_t usec, void *arg)
{
	struct client *c = arg;
	struct cmk_error err = { 0 };

	(void)s;
	(void)usec;
	if (!c->waiting) {
		client_free(c);
		return 0;
	}
	cmk_error_set(&err, CMK_EXIT_BUSY, -ETIMEDOUT, "see `cmkctl status` and the journal",
		      "%s: not done yet; it goes on", c->op.volume);
	answer(c, op_refusal(&err));
	return 0;
}

static int on_check(sd_event_source *s, void *arg)
{
	struct agent *a = arg;
	struct client *c, *next;
	cJSON *o;

	(void)s;
	for (c = a->server.clients; c; c = next) {
		next = c->next;
		o = c->waiting ? op_check(a, &c->op) : NULL;
		if (o)
			answer(c, o);
	}
	return 0;
}

void server_volume_changed(struct volume *v)
{
	if (v->agent->server.check && v->agent->server.clients)
		sd_event_source_set_enabled(v->agent->server.check, SD_EVENT_ONESHOT);
}

static bool is_root(int fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 && who.uid == 0;
}

static int watch(struct client *c)
{
	sd_event *e = c->agent->event;
	int r = sd_event_add_io(e, &c->io, c->fd, EPOLLIN, on_client, c);

	if (r >= 0)
		r = sd_event_add_time_relative(e, &c->limit, CLOCK_BOOTTIME, REQUEST_MS * 1000ULL,
					       0, on_limit, c);
	return r;
}

static int on_connect(sd_event_source *s, int listener, uint32_t revents, void *arg)
{
	struct agent *a = arg;
	struct client *c;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)s;
	(void)revents;
	if (fd < 0)
		return 0;
	c = a->server.n_clients < CLIENTS_MAX && is_root(fd) ? calloc(1, sizeof(*c)) : NULL;
	if (!c) {
		close(fd);
		return 0;
	}
	c->agent = a;
	c->fd = fd;
	c->next = a->server.clients;
	a->server.clients = c;
	a->server.n_clients++;
	c->in = malloc(CMK_CONTROL_LINE_MAX);
	if (!c->in || watch(c) < 0)
		client_free(c);
	return 0;
}

/* Is there an agent already? Two of them would work against each other. */
static bool is_taken(const struct sockaddr_un *sa)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd >= 0 && connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) == 0;
}

static int listen_at(struct agent *a, const struct sockaddr_un *sa)
{
	char dir[sizeof(sa->sun_path)];
	char *slash;
	int r;

	snprintf(dir, sizeof(dir), "%s", sa->sun_path);
	slash = strrchr(dir, '/');
	if (slash && slash != dir) {
		*slash = '\0';
		if (mkdir(dir, 0700) < 0 && errno != EEXIST)
			return -errno;
	}
	if (unlink(sa->sun_path) < 0 && errno != ENOENT)
		return -errno;
	a->server.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (a->server.fd < 0)
		return -errno;
	if (bind(a->server.fd, (const struct sockaddr *)sa, sizeof(*sa)) < 0 ||
	    chmod(sa->sun_path, 0600) < 0 || listen(a->server.fd, BACKLOG) < 0)
		return -errno;
	r = sd_event_add_io(a->event, &a->server.io, a->server.fd, EPOLLIN, on_connect, a);
	if (r >= 0)
		r = sd_event_add_defer(a->event, &a->server.check, on_check, a);
	return r;
}

int server_init(struct agent *a, struct cmk_error *err)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int r;

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", a->cfg->socket);
	if (is_taken(&sa))
		return cmk_error_set(err, CMK_EXIT_BUSY, -EADDRINUSE,
				     "stop it first (systemctl stop cmk-agent)",
				     "another cmk-agent listens on %s", sa.sun_path);
	r = listen_at(a, &sa);
	if (r < 0)
		return cmk_error_set(err, CMK_EXIT_DEVICE, r, "see `socket` in cmk.conf",
				     "cannot listen on %s: %s", sa.sun_path, strerror(-r));
	return 0;
}

void server_free(struct agent *a)
{
	while (a->server.clients)
		client_free(a->server.clients);
	sd_event_source_disable_unref(a->server.io);
	sd_event_source_disable_unref(a->server.check);
	a->server.check = NULL;
	if (a->server.fd >= 0) {
		close(a->server.fd);
		unlink(a->cfg->socket);
	}
}
