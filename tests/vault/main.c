// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * cmk-testvault: Key Vault, Managed HSM, Entra and IMDS on loopback, as a server for tests.
 * Documentation/test-vault.md says what it does.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "vault.h"

#define TOKEN_LIFETIME_S 86399

pthread_mutex_t vault_lock = PTHREAD_MUTEX_INITIALIZER;
struct settings settings = {
	.arc_tokens = "/var/opt/azcmagent/tokens",
	.control = "127.0.0.1:8700",
	.token_lifetime_s = TOKEN_LIFETIME_S,
};

static const struct option options[] = {
	{ "dir", required_argument, NULL, 'd' },
	{ "https", required_argument, NULL, 's' },
	{ "imds", required_argument, NULL, 'i' },
	{ "arc", required_argument, NULL, 'a' },
	{ "arc-tokens", required_argument, NULL, 't' },
	{ "control", required_argument, NULL, 'c' },
	{ "replay", required_argument, NULL, 'r' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void usage(FILE *to)
{
	fputs("usage: cmk-testvault --dir DIR [--https ADDR:PORT]... [--imds ADDR:PORT] [--arc "
	      "ADDR:PORT]\n"
	      "                     [--arc-tokens DIR] [--control ADDR:PORT] [--replay FILE]\n"
	      "       cmk-testvault ctl [--control ADDR:PORT] VERB [WORD]...\n",
	      to);
}

static int set_https(const char *where)
{
	if (settings.n_https == ARRAY_SIZE(settings.https)) {
		fputs("cmk-testvault: too many --https\n", stderr);
		return -E2BIG;
	}
	settings.https[settings.n_https++] = where;
	return 0;
}

static int parse(int argc, char **argv)
{
	const char **const to[128] = {
		['d'] = &settings.dir,	      ['i'] = &settings.imds,	 ['a'] = &settings.arc,
		['t'] = &settings.arc_tokens, ['c'] = &settings.control, ['r'] = &settings.replay,
	};
	int c, r = 0;

	while (!r && (c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'h') {
			usage(stdout);
			exit(0);
		}
		if (c == '?')
			r = -EINVAL;
		else if (c == 's')
			r = set_https(optarg);
		else
			*to[c] = optarg;
	}
	if (!r && (optind != argc || !settings.dir)) {
		usage(stderr);
		r = -EINVAL;
	}
	if (!r && !settings.n_https)
		r = set_https("127.0.0.1:443");
	return r;
}

static int start(void)
{
	_cleanup_free_ char *why = NULL;
	int r;

	if (mkdir(settings.dir, 0755) && errno != EEXIST) {
		r = -errno;
		fprintf(stderr, "cmk-testvault: cannot make %s: %s\n", settings.dir, strerror(-r));
		return r;
	}
	r = crypto_certs(settings.dir);
	if (r) {
		fprintf(stderr, "cmk-testvault: cannot make certificates in %s: %s\n", settings.dir,
			strerror(-r));
		return r;
	}
	state_load();
	state_save();
	why = settings.replay ? replay_load(settings.replay) : NULL;
	if (why) {
		fprintf(stderr, "cmk-testvault: %s\n", why);
		return -EINVAL;
	}
	r = pend_start();
	return r ? r : server_start();
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	sigset_t ends;
	int signal_number;

	if (!strcmp(slash ? slash + 1 : argv[0], "vaultctl"))
		return ctl_main(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "ctl"))
		return ctl_main(argc - 2, argv + 2);
	settings.host_region = xstrdup(REGION_DEFAULT);
	if (parse(argc, argv))
		return 1;
	/* Blocked before any thread is made, so that all of them leave the signals to sigwait. */
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (start())
		return 1;
	printf("cmk-testvault: ready, trust %s/ca.pem\n", settings.dir);
	fflush(stdout);
	sigwait(&ends, &signal_number);
	server_stop();
	return 0;
}
