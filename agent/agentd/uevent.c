// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The kernel's uevents about mappings: a lease's end, a revoked key, a new mapping, a removed one,
 * seen at once. They only say where to look; what is true is read from the status line.
 */
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>

#include <uapi/dm-cmk.h>

#include "agent.h"

#define KERNEL_GROUP 1
#define BUFFER_BYTES (1 << 20)

struct uevent {
	bool block;
	bool ours; /* made by the target: it carries a state */
	const char *action, *devname;
	const char *minor;
};

static void parse(const char *buf, size_t len, struct uevent *u)
{
	static const char state[] = CMK_UEVENT_STATE "=";
	const char *p;

	*u = (struct uevent){ .action = "", .devname = "", .minor = "" };
	for (p = buf; p < buf + len; p += strlen(p) + 1) {
		if (!strcmp(p, "SUBSYSTEM=block"))
			u->block = true;
		else if (!strncmp(p, "ACTION=", 7))
			u->action = p + 7;
		else if (!strncmp(p, "DEVNAME=", 8))
			u->devname = p + 8;
		else if (!strncmp(p, "MINOR=", 6))
			u->minor = p + 6;
		else if (!strncmp(p, state, sizeof(state) - 1))
			u->ours = true;
	}
}

static void handle(struct agent *a, const char *buf, size_t len)
{
	struct uevent u;
	struct volume *v;
	unsigned int minor;

	parse(buf, len, &u);
	if (!u.block || strncmp(u.devname, "dm-", 3) != 0 || sscanf(u.minor, "%u", &minor) != 1)
		return;
	for (v = a->volumes; v; v = v->next) {
		if (!v->gone && v->dev.minor == minor)
			break;
	}
	if (v)
		volume_refresh(v);
	/* A mapping gets its table after its "add", with a "change"; one that is removed may have
	 * been replaced. */
	if (!v || v->gone)
		agent_scan_soon(a);
}

static int on_message(sd_event_source *s, int fd, uint32_t revents, void *arg)
{
	static char buf[16384];
	struct sockaddr_nl from;
	struct iovec iov = { .iov_base = buf, .iov_len = sizeof(buf) - 1 };
	struct msghdr mh = { .msg_name = &from, .msg_iov = &iov, .msg_iovlen = 1 };
	struct agent *a = arg;
	ssize_t n;

	(void)s;
	(void)revents;
	for (;;) {
		mh.msg_namelen = sizeof(from);
		n = recvmsg(fd, &mh, MSG_DONTWAIT);
		if (n < 0 && errno == ENOBUFS) { /* some were lost: look at everything */
			agent_scan_soon(a);
			continue;
		}
		if (n < 0)
			return 0;
		if (from.nl_pid != 0) /* not the kernel */
			continue;
		buf[n] = '\0';
		handle(a, buf, n);
	}
}

int uevent_init(struct agent *a)
{
	struct sockaddr_nl self = { .nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP };
	int fd, size = BUFFER_BYTES, r;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
	if (fd < 0)
		return -errno;
	/* A small buffer loses events under load, which costs a scan and no more. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) < 0)
		report(LOG_DEBUG, "uevents: no larger buffer: %m");
	if (bind(fd, (struct sockaddr *)&self, sizeof(self)) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	r = sd_event_add_io(a->event, &a->uevents, fd, EPOLLIN, on_message, a);
	if (r < 0) {
		close(fd);
		return r;
	}
	return sd_event_source_set_io_fd_own(a->uevents, 1);
}
