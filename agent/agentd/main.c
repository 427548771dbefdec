// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* cmk-agent: command line, signals, and the event loop. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>

#include <systemd/sd-daemon.h>

#include "agent.h"
#include "common/secret.h"

static const char usage[] = "Usage: cmk-agent [-c FILE]\n"
			    "Watches all volumes of the device-mapper target \"cmk\", proves "
			    "access to their KEKs, renews leases, locks and\n"
			    "unlocks. It stays in the foreground.\n"
			    "  -c, --config FILE  instead of " CMK_CONFIG_PATH "\n"
			    "  -V, --version\n"
			    "  -h, --help\n";

static int on_reload(sd_event_source *s, const struct signalfd_siginfo *si, void *arg)
{
	struct cmk_error err = { 0 };
	struct agent *a = arg;

	(void)s;
	(void)si;
	sd_notify(0, "RELOADING=1");
	if (agent_reload(a, &err) < 0)
		report(LOG_ERR, "%s; the former configuration stays in force", err.text);
	else
		report(LOG_NOTICE, "%s: read again", a->config_path);
	sd_notify(0, "READY=1");
	return 0;
}

/* Mappings stay as they are: the lease watches over them until an agent is back. */
static int on_stop(sd_event_source *s, const struct signalfd_siginfo *si, void *arg)
{
	(void)s;
	(void)si;
	sd_notify(0, "STOPPING=1");
	agent_stop(arg);
	return 0;
}

static int add_signals(struct agent *a)
{
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	signal(SIGPIPE, SIG_IGN);
	r = sd_event_add_signal(a->event, NULL, SIGHUP, on_reload, a);
	if (r >= 0)
		r = sd_event_add_signal(a->event, NULL, SIGTERM, on_stop, a);
	if (r >= 0)
		r = sd_event_add_signal(a->event, NULL, SIGINT, on_stop, a);
	return r;
}

static int fail(struct cmk_error *err, int r, const char *what)
{
	if (r < 0)
		cmk_error_set(err, CMK_EXIT_MEMORY, r, NULL, "%s: %s", what, strerror(-r));
	return r;
}

static int run(struct agent *a, struct cmk_error *err)
{
	int r;

	umask(077);
	r = fail(err, secret_process_init(), "cannot protect its memory");
	if (r >= 0)
		r = fail(err, sd_event_new(&a->event), "cannot make an event loop");
	if (r >= 0)
		r = fail(err, add_signals(a), "cannot take signals");
	if (r >= 0)
		r = agent_init(a, err);
	if (r >= 0)
		r = fail(err, sd_event_set_watchdog(a->event, true), "cannot serve the watchdog");
	if (r < 0)
		return r;
	report(LOG_INFO, "cmk-agent " CMK_VERSION " watches");
	sd_notify(0, "READY=1");
	return fail(err, sd_event_loop(a->event), "the event loop failed");
}

/* Return: -1 to go on, or an exit code. */
static int parse_args(struct agent *a, int argc, char *argv[])
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:Vh", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			a->config_path = optarg;
			break;
		case 'V':
			puts("cmk-agent " CMK_VERSION);
			return CMK_EXIT_DONE;
		case 'h':
			fputs(usage, stdout);
			return CMK_EXIT_DONE;
		default:
			fputs(usage, stderr);
			return CMK_EXIT_USAGE;
		}
	}
	if (optind == argc)
		return -1;
	fprintf(stderr, "cmk-agent: it takes no arguments, but was given `%s`\n", argv[optind]);
	return CMK_EXIT_USAGE;
}

int main(int argc, char *argv[])
{
	static struct agent agent = { .config_path = CMK_CONFIG_PATH, .server.fd = -1 };
	struct cmk_error err = { 0 };
	int r = parse_args(&agent, argc, argv);

	if (r >= 0)
		return r;
	if (geteuid() != 0) {
		fputs("cmk-agent: only root can watch mappings and load keys: start it as root\n",
		      stderr);
		return CMK_EXIT_PERMISSION;
	}
	r = run(&agent, &err);
	if (r < 0) {
		cmk_error_print("cmk-agent", &err);
		sd_notifyf(0, "STATUS=%s", err.text);
	}
	agent_free(&agent);
	sd_event_unref(agent.event);
	return r < 0 ? (int)err.exit : CMK_EXIT_DONE;
}
