// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * Reads cmk.conf with libinih, and holds it against the rules that join several keys. The reader is
 * our own: it knows the line's number, and refuses what libinih would cut (lines, sections and
 * names of more than its size).
 */
#include "config.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <ini.h>

#include "config_keys.h"

struct parser {
	const char *path;
	FILE *file;
	struct cmk_config *cfg;
	struct cmk_error *err;
	int line;
	int failed_line; /* 0: nothing has failed */
	int r;
	enum cmk_section section;
	int section_line;
	uint64_t seen; /* keys given in the file; those of a volume are forgotten at its end */
};

static _printf_(3, 4) int fail(struct parser *p, int r, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (p->failed_line)
		return r;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	p->failed_line = p->line;
	p->r = r;
	return cmk_error_set(p->err, CMK_EXIT_USAGE, r, NULL, "%s:%d: %s", p->path, p->line, text);
}

static struct cmk_volume_config *last_volume(struct parser *p)
{
	return &p->cfg->volumes[p->cfg->n_volumes - 1];
}

static bool seen(const struct parser *p, enum cmk_section section, const char *name)
{
	unsigned int index;

	return cmk_config_key(section, name, &index) && p->seen & (UINT64_C(1) << index);
}

/* The end of a section: what it must have. Errors name the section's first line. */
static int end_section(struct parser *p)
{
	int line = p->line;

	if (p->section != CMK_SECTION_VOLUME || p->failed_line)
		return p->r;
	if (!seen(p, CMK_SECTION_VOLUME, "device")) {
		p->line = p->section_line;
		fail(p, -EINVAL, "[volume %s] has no `device`: a path, or UUID= and the LUKS UUID",
		     last_volume(p)->name);
		p->line = line;
	}
	return p->r;
}

static int begin_volume(struct parser *p, const char *name)
{
	struct cmk_config *cfg = p->cfg;
	struct cmk_volume_config *v;
	unsigned int index;

	if (!cmk_config_volume_name_ok(name))
		return fail(p, -EINVAL, "`%.128s` cannot be a volume's name: %s", name,
			    CMK_VOLUME_NAME_ALLOWED);
	if (cmk_config_volume(cfg, name))
		return fail(p, -EINVAL, "[volume %s] is there twice", name);
	v = reallocarray(cfg->volumes, cfg->n_volumes + 1, sizeof(*v));
	if (!v)
		return fail(p, -ENOMEM, "out of memory");
	cfg->volumes = v;
	v = &cfg->volumes[cfg->n_volumes++];
	memset(v, 0, sizeof(*v));
	snprintf(v->name, sizeof(v->name), "%s", name);
	if (cmk_config_key(CMK_SECTION_VOLUME, "device", &index))
		p->seen &= (UINT64_C(1) << index) - 1;
	return 0;
}

/* @text: a line that begins with '['. */
static int begin_section(struct parser *p, const char *text)
{
	char name[160];
	const char *end = strchr(text, ']');
	const char *rest = end ? end + 1 + strspn(end + 1, " \t\r\n") : NULL;
	int r = end_section(p);

	if (r < 0)
		return r;
	if (!end || (*rest && *rest != ';' && *rest != '#'))
		return fail(p, -EINVAL,
			    "a section is [agent], [kms] or [volume NAME], alone on its line");
	snprintf(name, sizeof(name), "%.*s", (int)(end - text - 1), text + 1);
	p->section_line = p->line;
	if (strcmp(name, "agent") == 0) {
		p->section = CMK_SECTION_AGENT;
	} else if (strcmp(name, "kms") == 0) {
		p->section = CMK_SECTION_KMS;
	} else if (strncmp(name, "volume ", 7) == 0) {
		p->section = CMK_SECTION_VOLUME;
		return begin_volume(p, name + 7 + strspn(name + 7, " \t"));
	} else {
		return fail(p, -EINVAL,
			    "unknown section [%s]: allowed are [agent], [kms] and [volume NAME]",
			    name);
	}
	return 0;
}

/* Is the line text that can be shown in an error, and whole? */
static int check_line(struct parser *p, const char *text, size_t len, int room)
{
	bool whole = len > 0 && text[len - 1] == '\n';

	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < ' ' && !strchr("\t\r\n", text[i]))
			return fail(p, -EINVAL, "not text: a control character in column %zu",
				    i + 1);
	}
	if (!whole && len + 1 >= (size_t)room)
		return fail(p, -EINVAL,
			    "longer than %d characters: a list may go on in another line that "
			    "begins with the same key",
			    room - 2);
	if (!whole && !feof(p->file))
		return fail(p, -EINVAL, "not text: a NUL character in column %zu", len + 1);
	return 0;
}

/* `key =`; libinih would take a colon too. */
static bool is_assignment(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz_0123456789");

	return len && text[len + strspn(text + len, " \t")] == '=';
}

/*
 * One line for libinih, without its indentation: libinih would take an indented key for the
 * continuation of the value before it.
 */
static char *read_line(char *text, int room, void *stream)
{
	struct parser *p = stream;
	size_t len, skip;

	if (p->failed_line || !fgets(text, room, p->file))
		return NULL;
	p->line++;
	len = strlen(text);
	if (check_line(p, text, len, room) < 0)
		return NULL;
	skip = p->line == 1 && strncmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	skip += strspn(text + skip, " \t");
	memmove(text, text + skip, len - skip + 1);
	if (text[0] == '[')
		return begin_section(p, text) < 0 ? NULL : text;
	if (!strchr("\r\n#;", text[0]) && !is_assignment(text)) {
		fail(p, -EINVAL, "neither a [section], nor `key = value`, nor a comment");
		return NULL;
	}
	return text;
}

static int set_key(struct parser *p, const char *name, const char *value)
{
	static const char *const titles[] = { "", "[agent]", "[kms]", "[volume]" };
	void *base = p->section == CMK_SECTION_VOLUME ? (void *)last_volume(p) : p->cfg;
	const struct cmk_key *key;
	unsigned int index;
	int r;

	if (p->section == CMK_SECTION_NONE)
		return fail(p, -EINVAL, "`%s` stands before the first section", name);
	key = cmk_config_key(p->section, name, &index);
	if (!key)
		return fail(p, -EINVAL, "unknown key `%s` in %s", name, titles[p->section]);
	if (!key->list && p->seen & (UINT64_C(1) << index))
		return fail(p, -EINVAL, "`%s` is given twice", name);
	p->seen |= UINT64_C(1) << index;
	r = key->parse(key, base, value);
	if (r == -ENOSPC)
		return fail(p, -EINVAL, "`%s` has too much in it: allowed is %s", name,
			    key->allowed);
	if (r < 0)
		return fail(p, -EINVAL, "`%s` is `%s`: allowed is %s", name, value, key->allowed);
	return 0;
}

static int on_key(void *user, const char *section, const char *name, const char *value)
{
	(void)section; /* cut by libinih to 49 characters; ours is whole */
	return set_key(user, name, value) == 0;
}

/*
 * An orderly lock begins lock_budget before the lease's end. If no probe fitted in before that,
 * each lease would end in a lock although the key is valid.
 */
static int check_lease(struct parser *p, const char *where, int64_t lease_ms)
{
	const struct cmk_config *cfg = p->cfg;
	int64_t longest_ms = cfg->probe_interval_ms * (100 + cfg->probe_jitter_percent) / 100;

	if (lease_ms < 2 * cfg->probe_interval_ms)
		return cmk_error_set(
			p->err, CMK_EXIT_USAGE, -EINVAL, NULL,
			"%s: %s: `lease` (%lld ms) is less than two probe intervals of %lld ms",
			p->path, where, (long long)lease_ms, (long long)cfg->probe_interval_ms);
	if (lease_ms <= cfg->lock_budget_ms + longest_ms)
		return cmk_error_set(
			p->err, CMK_EXIT_USAGE, -EINVAL, NULL,
			"%s: %s: `lease` (%lld ms) must be longer than `lock_budget` (%lld ms) and "
			"one probe interval with its jitter (%lld ms) together",
			p->path, where, (long long)lease_ms, (long long)cfg->lock_budget_ms,
			(long long)longest_ms);
	return 0;
}

/* Two volumes share neither a device nor a mount point. */
static int check_unique(struct parser *p, const struct cmk_volume_config *v, const char *where)
{
	for (const struct cmk_volume_config *o = p->cfg->volumes; o < v; o++) {
		bool device = strcmp(v->device, o->device) == 0;

		if (device || (v->mount[0] && strcmp(v->mount, o->mount) == 0))
			return cmk_error_set(p->err, CMK_EXIT_USAGE, -EINVAL, NULL,
					     "%s: %s: the `%s` is [volume %s]'s already", p->path,
					     where, device ? "device" : "mount", o->name);
	}
	return 0;
}

static int check_volumes(struct parser *p)
{
	struct cmk_config *cfg = p->cfg;
	char where[160];

	for (size_t i = 0; i < cfg->n_volumes; i++) {
		struct cmk_volume_config *v = &cfg->volumes[i];
		int r;

		if (v->lease_ms == 0)
			v->lease_ms = cfg->lease_ms;
		snprintf(where, sizeof(where), "[volume %s]", v->name);
		r = check_lease(p, where, v->lease_ms);
		if (r < 0)
			return r;
		if (v->mount_options[0] && !v->mount[0])
			return cmk_error_set(p->err, CMK_EXIT_USAGE, -EINVAL, NULL,
					     "%s: %s: `mount_options` without `mount`", p->path,
					     where);
		r = check_unique(p, v, where);
		if (r < 0)
			return r;
	}
	return 0;
}

static int parse(struct parser *p)
{
	int r = ini_parse_stream(read_line, p, on_key, p);

	if (ferror(p->file))
		return cmk_error_set(p->err, CMK_EXIT_USAGE, -EIO, NULL, "%s: cannot be read: %s",
				     p->path, strerror(errno));
	if (r != 0 && !p->failed_line) {
		p->line = r;
		return fail(p, -EINVAL, "not understood");
	}
	if (p->failed_line || end_section(p) < 0)
		return p->r;
	if (seen(p, CMK_SECTION_KMS, "vault_suffix") && seen(p, CMK_SECTION_KMS, "mhsm_suffix"))
		return cmk_error_set(
			p->err, CMK_EXIT_USAGE, -EINVAL, NULL,
			"%s: `vault_suffix` and `mhsm_suffix`: only one of them can be given",
			p->path);
	r = check_lease(p, "[agent]", p->cfg->lease_ms);
	return r < 0 ? r : check_volumes(p);
}

static int open_trusted(const char *path, FILE **file, struct cmk_error *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return cmk_error_set(err, errno == EACCES ? CMK_EXIT_PERMISSION : CMK_EXIT_USAGE,
				     -errno, "See cmk.conf(5) for what it must hold.",
				     "%s: cannot be opened: %s", path, strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return cmk_error_set(err, CMK_EXIT_USAGE, -EINVAL, NULL, "%s: not a regular file",
				     path);
	if ((st.st_uid != 0 && st.st_uid != geteuid()) || st.st_mode & (S_IWGRP | S_IWOTH))
		return cmk_error_set(err, CMK_EXIT_PERMISSION, -EACCES,
				     "Look what is in it, then: chown root FILE; chmod go-w FILE",
				     "%s: must belong to root and be writable by root alone; it "
				     "has owner %u, mode %04o",
				     path, st.st_uid, st.st_mode & 07777);
	*file = fdopen(fd, "r");
	if (!*file)
		return cmk_error_set(err, CMK_EXIT_MEMORY, -ENOMEM, NULL, "%s: out of memory",
				     path);
	fd = -1;
	return 0;
}

int cmk_config_load(const char *path, struct cmk_config **cfg, struct cmk_error *err)
{
	struct parser p = { .path = path, .err = err };
	int r = open_trusted(path, &p.file, err);

	if (r < 0)
		return r;
	p.cfg = calloc(1, sizeof(*p.cfg));
	if (!p.cfg) {
		fclose(p.file);
		return cmk_error_set(err, CMK_EXIT_MEMORY, -ENOMEM, NULL, "%s: out of memory",
				     path);
	}
	cmk_config_defaults(p.cfg);
	r = parse(&p);
	fclose(p.file);
	if (r < 0) {
		cmk_config_free(p.cfg);
		return r;
	}
	*cfg = p.cfg;
	return 0;
}

void cmk_config_free(struct cmk_config *cfg)
{
	if (cfg)
		free(cfg->volumes);
	free(cfg);
}

const struct cmk_volume_config *cmk_config_volume(const struct cmk_config *cfg, const char *name)
{
	for (size_t i = 0; i < cfg->n_volumes; i++) {
		if (strcmp(cfg->volumes[i].name, name) == 0)
			return &cfg->volumes[i];
	}
	return NULL;
}

bool cmk_config_vault_allowed(const struct cmk_config *cfg, const struct cmk_keyid *id)
{
	for (size_t i = 0; i < cfg->n_vaults; i++) {
		const char *pin = cfg->vaults[i], *dot = strchr(id->host, '.');

		/* the star stands for one label, as in a certificate */
		if (pin[0] == '*' ? dot && strcmp(dot, pin + 1) == 0 : strcmp(id->host, pin) == 0)
			return true;
	}
	return false;
}

const struct cmk_suffix *cmk_config_suffix(const struct cmk_config *cfg, struct cmk_suffix *out)
{
	if (!cfg->suffix[0])
		return NULL;
	*out = (struct cmk_suffix){ .suffix = cfg->suffix, .store = cfg->suffix_store };
	return out;
}
