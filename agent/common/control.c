// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The client's side of the control socket: connect, one line out, one line in, all within one
 * deadline. */
#include "control.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "timeutil.h"

#define START_REMEDY "Start it: systemctl start cmk-agent"

struct call {
	const char *socket;
	int fd;
	int64_t end_ms; /* boottime */
	struct cmk_error *err;
};

static int failed(const struct call *c, int r, const char *what)
{
	return cmk_error_set(c->err, CMK_EXIT_UNREACHABLE, r, NULL, "cmk-agent on %s %s: %s",
			     c->socket, what, strerror(-r));
}

static int wait_for(const struct call *c, short events)
{
	struct pollfd p = { .fd = c->fd, .events = events };

	for (;;) {
		int64_t left_ms = c->end_ms - boottime_ms();
		int n = left_ms > 0 ? poll(&p, 1, left_ms > 60000 ? 60000 : left_ms) : 0;

		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return failed(c, -errno, "cannot be waited for");
		if (n == 0 && boottime_ms() >= c->end_ms)
			return cmk_error_set(c->err, CMK_EXIT_UNREACHABLE, -ETIMEDOUT,
					     "See what it is doing: systemctl status cmk-agent",
					     "cmk-agent on %s does not answer in time", c->socket);
	}
}

static int connect_agent(struct call *c)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if ((size_t)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", c->socket) >=
	    sizeof(addr.sun_path))
		return failed(c, -ENAMETOOLONG, "has too long a path");
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return failed(c, -errno, "cannot be reached");
	if (connect(c->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		int r = -errno;

		if (r == -ECONNREFUSED || r == -ENOENT)
			return cmk_error_set(c->err, CMK_EXIT_UNREACHABLE, r, START_REMEDY,
					     "cmk-agent does not run: nothing listens on %s",
					     c->socket);
		return failed(c, r, "cannot be reached");
	}
	if (getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 ||
	    (peer.uid != 0 && peer.uid != geteuid()))
		return failed(c, -EPERM, "is not root's");
	return 0;
}

static int send_line(struct call *c, const cJSON *request)
{
	_cleanup_free_ char *text = cJSON_PrintUnformatted(request);
	size_t len, at = 0;

	if (!text)
		return cmk_error_set(c->err, CMK_EXIT_MEMORY, -ENOMEM, NULL, "out of memory");
	len = strlen(text);
	if (len + 1 > CMK_CONTROL_LINE_MAX)
		return failed(c, -EMSGSIZE, "takes no request of that length");
	text[len++] = '\n'; /* in the place of the NUL */
	while (at < len) {
		ssize_t n = send(c->fd, text + at, len - at, MSG_DONTWAIT | MSG_NOSIGNAL);
		int r = 0;

		if (n >= 0)
			at += n;
		else if (errno == EAGAIN)
			r = wait_for(c, POLLOUT);
		else if (errno != EINTR)
			r = failed(c, -errno, "broke the connection");
		if (r < 0)
			return r;
	}
	return 0;
}

/* The whole of what it says until the line ends or it closes; *@text is the caller's to free. */
static int receive_line(struct call *c, char **text)
{
	size_t room = 4096, len = 0;
	char *buf = malloc(room);
	int r = 0;

	while (buf && r == 0) {
		ssize_t n;

		if (len + 1 == room) {
			char *more = room < CMK_CONTROL_ANSWER_MAX ? realloc(buf, room *= 2) : NULL;

			if (!more) {
				r = failed(c, -EMSGSIZE, "says too much");
				break;
			}
			buf = more;
		}
		n = recv(c->fd, buf + len, room - len - 1, MSG_DONTWAIT);
		if (n > 0) {
			char *end = memchr(buf + len, '\n', n);

			len += n;
			if (!end)
				continue;
			len = end - buf;
			break;
		}
		if (n == 0)
			break;
		if (errno == EAGAIN)
			r = wait_for(c, POLLIN);
		else if (errno != EINTR)
			r = failed(c, -errno, "broke the connection");
	}
	if (!buf)
		return cmk_error_set(c->err, CMK_EXIT_MEMORY, -ENOMEM, NULL, "out of memory");
	if (r < 0) {
		free(buf);
		return r;
	}
	buf[len] = '\0';
	*text = buf;
	return 0;
}

/* An exit code that this program knows; others become that of the device. */
static enum cmk_exit exit_code(const cJSON *n)
{
	if (!cJSON_IsNumber(n) || n->valueint < CMK_EXIT_USAGE || n->valueint > CMK_EXIT_KEK)
		return CMK_EXIT_DEVICE;
	return n->valueint;
}

static int parse_answer(struct call *c, const char *text, cJSON **answer)
{
	cJSON *obj = cJSON_ParseWithOpts(text, NULL, true);
	const cJSON *error, *remedy;

	if (!cJSON_IsObject(obj)) {
		cJSON_Delete(obj);
		return cmk_error_set(c->err, CMK_EXIT_UNREACHABLE, -EPROTO,
				     "See its log: journalctl -u cmk-agent",
				     "cmk-agent on %s broke off without an answer", c->socket);
	}
	/* a volume's object may have an `error` of its own; a refusal is known by its exit code */
	error = cJSON_GetObjectItemCaseSensitive(obj, "error");
	if (!cJSON_HasObjectItem(obj, "exit")) {
		*answer = obj;
		return 0;
	}
	remedy = cJSON_GetObjectItemCaseSensitive(obj, "remedy");
	cmk_error_set(c->err, exit_code(cJSON_GetObjectItemCaseSensitive(obj, "exit")), -EREMOTEIO,
		      cJSON_IsString(remedy) ? remedy->valuestring : NULL, "%s",
		      cJSON_IsString(error) ? error->valuestring
					    : "cmk-agent refused without a reason");
	cJSON_Delete(obj);
	return -EREMOTEIO;
}

int cmk_control_call(const char *socket, const cJSON *request, int64_t timeout_ms, cJSON **answer,
		     struct cmk_error *err)
{
	struct call c = {
		.socket = socket, .fd = -1, .end_ms = boottime_ms() + timeout_ms, .err = err
	};
	_cleanup_free_ char *text = NULL;
	int r = connect_agent(&c);

	if (r == 0)
		r = send_line(&c, request);
	if (r == 0)
		r = receive_line(&c, &text);
	if (c.fd >= 0)
		close(c.fd);
	return r < 0 ? r : parse_answer(&c, text, answer);
}
