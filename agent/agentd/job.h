/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Whatever may block runs in a job: a forked child that calls one function and sends what came of
 * it over a socketpair. The loop never waits for one: a job that is late is killed and forgotten,
 * also if it hangs in the kernel.
 */
#ifndef CMK_JOB_H
#define CMK_JOB_H

#include <systemd/sd-event.h>

#include "common/error.h"

#define JOB_DATA_MAX 8192

struct job;
struct job_channel;

struct job_result {
	int r;		      /* what the function returned; -ETIMEDOUT or -ECHILD (it died) */
	struct cmk_error err; /* empty text on success */
	const void *data;     /* what the function gave to job_give(), or NULL */
	size_t len;
};

/* In the child. @work is the job's copy; what it points at lies in the child's copy of the agent's
 * memory. */
typedef int (*job_fn)(struct job_channel *ch, const void *work, struct cmk_error *err);
/* In the loop. */
typedef void (*job_progress_fn)(void *arg, unsigned int step, const char *text);
typedef void (*job_done_fn)(void *arg, const struct job_result *res);

struct job_spec {
	const char *name; /* for logs */
	job_fn run;
	job_progress_fn progress; /* may be NULL */
	job_done_fn done;
	void *arg;	  /* of both; must live until done or job_cancel() */
	const void *work; /* of run; copied */
	size_t work_len;
	int64_t limit_ms; /* from its start; then it is killed */
	bool urgent;	  /* does not wait for a free slot: locks */
};

/* All jobs of the agent. */
struct jobs {
	sd_event *event;
	struct job *first;
	unsigned int running; /* of those that are not urgent */
	bool filling;
};

/**
 * job_start() - run a job, at once or as soon as a slot is free.
 * @job: set to the job; it is freed after @spec->done or by job_cancel().
 *
 * Return: 0 or -errno (no process, no memory): @spec->done is not called then.
 */
int job_start(struct jobs *jobs, const struct job_spec *spec, struct job **job) _must_check_;

/* Kill and forget it, without calling done; NULL is fine. */
void job_cancel(struct job *job);

/* In the child: tell the loop how far it is. */
void job_tell(struct job_channel *ch, unsigned int step, const char *fmt, ...) _printf_(3, 4);

/* In the child: @len bytes (at most JOB_DATA_MAX) for job_result.data. They stay the caller's until
 * it returns. */
void job_give(struct job_channel *ch, const void *data, size_t len);

#endif
