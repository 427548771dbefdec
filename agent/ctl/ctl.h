/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* What cmkctl's files share: one run of one verb, the table of verbs, and the helpers of several
 * verbs. */
#ifndef CMK_CTL_H
#define CMK_CTL_H

#include <cjson/cJSON.h>

#include "common/config.h"
#include "common/dm.h"
#include "common/error.h"
#include "common/kek.h"
#include "common/luks.h"
#include "common/worker.h"

#define CTL_PROGRAM	 "cmkctl"
#define CTL_OPERANDS_MAX 2

struct ctl_verb;

/* One run: what was asked, the configuration, and what went wrong. */
struct ctl {
	const struct ctl_verb *verb;
	/* options; false, 0 or NULL where not given */
	const char *config_path;
	bool help, json, dry_run, yes, force, immediate, no_start;
	const char *kek, *identity, *label;
	unsigned int sector_size;
	/* operands; NULL where not given */
	const char *operands[CTL_OPERANDS_MAX];
	int n_operands;

	struct cmk_config *cfg;
	struct cmk_suffix suffix_room;
	const struct cmk_suffix *suffix;
	struct cmk_error err;
};

struct ctl_verb {
	const char *name;     /* one word or two */
	const char *operands; /* as the help shows them */
	int min, max;	      /* how many there may be */
	const char *options;  /* letters of the table in args.c */
	const char *summary;
	const char *help;	   /* more than the summary; may be NULL */
	int (*run)(struct ctl *c); /* 0, or -errno with c->err */
};

/* verbs.c: the verb of argv[1] (and argv[2]); @words: how many words it has. NULL: none. */
const struct ctl_verb *ctl_verb_find(int argc, char *const argv[], int *words);
const struct ctl_verb *ctl_verb_next(const struct ctl_verb *v); /* NULL: the first one */

/* args.c: read the words after the verb. Return: 0 or -EINVAL with c->err. */
int ctl_args(struct ctl *c, int argc, char *argv[]) _must_check_;
/* The manual of one verb, or of all of them with NULL, on standard output. */
void ctl_help(const struct ctl_verb *v);

/* cmd_*.c */
int cmd_format(struct ctl *c);
int cmd_open(struct ctl *c);
int cmd_close(struct ctl *c);
int cmd_status(struct ctl *c);
int cmd_list(struct ctl *c);
int cmd_dump(struct ctl *c);
int cmd_verify(struct ctl *c);
int cmd_lock(struct ctl *c);
int cmd_unlock(struct ctl *c);
int cmd_revalidate(struct ctl *c);
int cmd_kek_check(struct ctl *c);

/* agent.c */

/**
 * ctl_agent_call() - ask the agent.
 * @op: the operation. @volume: its volume, or NULL. @flag: a field to be true, or NULL.
 * @answer: the caller's to delete.
 *
 * Return: as cmk_control_call(), with c->err.
 */
int ctl_agent_call(struct ctl *c, const char *op, const char *volume, const char *flag,
		   cJSON **answer) _must_check_;
/* Is this what ctl_agent_call() returns where no agent runs? */
bool ctl_agent_absent(int r);

/* local.c: {"agent":null,"volumes":[...]} from the kernel and the headers; @name: one volume, or
 * NULL. */
int ctl_local_status(struct ctl *c, const char *name, cJSON **status) _must_check_;

/* Add the volumes of cmk.conf that @status does not tell of, as Closed; @name: that one alone, or
 * NULL for all. */
void ctl_local_closed(struct ctl *c, cJSON *status, const char *name);

/* target.c */

/**
 * ctl_header() - the header of what a person named: a device's path, UUID=, or a volume's name.
 * @spec: a word with a slash or with UUID= is a device.
 */
int ctl_header(struct ctl *c, const char *spec, struct cmk_header *h) _must_check_;
/* Is there a mapping of that name? -ENODEV with c->err if not. */
int ctl_mapping(struct ctl *c, const char *name, struct cmk_dm_device *dev) _must_check_;

/* blkdev.c */

/**
 * ctl_blkdev_check() - may this device be formatted?
 * @found: filled with what is on it, or made empty.
 *
 * Return: 0; -EBUSY: in use; -EINVAL: no device to format; each with @err.
 */
int ctl_blkdev_check(const char *device, unsigned int sector_size, char *found, size_t len,
		     struct cmk_error *err) _must_check_;
/* Remove all signatures that are known. */
int ctl_blkdev_wipe(const char *device, struct cmk_error *err) _must_check_;

/* kek.c */

struct ctl_kek {
	struct cmk_kms_answer answer;
	struct cmk_check checks[CMK_CHECKS_MAX];
	size_t n_checks;
	size_t n_failed;
};

/* GET a KEK and hold it against the requirements. Failed ones are no error of this function. */
int ctl_kek_get(struct ctl *c, struct cmk_worker *w, const struct cmk_keyid *id,
		const struct cmk_identity *identity, struct ctl_kek *kek) _must_check_;
/* One line a requirement on standard output. */
void ctl_kek_print(const struct ctl_kek *kek);
cJSON *ctl_kek_json(const struct ctl_kek *kek);
/* c->err and its return value for requirements that failed. */
int ctl_kek_refuse(struct ctl *c, const struct ctl_kek *kek) _must_check_;

/* out.c */
void ctl_print_json(const cJSON *j);
/* "  name      value" for people; nothing if @value is empty. */
void ctl_print_field(const char *name, const char *value);
/* The volume's objects of @status as paragraphs, or as a table. */
void ctl_print_volumes(const cJSON *status);
void ctl_print_table(const cJSON *status);
/* A text field of an object, or "". */
const char *ctl_text(const cJSON *obj, const char *name);
/* "cmkctl: ..." on standard error: something that a person should know though nothing failed. */
void ctl_note(const char *fmt, ...) _printf_(1, 2);

#endif
