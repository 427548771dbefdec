// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * cmk-kms: the only part of the agent that speaks to the network. It is started by cmk-agent and
 * cmkctl as its own user with a socketpair on descriptor 3, and knows nothing but what comes
 * through that.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cjson/cJSON.h>
#include <openssl/crypto.h>

#include "common/secret.h"
#include "common/worker.h"
#include "loop.h"
#include "sandbox.h"

static int die(const char *what, int r)
{
	fprintf(stderr, "cmk-kms: cannot %s: %s\n", what, strerror(-r));
	return CMK_EXIT_DEVICE;
}

static void *openssl_malloc(size_t len, const char *file, int line)
{
	(void)file;
	(void)line;
	return wiping_malloc(len);
}

static void *openssl_realloc(void *p, size_t len, const char *file, int line)
{
	(void)file;
	(void)line;
	if (len)
		return wiping_realloc(p, len);
	wiping_free(p);
	return NULL;
}

static void openssl_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	wiping_free(p);
}

/* Tokens and unwrapped keys pass through these libraries' buffers. Before their first allocation.
 */
static bool set_allocators(void)
{
	cJSON_Hooks hooks = { .malloc_fn = wiping_malloc, .free_fn = wiping_free };

	cJSON_InitHooks(&hooks);
	return CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) == 1;
}

static bool is_worker_socket(int fd)
{
	int type = 0;
	socklen_t len = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_SEQPACKET;
}

static int receive_config(uint8_t *buf, struct cmk_kms_config *c)
{
	ssize_t n = loop_receive(CMK_WORKER_FD, buf);

	if (n <= 0)
		return n < 0 ? n : -EPIPE;
	return cmk_proto_get_config(buf, n, c);
}

int main(void)
{
	static struct cmk_kms_config config;
	static uint8_t buf[CMK_FRAME_MAX_BYTES];
	struct kms kms = { .c = &config };
	const char *what;
	int r;

	if (!is_worker_socket(CMK_WORKER_FD)) {
		fprintf(stderr, "cmk-kms: it is started by cmk-agent and cmkctl, not by hand\n");
		return CMK_EXIT_USAGE;
	}
	if (!set_allocators())
		return die("set the allocators", -EINVAL);
	r = secret_process_init();
	if (r < 0)
		return die("lock memory for secrets (see RLIMIT_MEMLOCK)", r);
	if (geteuid() == 0)
		return die("run as root; it has a user of its own", -EPERM);
	r = receive_config(buf, &config);
	if (r < 0)
		return r == -EPIPE ? 0 : die("read its configuration", r);
	kms.http = http_new(&config);
	kms.known = known_new();
	kms.tokens = kms.http ? tokencache_new(kms.http, &config) : NULL;
	if (!kms.tokens || !kms.known)
		return die("set libcurl up", -ENOMEM);
	r = sandbox_enter(&what);
	if (r < 0)
		return die(what, r);
	r = loop_send(CMK_WORKER_FD, buf, cmk_proto_put_ready(buf));
	if (r == 0)
		r = loop_run(CMK_WORKER_FD, &kms);
	tokencache_free(kms.tokens);
	known_free(kms.known);
	return r < 0 ? die("go on", r) : CMK_EXIT_DONE;
}
