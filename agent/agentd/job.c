// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* Forked children for all that may block, each with a time limit; a few run at once. */
#include "job.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define JOB_SLOTS 16

enum message_type {
	MESSAGE_PROGRESS = 1,
	MESSAGE_DONE,
};

struct message {
	enum message_type type;
	unsigned int step;
	int r;
	struct cmk_error err; /* progress: its text */
	size_t len;	      /* of the data that follows */
};

struct job_channel {
	int fd;
	const void *data;
	size_t len;
};

struct job {
	struct job *next;
	struct jobs *jobs;
	struct job_spec spec;
	pid_t pid; /* 0: waits for a slot */
	int fd;
	sd_event_source *io, *child, *limit;
	bool over; /* finished or cancelled: only the process is left to be reaped */
};

static void send_message(struct job_channel *ch, const struct message *m, const void *data)
{
	struct iovec iov[2] = {
		{ .iov_base = (void *)m, .iov_len = sizeof(*m) },
		{ .iov_base = (void *)data, .iov_len = m->len },
	};
	struct msghdr mh = { .msg_iov = iov, .msg_iovlen = m->len ? 2 : 1 };

	/* If the agent is gone there is nobody to tell; the job ends with it. */
	if (sendmsg(ch->fd, &mh, MSG_NOSIGNAL) < 0)
		_exit(EXIT_FAILURE);
}

void job_tell(struct job_channel *ch, unsigned int step, const char *fmt, ...)
{
	struct message m = { .type = MESSAGE_PROGRESS, .step = step };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(m.err.text, sizeof(m.err.text), fmt, ap);
	va_end(ap);
	send_message(ch, &m, NULL);
}

void job_give(struct job_channel *ch, const void *data, size_t len)
{
	ch->data = data;
	ch->len = len <= JOB_DATA_MAX ? len : 0;
}

/* The child's own process group (so that its helpers die with it), signals as a program expects
 * them. */
static _Noreturn void child(const struct job_spec *spec, int fd, pid_t agent)
{
	struct job_channel ch = { .fd = fd };
	struct message m = { .type = MESSAGE_DONE };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0);
	prctl(PR_SET_NAME, "cmk-agent-job");
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != agent)
		_exit(EXIT_FAILURE);
	m.r = spec->run(&ch, spec->work, &m.err);
	m.len = ch.len;
	send_message(&ch, &m, ch.data);
	_exit(EXIT_SUCCESS);
}

static void job_free(struct job *job)
{
	struct job **p = &job->jobs->first;

	while (*p && *p != job)
		p = &(*p)->next;
	if (*p)
		*p = job->next;
	sd_event_source_disable_unref(job->io);
	sd_event_source_disable_unref(job->child);
	sd_event_source_disable_unref(job->limit);
	if (job->fd >= 0)
		close(job->fd);
	free((void *)job->spec.work);
	free(job);
}

static int fork_job(struct job *job);
static void finish_error(struct job *job, int r, const char *what);

/* Give free slots to the jobs that wait, oldest first. */
static void fill_slots(struct jobs *jobs)
{
	struct job *job, *oldest;
	int r;

	if (jobs->filling) /* a job that fails at once comes back here */
		return;
	jobs->filling = true;
	while (jobs->running < JOB_SLOTS) {
		oldest = NULL;
		for (job = jobs->first; job; job = job->next) {
			if (!job->pid && !job->over)
				oldest = job;
		}
		if (!oldest)
			break;
		r = fork_job(oldest);
		if (r < 0)
			finish_error(oldest, r, strerror(-r));
	}
	jobs->filling = false;
}

/* From here on nobody but the reaper knows it. */
static void let_go(struct job *job)
{
	job->over = true;
	job->io = sd_event_source_disable_unref(job->io);
	job->limit = sd_event_source_disable_unref(job->limit);
	if (job->pid && !job->spec.urgent)
		job->jobs->running--;
}

static void finish(struct job *job, const struct job_result *res)
{
	struct jobs *jobs = job->jobs;

	let_go(job);
	job->spec.done(job->spec.arg, res);
	if (!job->child) /* it never had a process */
		job_free(job);
	fill_slots(jobs);
}

static void finish_error(struct job *job, int r, const char *what)
{
	struct job_result res = { .r = r };

	cmk_error_set(&res.err, CMK_EXIT_DEVICE, r, NULL, "%s: %s", job->spec.name, what);
	finish(job, &res);
}

/* Return: 1 and the job is finished, 0 if it goes on. */
static int receive(struct job *job)
{
	static uint8_t data[JOB_DATA_MAX];
	struct message m;
	struct iovec iov[2] = {
		{ .iov_base = &m, .iov_len = sizeof(m) },
		{ .iov_base = data, .iov_len = sizeof(data) },
	};
	struct msghdr mh = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t n;

	while ((n = recvmsg(job->fd, &mh, MSG_DONTWAIT)) >= (ssize_t)sizeof(m)) {
		m.len = n - sizeof(m);
		if (m.type == MESSAGE_DONE) {
			struct job_result res = {
				.r = m.r,
				.err = m.err,
				.data = m.len ? data : NULL,
				.len = m.len,
			};

			finish(job, &res);
			return 1;
		}
		if (job->spec.progress)
			job->spec.progress(job->spec.arg, m.step, m.err.text);
		if (job->over) /* cancelled from there */
			return 1;
	}
	return 0;
}

static int on_io(sd_event_source *s, int fd, uint32_t revents, void *arg)
{
	struct job *job = arg;

	(void)fd;
	if (!receive(job) && revents & (EPOLLHUP | EPOLLERR))
		sd_event_source_set_enabled(s, SD_EVENT_OFF); /* the process's end follows */
	return 0;
}

static int on_child(sd_event_source *s, const siginfo_t *si, void *arg)
{
	struct job *job = arg;
	char what[64];

	(void)s;
	if (!job->over && !receive(job)) {
		snprintf(what, sizeof(what), "ended by %s %d",
			 si->si_code == CLD_EXITED ? "exit" : "signal", si->si_status);
		finish_error(job, -ECHILD, what);
	}
	job_free(job);
	return 0;
}

static void kill_group(const struct job *job)
{
	/* The group may not exist yet, if the child has not come that far. */
	if (kill(-job->pid, SIGKILL) < 0)
		kill(job->pid, SIGKILL);
}

static int on_limit(sd_event_source *s, uint64_t usec, void *arg)
{
	struct job *job = arg;
	char what[64];

	(void)s;
	(void)usec;
	kill_group(job);
	snprintf(what, sizeof(what), "not done after %lld ms", (long long)job->spec.limit_ms);
	finish_error(job, -ETIMEDOUT, what);
	return 0;
}

static int watch(struct job *job)
{
	sd_event *e = job->jobs->event;
	int r;

	r = sd_event_add_io(e, &job->io, job->fd, EPOLLIN, on_io, job);
	if (r >= 0)
		r = sd_event_add_child(e, &job->child, job->pid, WEXITED, on_child, job);
	if (r >= 0)
		r = sd_event_add_time_relative(e, &job->limit, CLOCK_BOOTTIME,
					       job->spec.limit_ms * 1000, 10000, on_limit, job);
	return r;
}

static int fork_job(struct job *job)
{
	pid_t agent = getpid();
	int fds[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	fflush(NULL);
	job->pid = fork();
	if (job->pid < 0) {
		r = -errno;
		job->pid = 0;
		close(fds[0]);
		close(fds[1]);
		return r;
	}
	if (!job->pid)
		child(&job->spec, fds[1], agent);
	close(fds[1]);
	job->fd = fds[0];
	if (!job->spec.urgent)
		job->jobs->running++;
	r = watch(job);
	if (r < 0) { /* no memory: nobody would ever reap it */
		kill_group(job);
		waitpid(job->pid, NULL, 0);
		job->child = sd_event_source_disable_unref(job->child);
		job->pid = 0;
		job->jobs->running -= !job->spec.urgent;
	}
	return r;
}

int job_start(struct jobs *jobs, const struct job_spec *spec, struct job **out)
{
	struct job *job = calloc(1, sizeof(*job));
	void *work = malloc(spec->work_len);
	int r;

	if (!job || !work) {
		free(job);
		free(work);
		return -ENOMEM;
	}
	job->jobs = jobs;
	job->spec = *spec;
	job->spec.work = memcpy(work, spec->work, spec->work_len);
	job->fd = -1;
	job->next = jobs->first;
	jobs->first = job;
	if (spec->urgent || jobs->running < JOB_SLOTS) {
		r = fork_job(job);
		if (r < 0) {
			job_free(job);
			return r;
		}
	}
	*out = job;
	return 0;
}

void job_cancel(struct job *job)
{
	if (!job)
		return;
	if (!job->pid || !job->child) {
		struct jobs *jobs = job->jobs;

		let_go(job);
		job_free(job);
		fill_slots(jobs);
		return;
	}
	kill_group(job);
	let_go(job);
	fill_slots(job->jobs);
}
