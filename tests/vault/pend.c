// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * Requests that wait: suspended in libmicrohttpd, so that they hold up nobody, and woken by a
 * thread of their own.
 */
#include <errno.h>
#include <microhttpd.h>
#include <time.h>
#include "vault.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct req *waiting;

void pend(struct req *req, int64_t wake_ms)
{
	pthread_mutex_lock(&lock);
	req->wake_ms = wake_ms;
	MHD_suspend_connection(req->conn);
	req->next = waiting;
	waiting = req;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
}

/* Take the request at *@at off the list and let it go on; after that it may be gone at any moment.
 */
static void wake(struct req **at)
{
	struct req *req = *at;

	*at = req->next;
	req->next = NULL;
	MHD_resume_connection(req->conn);
}

void pend_wake(struct req *req)
{
	pthread_mutex_lock(&lock);
	for (struct req **at = &waiting; *at; at = &(*at)->next) {
		if (*at == req) {
			wake(at);
			break;
		}
	}
	pthread_mutex_unlock(&lock);
}

void pend_drop(bool all)
{
	pthread_mutex_lock(&lock);
	for (struct req **at = &waiting; *at;) {
		struct req *req = *at;

		/* One whose key is being made belongs to the thread that makes it. */
		if (req->phase == PHASE_WORK || (!all && req->wake_ms >= 0)) {
			at = &req->next;
			continue;
		}
		req->dropped = true;
		wake(at);
	}
	pthread_mutex_unlock(&lock);
}

/* Wake what is due; when the next one is, or -1. */
static int64_t wake_due(void)
{
	int64_t now = now_ms(), next = -1;

	for (struct req **at = &waiting; *at;) {
		int64_t due = (*at)->wake_ms;

		if (due >= 0 && due <= now) {
			wake(at);
			continue;
		}
		if (due >= 0 && (next < 0 || due < next))
			next = due;
		at = &(*at)->next;
	}
	return next;
}

static void *wake_thread(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	for (;;) {
		int64_t next = wake_due();
		struct timespec ts = { .tv_sec = next / 1000, .tv_nsec = next % 1000 * 1000000 };

		if (next < 0)
			pthread_cond_wait(&changed, &lock);
		else
			pthread_cond_timedwait(&changed, &lock, &ts);
	}
	return NULL;
}

int pend_start(void)
{
	pthread_t thread;
	int r = pthread_create(&thread, NULL, wake_thread, NULL);

	if (!r)
		pthread_detach(thread);
	return -r;
}
