// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* cmkctl: finds the verb, reads its words, loads the configuration, runs it, and prints what went
 * wrong. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/secret.h"
#include "ctl.h"

#define SEE_HELP "See " CTL_PROGRAM " --help."

static int fail(const struct cmk_error *err)
{
	fflush(stdout);
	cmk_error_print(CTL_PROGRAM, err);
	return err->exit ? err->exit : CMK_EXIT_DEVICE;
}

static int no_verb(int argc, char *argv[])
{
	struct cmk_error err = { 0 };

	if (argc >= 2 &&
	    (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))) {
		ctl_help(NULL);
		return CMK_EXIT_DONE;
	}
	if (argc < 2)
		cmk_error_set(&err, CMK_EXIT_USAGE, -EINVAL, SEE_HELP, "no verb given");
	else
		cmk_error_set(&err, CMK_EXIT_USAGE, -EINVAL, SEE_HELP, "unknown verb `%s%s%.64s`",
			      argv[1], argc > 2 ? " " : "", argc > 2 ? argv[2] : "");
	return fail(&err);
}

/* What every verb needs: root, memory for secrets, and the configuration. */
static int prepare(struct ctl *c)
{
	int r;

	if (geteuid() != 0)
		return cmk_error_set(&c->err, CMK_EXIT_PERMISSION, -EPERM, "Run it as root.",
				     "%s: only root may do this", c->verb->name);
	r = secret_process_init();
	if (r < 0)
		return cmk_error_set(
			&c->err, CMK_EXIT_MEMORY, r, "Raise RLIMIT_MEMLOCK (ulimit -l).",
			"%s: no locked memory for keys: %s", c->verb->name, strerror(-r));
	r = cmk_config_load(c->config_path ? c->config_path : CMK_CONFIG_PATH, &c->cfg, &c->err);
	if (r < 0)
		return r;
	c->suffix = cmk_config_suffix(c->cfg, &c->suffix_room);
	return 0;
}

int main(int argc, char *argv[])
{
	struct ctl c = { 0 };
	int words = 0, r;

	signal(SIGPIPE, SIG_IGN);
	c.verb = ctl_verb_find(argc, argv, &words);
	if (!c.verb)
		return no_verb(argc, argv);
	r = ctl_args(&c, argc - words, argv + words);
	if (r < 0)
		return fail(&c.err);
	if (c.help) {
		ctl_help(c.verb);
		return CMK_EXIT_DONE;
	}
	r = prepare(&c);
	if (r == 0)
		r = c.verb->run(&c);
	cmk_config_free(c.cfg);
	if (r < 0)
		return fail(&c.err);
	if (fflush(stdout) != 0 || ferror(stdout))
		return CMK_EXIT_DEVICE;
	return CMK_EXIT_DONE;
}
