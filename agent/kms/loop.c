// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* Requests are served in any order; answers go out as they come. The root side always reads, so
 * that sending may block. */
#include "loop.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define OPS_MAX 512 /* each has at most one connection: below RLIMIT_NOFILE */

struct loop {
	int fd;
	const struct kms *kms;
	struct op *ops[OPS_MAX];
	int error; /* of a send, from within a callback */
	uint8_t in[CMK_FRAME_MAX_BYTES], out[CMK_FRAME_MAX_BYTES];
};

ssize_t loop_receive(int fd, uint8_t *buf)
{
	ssize_t n;

	do {
		n = recv(fd, buf, CMK_FRAME_MAX_BYTES, MSG_TRUNC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? 0 : -errno;
	return n > CMK_FRAME_MAX_BYTES ? -EBADMSG : n;
}

int loop_send(int fd, uint8_t *buf, int len)
{
	ssize_t n;

	if (len < 0)
		return len;
	do {
		n = send(fd, buf, len, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	explicit_bzero(buf, len);
	return n == len ? 0 : -errno;
}

static void answer(struct loop *l, const struct cmk_kms_answer *an)
{
	int r = loop_send(l->fd, l->out, cmk_proto_put_answer(l->out, an));

	if (r < 0 && l->error == 0)
		l->error = r;
}

static void on_done(void *arg, struct op *op, const struct cmk_kms_answer *an)
{
	struct loop *l = arg;

	for (size_t i = 0; i < OPS_MAX; i++)
		if (l->ops[i] == op)
			l->ops[i] = NULL;
	answer(l, an);
}

static void refuse(struct loop *l, uint32_t id, const char *why)
{
	struct cmk_kms_answer an = {
		.id = id,
		.evidence = { .transport = CMK_TRANSPORT_WORKER, .retry_after_s = -1 },
	};

	snprintf(an.evidence.message, sizeof(an.evidence.message), "%s", why);
	answer(l, &an);
}

/* A free place for an operation, OPS_MAX if there is none, or -EBADMSG if its id is under way. */
static int find_place(const struct loop *l, uint32_t id)
{
	int place = OPS_MAX;

	for (int i = 0; i < OPS_MAX; i++) {
		if (!l->ops[i])
			place = i;
		else if (op_id(l->ops[i]) == id)
			return -EBADMSG;
	}
	return place;
}

static int on_request(struct loop *l, size_t len)
{
	struct cmk_kms_request rq;
	int r = cmk_proto_get_request(l->in, len, &rq);

	if (r < 0)
		return r;
	r = find_place(l, rq.id);
	if (r == OPS_MAX)
		refuse(l, rq.id, "the worker has too many requests under way");
	else if (r >= 0 && op_start(l->kms, &rq, on_done, l, &l->ops[r]) < 0)
		refuse(l, rq.id, "the worker is out of memory");
	secret_wipe(&rq.credential);
	return r < 0 ? r : 0;
}

/* One for an operation that has just been answered is no error. */
static int on_cancel(struct loop *l, size_t len)
{
	uint32_t id;
	int r = cmk_proto_get_cancel(l->in, len, &id);

	for (size_t i = 0; r == 0 && i < OPS_MAX; i++) {
		if (!l->ops[i] || op_id(l->ops[i]) != id)
			continue;
		op_cancel(l->ops[i]);
		l->ops[i] = NULL;
	}
	return r;
}

/* Return: 1, 0 at the end, or -errno. */
static int on_frame(struct loop *l)
{
	ssize_t n = loop_receive(l->fd, l->in);
	int r;

	if (n <= 0)
		return n;
	switch (cmk_proto_type(l->in, n)) {
	case CMK_FRAME_REQUEST:
		r = on_request(l, n);
		break;
	case CMK_FRAME_CANCEL:
		r = on_cancel(l, n);
		break;
	default:
		r = -EBADMSG;
	}
	explicit_bzero(l->in, n);
	return r < 0 ? r : 1;
}

int loop_run(int fd, const struct kms *kms)
{
	static struct loop l;
	int r;

	l = (struct loop){ .fd = fd, .kms = kms };
	for (;;) {
		r = http_wait(kms->http, fd);
		/* one frame a turn, so that neither side starves the other */
		if (r == 1) {
			r = on_frame(&l);
			if (r == 0)
				break;
		}
		if (r < 0)
			break;
		http_perform(kms->http);
		if (l.error) {
			r = l.error;
			break;
		}
	}
	return r == -EPIPE ? 0 : r;
}
