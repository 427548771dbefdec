// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* Runs systemctl, mount and the like from a job: fixed environment, output kept for the error,
 * bounded. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common/timeutil.h"
#include "steps.h"

static int start(const char *const argv[], int output, pid_t *pid)
{
	char *const envp[] = {
		(char *)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		(char *)"LC_ALL=C.UTF-8",
		NULL,
	};
	posix_spawn_file_actions_t actions;
	int r;

	r = posix_spawn_file_actions_init(&actions);
	if (r)
		return -r;
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, output, 1);
	posix_spawn_file_actions_adddup2(&actions, output, 2);
	r = posix_spawnp(pid, argv[0], &actions, NULL, (char *const *)argv, envp);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

/* Take what there is; what does not fit is read and dropped, so that the program never waits for
 * us. */
static bool drain(int fd, char *said, size_t room, size_t *used)
{
	char buf[512];
	ssize_t n = read(fd, buf, sizeof(buf));
	size_t keep;

	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	keep = room - 1 - *used < (size_t)n ? room - 1 - *used : (size_t)n;
	memcpy(said + *used, buf, keep);
	*used += keep;
	said[*used] = '\0';
	return true;
}

/* One line without control characters, for an error. */
static void tidy(char *said)
{
	size_t len = strlen(said);

	while (len && strchr(" \n\r\t", said[len - 1]))
		said[--len] = '\0';
	for (char *c = said; *c; c++) {
		if (*c == '\n')
			*c = ';';
		else if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	}
}

static int wait_for(pid_t pid, int pidfd, int output, int64_t deadline_ms, char *said, size_t room)
{
	struct pollfd p[2] = { { .fd = pidfd, .events = POLLIN },
			       { .fd = output, .events = POLLIN } };
	size_t used = 0;
	int status;

	while (!(p[0].revents & POLLIN)) {
		int64_t left = deadline_ms - boottime_ms();

		if (left <= 0) {
			/* No wait for it: it may hang in the kernel. It is reaped when this job
			 * ends. */
			kill(pid, SIGKILL);
			return -ETIMEDOUT;
		}
		if (poll(p, 2, left > 1000 ? 1000 : (int)left) < 0 && errno != EINTR)
			return -errno;
		if (p[1].revents && !drain(output, said, room, &used))
			p[1].fd = -1;
	}
	while (p[1].fd >= 0 && poll(&p[1], 1, 0) > 0 && drain(output, said, room, &used))
		;
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

int program_run(const char *const argv[], int64_t deadline_ms, char *said, size_t room)
{
	_cleanup_close_ int read_end = -1, write_end = -1, pidfd = -1;
	int fds[2], r;
	pid_t pid;

	said[0] = '\0';
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	read_end = fds[0];
	write_end = fds[1];
	if (fcntl(read_end, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	r = start(argv, write_end, &pid);
	if (r < 0) {
		snprintf(said, room, "%s", strerror(-r));
		return r;
	}
	close(write_end);
	write_end = -1;
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0)
		return -errno;
	r = wait_for(pid, pidfd, read_end, deadline_ms, said, room);
	tidy(said);
	return r;
}
