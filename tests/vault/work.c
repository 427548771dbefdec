// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * Keys in the making: RSA takes long, so a request that needs a new key is suspended while a thread
 * makes it.
 */
#include <stdio.h>
#include <string.h>
#include "vault.h"

struct job {
	struct req *req;
	char kty[8], crv[8];
	int bits;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t idle = PTHREAD_COND_INITIALIZER;
static unsigned int running;
static bool held;

static void *job_thread(void *arg)
{
	struct job *job = arg;

	job->req->made = crypto_make(job->kty, job->crv, job->bits);
	pend_wake(job->req);
	free(job);
	pthread_mutex_lock(&lock);
	running--;
	pthread_cond_broadcast(&idle);
	pthread_mutex_unlock(&lock);
	return NULL;
}

/* What kind of key the request needs; false if it needs none, or is to be refused anyway. */
static bool job_fill(struct req *req, struct job *job)
{
	enum class class = req->route->class;
	const struct key *key;

	if (class != CLASS_CREATE && class != CLASS_ROTATE)
		return false;
	if (!req_header(req, "Authorization") || replay_on())
		return false;
	if (class == CLASS_CREATE)
		return keys_type(req->json, req->vault->cloud->hsm, job->kty, job->crv, &job->bits);
	key = store_key(req->vault, req->key);
	if (!key)
		return false;
	memcpy(job->kty, key->versions->kty, sizeof(job->kty));
	memcpy(job->crv, key->versions->crv, sizeof(job->crv));
	job->bits = crypto_bits(key->versions->pkey);
	return true;
}

static bool job_begin(void)
{
	bool begun;

	pthread_mutex_lock(&lock);
	begun = !held;
	running += begun;
	pthread_mutex_unlock(&lock);
	return begun;
}

bool work_wanted(struct req *req)
{
	struct job job = { .req = req }, *copy;
	pthread_t thread;

	if (!job_fill(req, &job) || !job_begin())
		return false;
	copy = xcalloc(1, sizeof(*copy));
	*copy = job;
	req->phase = PHASE_WORK;
	pend(req, -1);
	if (pthread_create(&thread, NULL, job_thread, copy))
		abort();
	pthread_detach(thread);
	return true;
}

void work_wait(void)
{
	pthread_mutex_lock(&lock);
	held = true;
	while (running)
		pthread_cond_wait(&idle, &lock);
	pthread_mutex_unlock(&lock);
}

void work_resume(void)
{
	pthread_mutex_lock(&lock);
	held = false;
	pthread_mutex_unlock(&lock);
}
