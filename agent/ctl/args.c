// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* Options and operands: one table of options, of which each verb takes some. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "ctl.h"

#define OPTION(f) .offset = offsetof(struct ctl, f)

/* An option sets a flag, or keeps its text; `sector-size` alone is read as a number. */
static const struct option_row {
	char letter; /* in a verb's list, and what getopt_long() returns */
	bool is_short;
	const char *name;
	const char *value; /* what it takes, or NULL: a flag */
	size_t offset;
	const char *help;
} rows[] = {
	{ 'k', false, "kek", "URL", OPTION(kek),
	  "the key in Key Vault or Managed HSM; without a version it is followed" },
	{ 'i', false, "identity", "TEXT", OPTION(identity),
	  "who to be towards the vault: managed (default), managed:client_id=GUID, arc, ..." },
	{ 's', false, "sector-size", "BYTES", OPTION(sector_size),
	  "512, 1024, 2048 or 4096 (default)" },
	{ 'l', false, "label", "TEXT", OPTION(label), "the LUKS2 label, at most 47 bytes" },
	{ 'y', true, "yes", NULL, OPTION(yes), "do not ask" },
	{ 'f', false, "force", NULL, OPTION(force),
	  "format although there is something on the device" },
	{ 't', false, "no-start", NULL, OPTION(no_start),
	  "neither mount nor start units: for a first mkfs" },
	{ 'm', false, "immediate", NULL, OPTION(immediate),
	  "take the key out of the kernel first, under whatever uses the volume; needs no agent" },
	{ 'n', true, "dry-run", NULL, OPTION(dry_run),
	  "do all that changes nothing, and say what would be done" },
	{ 'j', false, "json", NULL, OPTION(json), "print JSON" },
	{ 'c', false, "config", "FILE", OPTION(config_path), "instead of " CMK_CONFIG_PATH },
	{ 'h', true, "help", NULL, OPTION(help), "this text" },
};

static bool takes(const struct ctl_verb *v, const struct option_row *row)
{
	return row->letter == 'h' || strchr(v->options, row->letter);
}

static const struct option_row *find_row(int letter)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].letter == letter)
			return &rows[i];
	}
	return NULL;
}

static int usage(struct ctl *c, const char *fmt, const char *what)
{
	char remedy[128], text[256];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(text, sizeof(text), fmt, what);
#pragma GCC diagnostic pop
	snprintf(remedy, sizeof(remedy), "See %s %s --help.", CTL_PROGRAM, c->verb->name);
	return cmk_error_set(&c->err, CMK_EXIT_USAGE, -EINVAL, remedy, "%s: %s", c->verb->name,
			     text);
}

static int set_option(struct ctl *c, const struct option_row *row, const char *value)
{
	void *field = (char *)c + row->offset;
	char *end;

	if (row->letter == 's') {
		c->sector_size = strtoul(value, &end, 10);
		if (*end || (strcmp(value, "512") && strcmp(value, "1024") &&
			     strcmp(value, "2048") && strcmp(value, "4096")))
			return usage(c, "--sector-size `%s`: allowed are 512, 1024, 2048 and 4096",
				     value);
	} else if (row->value) {
		if (!*value)
			return usage(c, "--%s has an empty value", row->name);
		*(const char **)field = value;
	} else {
		*(bool *)field = true;
	}
	return 0;
}

static int read_operands(struct ctl *c, int argc, char *argv[])
{
	for (int i = optind; i < argc; i++) {
		if (c->n_operands == c->verb->max)
			return usage(c, "one word too many: `%s`", argv[i]);
		if (!*argv[i])
			return usage(c, "%s is an empty word", c->verb->operands);
		c->operands[c->n_operands++] = argv[i];
	}
	return c->n_operands < c->verb->min ? usage(c, "%s is missing", c->verb->operands) : 0;
}

int ctl_args(struct ctl *c, int argc, char *argv[])
{
	struct option longs[ARRAY_SIZE(rows) + 1] = { 0 };
	char shorts[2 * ARRAY_SIZE(rows) + 2] = ":";
	int letter, r, n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!takes(c->verb, &rows[i]))
			continue;
		longs[n].name = rows[i].name;
		longs[n].has_arg = rows[i].value ? required_argument : no_argument;
		longs[n++].val = rows[i].letter;
		if (rows[i].is_short)
			snprintf(shorts + strlen(shorts), 2, "%c", rows[i].letter);
	}
	opterr = 0;
	while ((letter = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (letter == '?')
			return usage(c, "unknown option `%s`", argv[optind - 1]);
		if (letter == ':')
			return usage(c, "`%s` needs a value", argv[optind - 1]);
		r = set_option(c, find_row(letter), optarg);
		if (r < 0)
			return r;
	}
	return c->help ? 0 : read_operands(c, argc, argv);
}

static void help_verb(const struct ctl_verb *v)
{
	printf("%s %s %s%s[OPTION]...\n\n%s\n", CTL_PROGRAM, v->name, v->operands,
	       *v->operands ? " " : "", v->summary);
	if (v->help)
		printf("%s\n", v->help);
	printf("\n");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char option[64];

		if (!takes(v, &rows[i]))
			continue;
		snprintf(option, sizeof(option), "--%s%s%s", rows[i].name, rows[i].value ? " " : "",
			 rows[i].value ? rows[i].value : "");
		if (rows[i].is_short)
			printf("  -%c, %-20s %s\n", rows[i].letter, option, rows[i].help);
		else
			printf("      %-20s %s\n", option, rows[i].help);
	}
}

void ctl_help(const struct ctl_verb *v)
{
	if (v) {
		help_verb(v);
		return;
	}
	printf("%s VERB ...: block devices whose keys are their owner's, in Key Vault or Managed "
	       "HSM\n\n",
	       CTL_PROGRAM);
	while ((v = ctl_verb_next(v))) {
		char left[64];

		snprintf(left, sizeof(left), "%s %s", v->name, v->operands);
		printf("  %-26s %s\n", left, v->summary);
	}
	printf("\n%s VERB --help tells the options of a verb.\n"
	       "Exit codes: 0 done, 1 usage, 2 no permission, 3 memory, 4 device, 5 busy, 10 "
	       "revoked, 11 unreachable,\n"
	       "12 denied, 13 header damaged or tampered with, 15 module missing, 16 KEK does not "
	       "meet the requirements\n",
	       CTL_PROGRAM);
}
