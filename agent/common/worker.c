// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The root side's end of cmk-kms: frames out, frames in, and which requests are under way. */
#include "worker.h"
#include "worker_spawn.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "credential.h"
#include "timeutil.h"

struct cmk_worker {
	pid_t pid;
	int fd;
	bool ready;
	uint32_t last_id;
	uint32_t *under_way; /* ids */
	size_t n_under_way, room;
	uint8_t frame[CMK_FRAME_MAX_BYTES]; /* wiped after each use: it may have held an unwrapped
					       key */
};

static void to_kms_config(const struct cmk_config *cfg, struct cmk_kms_config *c)
{
	_Static_assert(sizeof(c->vaults) == sizeof(cfg->vaults), "one list of pins");
	*c = (struct cmk_kms_config){
		.connect_timeout_ms = cfg->connect_timeout_ms,
		.total_timeout_ms = cfg->total_timeout_ms,
		.n_vaults = cfg->n_vaults,
		.suffix_store = cfg->suffix_store,
	};
	memcpy(c->vaults, cfg->vaults, sizeof(c->vaults));
	snprintf(c->ca_file, sizeof(c->ca_file), "%s", cfg->ca_file);
	snprintf(c->proxy, sizeof(c->proxy), "%s", cfg->proxy);
	snprintf(c->api_version, sizeof(c->api_version), "%s", cfg->api_version);
	snprintf(c->imds, sizeof(c->imds), "%s", cfg->imds);
	snprintf(c->suffix, sizeof(c->suffix), "%s", cfg->suffix);
}

static int send_frame(struct cmk_worker *w, int len)
{
	ssize_t n = send(w->fd, w->frame, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	int r = n == len ? 0 : -errno;

	explicit_bzero(w->frame, len);
	if (r == 0 || r == -EAGAIN)
		return r;
	return -EPIPE;
}

static int send_config(struct cmk_worker *w, const struct cmk_config *cfg)
{
	_cleanup_free_ struct cmk_kms_config *c = malloc(sizeof(*c));
	int len;

	if (!c)
		return -ENOMEM;
	to_kms_config(cfg, c);
	len = cmk_proto_put_config(w->frame, c);
	return len < 0 ? len : send_frame(w, len);
}

int cmk_worker_spawn(const struct cmk_config *cfg, struct cmk_worker **out, struct cmk_error *err)
{
	_cleanup_worker_ struct cmk_worker *w = calloc(1, sizeof(*w));
	_cleanup_close_ int child_end = -1;
	int fds[2], r;

	if (!w)
		return cmk_error_set(err, CMK_EXIT_MEMORY, -ENOMEM, NULL, "out of memory");
	w->fd = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return cmk_error_set(err, CMK_EXIT_DEVICE, -errno, NULL,
				     "cannot make a socketpair: %m");
	w->fd = fds[0];
	child_end = fds[1];
	r = worker_spawn(cfg, child_end, &w->pid, err);
	if (r < 0)
		return r;
	r = send_config(w, cfg);
	if (r < 0)
		return cmk_error_set(err, CMK_EXIT_DEVICE, r, WORKER_REMEDY,
				     "cannot give the worker %s its configuration: %s",
				     cfg->kms_path, strerror(-r));
	*out = w;
	w = NULL;
	return 0;
}

void cmk_worker_free(struct cmk_worker *w)
{
	if (!w)
		return;
	if (w->fd >= 0)
		close(w->fd);
	if (w->pid > 0) {
		kill(w->pid, SIGKILL);
		while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	free(w->under_way);
	explicit_bzero(w->frame, sizeof(w->frame));
	free(w);
}

int cmk_worker_fd(const struct cmk_worker *w)
{
	return w->fd;
}

pid_t cmk_worker_pid(const struct cmk_worker *w)
{
	return w->pid;
}

static bool forget(struct cmk_worker *w, uint32_t id)
{
	for (size_t i = 0; i < w->n_under_way; i++) {
		if (w->under_way[i] != id)
			continue;
		w->under_way[i] = w->under_way[--w->n_under_way];
		return true;
	}
	return false;
}

static int remember(struct cmk_worker *w, uint32_t id)
{
	if (w->n_under_way == w->room) {
		size_t room = w->room ? 2 * w->room : 16;
		uint32_t *more = reallocarray(w->under_way, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		w->under_way = more;
		w->room = room;
	}
	w->under_way[w->n_under_way++] = id;
	return 0;
}

/* The request's frame, with the identity's credential where the caller gave none. Return: its
 * length. */
static int put_request(struct cmk_worker *w, const struct cmk_kms_request *rq)
{
	_cleanup_secret_ struct secret credential = SECRET_INIT;
	struct cmk_kms_request whole = *rq;

	if (!rq->credential.len) {
		/* without it the worker says which one is missing, as evidence */
		if (credential_load(&rq->identity, &credential) < 0)
			secret_wipe(&credential);
		whole.credential = credential;
	}
	return cmk_proto_put_request(w->frame, &whole);
}

int cmk_worker_send(struct cmk_worker *w, struct cmk_kms_request *rq)
{
	int len, r;

	/* in order, and never used again: an answer to an id of the past is recognised */
	if (w->last_id == UINT32_MAX)
		return -EPIPE;
	rq->id = w->last_id + 1;
	len = put_request(w, rq);
	if (len < 0)
		return len;
	r = remember(w, rq->id);
	if (r < 0)
		return r;
	r = send_frame(w, len);
	if (r < 0)
		forget(w, rq->id);
	else
		w->last_id = rq->id;
	return r;
}

void cmk_worker_cancel(struct cmk_worker *w, uint32_t id)
{
	int len;

	if (!forget(w, id))
		return;
	/* if the worker does not hear it, its answer is dropped all the same */
	len = cmk_proto_put_cancel(w->frame, id);
	if (len > 0 && send_frame(w, len) < 0)
		return;
}

/* Return: 1 an answer, 0 nothing for the caller, or -errno. */
static int take_frame(struct cmk_worker *w, size_t len, struct cmk_kms_answer *an)
{
	int r;

	if (!w->ready) {
		w->ready = cmk_proto_type(w->frame, len) == CMK_FRAME_READY;
		return w->ready ? 0 : -EBADMSG;
	}
	r = cmk_proto_get_answer(w->frame, len, an);
	if (r < 0)
		return r;
	if (forget(w, an->id))
		return 1;
	secret_wipe(&an->output);
	return an->id <= w->last_id ? 0 : -EBADMSG;
}

int cmk_worker_receive(struct cmk_worker *w, struct cmk_kms_answer *an)
{
	for (;;) {
		ssize_t n = recv(w->fd, w->frame, sizeof(w->frame), MSG_DONTWAIT | MSG_TRUNC);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -EPIPE;
		if (n == 0)
			return -EPIPE;
		r = n > (ssize_t)sizeof(w->frame) ? -EBADMSG : take_frame(w, n, an);
		explicit_bzero(w->frame,
			       (size_t)n < sizeof(w->frame) ? (size_t)n : sizeof(w->frame));
		if (r)
			return r;
	}
}

static void fail(struct cmk_kms_answer *an, uint32_t id, const char *why)
{
	*an = (struct cmk_kms_answer){
		.id = id,
		.evidence = { .transport = CMK_TRANSPORT_WORKER, .retry_after_s = -1 },
	};
	snprintf(an->evidence.message, sizeof(an->evidence.message), "%s", why);
}

void cmk_worker_call(struct cmk_worker *w, struct cmk_kms_request *rq, int64_t timeout_ms,
		     struct cmk_kms_answer *an)
{
	int64_t deadline = boottime_ms() + timeout_ms, left;
	struct pollfd pfd = { .fd = w->fd, .events = POLLIN };
	int r = cmk_worker_send(w, rq);

	if (r < 0) {
		fail(an, rq->id,
		     r == -EINVAL ? "the request is malformed"
				  : "the worker does not take requests");
		return;
	}
	for (;;) {
		r = cmk_worker_receive(w, an);
		if (r == 1 && an->id == rq->id)
			return;
		if (r == 1) {
			secret_wipe(&an->output);
			continue;
		}
		left = deadline - boottime_ms();
		if (r < 0 || left <= 0)
			break;
		if (poll(&pfd, 1, left < INT32_MAX ? left : INT32_MAX) < 0 && errno != EINTR)
			break;
	}
	cmk_worker_cancel(w, rq->id);
	fail(an, rq->id,
	     r == -EBADMSG ? "the worker broke the protocol"
	     : r < 0	   ? "the worker is gone"
			   : "the worker did not answer in time");
}
