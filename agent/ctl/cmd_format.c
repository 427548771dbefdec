// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * format: check the device, check the KEK, ask, make a DEK, wrap it, have the vault unwrap it, and
 * only then write. Up to there nothing on the device has changed.
 */
#include <stdio.h>
#include <string.h>

#include "common/timeutil.h"
#include "common/vault.h"
#include "ctl.h"

#define LABEL_MAX 47 /* LUKS2 on-disk format: 48 bytes with the NUL */

struct format {
	struct ctl *c;
	char device[256];
	unsigned int sector_size;
	char found[64]; /* what is on the device */
	struct cmk_keyid kek;
	struct cmk_identity identity;
	struct ctl_kek checked;
	struct cmk_token token;
	struct cmk_header header;
};

static int read_request(struct format *f)
{
	struct ctl *c = f->c;
	int r;

	if (!c->kek)
		return cmk_error_set(&c->err, CMK_EXIT_USAGE, -EINVAL, "See cmkctl format --help.",
				     "format: --kek URL is missing");
	if (c->label && strlen(c->label) > LABEL_MAX)
		return cmk_error_set(&c->err, CMK_EXIT_USAGE, -EINVAL, NULL,
				     "format: --label is longer than %d bytes", LABEL_MAX);
	f->sector_size = c->sector_size ? c->sector_size : 4096;
	r = cmk_keyid_parse(c->kek, c->suffix, &f->kek, &c->err);
	if (r == 0)
		r = cmk_identity_parse(c->identity ? c->identity : "managed", &f->identity,
				       &c->err);
	if (r == 0)
		r = cmk_luks_resolve(c->operands[0], f->device, sizeof(f->device), &c->err);
	return r;
}

static int check_device(struct format *f)
{
	struct ctl *c = f->c;
	int r = ctl_blkdev_check(f->device, f->sector_size, f->found, sizeof(f->found), &c->err);

	if (r < 0 || !f->found[0] || c->force)
		return r;
	return cmk_error_set(&c->err, CMK_EXIT_BUSY, -EEXIST,
			     "If all of it may be lost, give --force, or remove it with wipefs -a.",
			     "%s: there is %s on it", f->device, f->found);
}

static int check_kek(struct format *f, struct cmk_worker *w)
{
	int r = ctl_kek_get(f->c, w, &f->kek, &f->identity, &f->checked);

	if (r < 0)
		return r;
	if (!f->c->json)
		ctl_kek_print(&f->checked);
	return f->checked.n_failed ? ctl_kek_refuse(f->c, &f->checked) : 0;
}

static int ask(struct format *f)
{
	char line[16] = "";

	if (f->c->yes)
		return 0;
	if (!isatty(STDIN_FILENO))
		return cmk_error_set(&f->c->err, CMK_EXIT_USAGE, -EINVAL, "Give --yes.",
				     "format: nobody to ask whether all data on %s may be lost",
				     f->device);
	fprintf(stderr, "All data on %s%s%s will be lost. Type YES to go on: ", f->device,
		f->found[0] ? ", which has on it " : "", f->found);
	if (fgets(line, sizeof(line), stdin) && strcmp(line, "YES\n") == 0)
		return 0;
	return cmk_error_set(&f->c->err, CMK_EXIT_USAGE, -ECANCELED, NULL,
			     "format: nothing was done");
}

/* The wrap is done here, with the public key that the vault gave; the vault must be able to undo
 * it. */
static int make_token(struct format *f, struct cmk_worker *w, struct secret *dek)
{
	const struct cmk_kms_answer *an = &f->checked.answer;
	_cleanup_secret_ struct secret back = SECRET_INIT;
	struct cmk_token *t = &f->token;
	struct cmk_judgement j;
	int64_t sent_ms;
	int r;

	*t = (struct cmk_token){
		.slot = -1,
		.mode = CMK_MODE_CUSTOMER,
		.role = CMK_ROLE_PRIMARY,
		.kek = an->key,
		.follow_latest = !f->kek.version[0],
		.identity = f->identity,
		.alg = CMK_ALG_RSA_OAEP_256,
		.wrapped_len = an->n_len,
		.created = cmk_vault_time(an),
	};
	memcpy(t->public.n, an->n, an->n_len);
	t->public.n_len = an->n_len;
	memcpy(t->public.e, an->e, an->e_len);
	t->public.e_len = an->e_len;
	r = crypto_random_secret(dek, CMK_DEK_BYTES);
	if (r == 0)
		r = crypto_oaep_encrypt(&t->public, dek, t->wrapped);
	if (r < 0)
		return cmk_error_set(
			&f->c->err, r == -ENOMEM ? CMK_EXIT_MEMORY : CMK_EXIT_KEK, r, NULL,
			"format: the DEK cannot be wrapped with the KEK's public key: %s",
			strerror(-r));
	r = cmk_vault_unwrap(f->c->cfg, w, t, &sent_ms, &back, &j, &f->c->err);
	if (r < 0)
		return r;
	if (!secret_equal(dek, &back))
		return cmk_error_set(
			&f->c->err, CMK_EXIT_KEK, -EKEYREJECTED,
			"Is it really the vault that answers?",
			"format: the vault unwrapped something else than what was wrapped");
	return 0;
}

static int write_volume(struct format *f, const struct secret *dek)
{
	int r = f->found[0] ? ctl_blkdev_wipe(f->device, &f->c->err) : 0;

	if (r < 0)
		return r;
	return cmk_luks_format(f->device, f->sector_size, f->c->label, f->c->suffix, dek, &f->token,
			       &f->header, &f->c->err);
}

static void print_result(const struct format *f)
{
	char url[512];

	if (f->c->json) {
		cJSON *obj = ctl_kek_json(&f->checked);

		cJSON_AddStringToObject(obj, "device", f->device);
		cJSON_AddStringToObject(obj, "uuid", f->header.uuid); /* empty after a dry run */
		cJSON_AddBoolToObject(obj, "follow_latest", !f->kek.version[0]);
		cJSON_AddNumberToObject(obj, "sector_size", f->sector_size);
		ctl_print_json(obj);
		cJSON_Delete(obj);
	} else if (f->c->dry_run) {
		printf("%s: would be formatted; nothing was written\n", f->device);
	} else {
		printf("%s: UUID %s, KEK %s\n", f->device, f->header.uuid,
		       cmk_keyid_format(&f->token.kek, url, sizeof(url)));
		printf("Next: a section [volume NAME] with device=UUID=%s in cmk.conf, and cmkctl "
		       "open NAME --no-start\n",
		       f->header.uuid);
	}
}

int cmd_format(struct ctl *c)
{
	_cleanup_worker_ struct cmk_worker *w = NULL;
	_cleanup_secret_ struct secret dek = SECRET_INIT;
	struct format f = { .c = c };
	int r = read_request(&f);

	if (r == 0)
		r = check_device(&f);
	if (r == 0)
		r = cmk_worker_spawn(c->cfg, &w, &c->err);
	if (r == 0)
		r = check_kek(&f, w);
	if (r == 0 && !c->dry_run)
		r = ask(&f);
	if (r == 0)
		r = make_token(&f, w, &dek);
	if (r == 0 && !c->dry_run)
		r = write_volume(&f, &dek);
	if (r < 0)
		return r;
	print_result(&f);
	return 0;
}
