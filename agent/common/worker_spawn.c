// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The child takes the worker's user before exec, so that not one instruction of cmk-kms runs as
 * root; what a process can only do for itself (seccomp, no_new_privs) is in agent/kms/sandbox.c.
 */
#include "worker_spawn.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "worker.h"

#define GROUPS_MAX 64

/* All that the child needs, made before the fork: afterwards only system calls are safe. */
struct launch {
	const char *path;
	int socket, null, report;
	bool switch_user;
	uid_t uid;
	gid_t gid, groups[GROUPS_MAX];
	int n_groups;
	pid_t parent;
};

static int find_user(const struct cmk_config *cfg, struct launch *l, struct cmk_error *err)
{
	char buf[4096];
	struct passwd pw, *found = NULL;
	int r = getpwnam_r(cfg->kms_user, &pw, buf, sizeof(buf), &found);

	if (r || !found)
		return cmk_error_set(
			err, CMK_EXIT_USAGE, -ENOENT,
			"create it (useradd --system --no-create-home), or " WORKER_REMEDY,
			"there is no user \"%s\" for the worker", cfg->kms_user);
	if (pw.pw_uid == 0)
		return cmk_error_set(err, CMK_EXIT_USAGE, -EINVAL, WORKER_REMEDY,
				     "the worker must not run as \"%s\", which is root",
				     cfg->kms_user);
	l->uid = pw.pw_uid;
	l->gid = pw.pw_gid;
	/* the user's own: Azure Arc shows its keys to a group only */
	l->n_groups = GROUPS_MAX;
	if (getgrouplist(cfg->kms_user, l->gid, l->groups, &l->n_groups) < 0)
		return cmk_error_set(err, CMK_EXIT_USAGE, -E2BIG, WORKER_REMEDY,
				     "the worker's user \"%s\" is in more than %d groups",
				     cfg->kms_user, GROUPS_MAX);
	/* only root can become another user; whoever runs the tests may be that user already */
	l->switch_user = geteuid() == 0;
	if (!l->switch_user && geteuid() != l->uid)
		return cmk_error_set(err, CMK_EXIT_PERMISSION, -EPERM, "run it as root",
				     "only root can start the worker as \"%s\"", cfg->kms_user);
	return 0;
}

static bool drop_user(const struct launch *l)
{
	/* the bounding set first, while there is the capability for it; a refusal means "no such
	 * capability" */
	for (int cap = 0; cap <= 63; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			break;
	/* raw: the C library's wrappers would speak to threads that a forked child has not */
	return syscall(SYS_setgroups, l->n_groups, l->groups) == 0 &&
	       syscall(SYS_setresgid, l->gid, l->gid, l->gid) == 0 &&
	       syscall(SYS_setresuid, l->uid, l->uid, l->uid) == 0;
}

/* In the child. Only returns if a step failed. */
static void become_worker(const struct launch *l)
{
	char *const argv[] = { (char *)"cmk-kms", NULL }, *const envp[] = { NULL };
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	sigset_t none;

	sigemptyset(&none);
	for (int sig = 1; sig < NSIG; sig++)
		sigaction(sig, &dfl, NULL); /* fails for those that cannot be changed */
	if (sigprocmask(SIG_SETMASK, &none, NULL) < 0 || setpgid(0, 0) < 0 || chdir("/") < 0)
		return;
	if (l->switch_user && !drop_user(l))
		return;
	/* after the change of user, which clears it */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != l->parent)
		return;
	/*
	 * 0 and 1 are taken so that no socket gets these numbers; 2 stays for what the worker has
	 * to say; the report goes with the exec
	 */
	if (dup2(l->null, 0) < 0 || dup2(l->null, 1) < 0 || dup2(l->socket, CMK_WORKER_FD) < 0 ||
	    syscall(SYS_close_range, CMK_WORKER_FD + 1, l->report - 1, 0) < 0 ||
	    syscall(SYS_close_range, l->report + 1, ~0U, 0) < 0)
		return;
	execve(l->path, argv, envp);
}

/* A duplicate above the numbers that the child gives away, so that its dup2 calls overwrite
 * nothing. */
static int move_up(int *fd)
{
	int up = fcntl(*fd, F_DUPFD_CLOEXEC, 16);

	if (up < 0)
		return -errno;
	close(*fd);
	*fd = up;
	return 0;
}

/* Fork and exec; @report tells why the exec failed, and closes by itself when it did not. */
static int launch(struct launch *l, pid_t *pid)
{
	_cleanup_close_ int null = -1, read_end = -1, write_end = -1;
	int pipe_fds[2], failed = 0, r;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return -errno;
	read_end = pipe_fds[0];
	write_end = pipe_fds[1];
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return -errno;
	r = move_up(&write_end);
	if (r == 0)
		r = move_up(&null);
	if (r < 0)
		return r;
	l->null = null;
	l->report = write_end;
	l->parent = getpid();
	*pid = fork();
	if (*pid < 0)
		return -errno;
	if (*pid == 0) {
		become_worker(l);
		failed = errno;
		/* if this fails, the parent sees a worker that ended at once */
		_exit(write(l->report, &failed, sizeof(failed)) == sizeof(failed) ? 127 : 126);
	}
	close(write_end);
	write_end = -1;
	while (read(read_end, &failed, sizeof(failed)) < 0 && errno == EINTR)
		;
	return -failed;
}

int worker_spawn(const struct cmk_config *cfg, int child_end, pid_t *pid, struct cmk_error *err)
{
	struct launch l = { .path = cfg->kms_path, .socket = -1 };
	int r = find_user(cfg, &l, err);

	if (r < 0)
		return r;
	l.socket = fcntl(child_end, F_DUPFD_CLOEXEC, 16);
	r = l.socket < 0 ? -errno : launch(&l, pid);
	if (l.socket >= 0)
		close(l.socket);
	if (r < 0)
		return cmk_error_set(err, CMK_EXIT_DEVICE, r, WORKER_REMEDY,
				     "cannot start the worker %s as \"%s\": %s", cfg->kms_path,
				     cfg->kms_user, strerror(-r));
	return 0;
}
