// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The control port: one line of words in, text out. The verbs that set faults and look on are here,
 * those that do what the owner of a key does are in owner.c.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "vault.h"

#define WORDS_MAX 32

char *control_no(bool *ok, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	*ok = false;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	return text;
}

/* Take @n words at @at out of the words. */
static void remove_words(int *argc, char **argv, int at, int n)
{
	memmove(&argv[at], &argv[at + n], sizeof(*argv) * (size_t)(*argc - at - n));
	*argc -= n;
}

const char *control_option(int *argc, char **argv, const char *name)
{
	for (int i = 0; i + 1 < *argc; i++) {
		const char *value = argv[i + 1];

		if (strncmp(argv[i], "--", 2) || strcmp(argv[i] + 2, name))
			continue;
		remove_words(argc, argv, i, 2);
		return value;
	}
	return NULL;
}

bool control_flag(int *argc, char **argv, const char *name)
{
	for (int i = 0; i < *argc; i++) {
		if (strncmp(argv[i], "--", 2) || strcmp(argv[i] + 2, name))
			continue;
		remove_words(argc, argv, i, 1);
		return true;
	}
	return false;
}

static char *json_lines(cJSON *list)
{
	char *text = NULL;
	const cJSON *item;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	cJSON_ArrayForEach(item, list)
	{
		_cleanup_free_ char *line = cJSON_PrintUnformatted(item);

		fprintf(out, "%s\n", line);
	}
	fclose(out);
	cJSON_Delete(list);
	return text;
}

static char *verb_ping(int argc, char **argv, bool *ok)
{
	(void)argc, (void)argv, (void)ok;
	return xstrdup("");
}

static char *verb_faults(int argc, char **argv, bool *ok)
{
	(void)argc, (void)argv, (void)ok;
	return json_lines(fault_list());
}

static char *add_fault(enum fault_kind kind, int argc, char **argv, bool *ok)
{
	char *why;
	unsigned int id = fault_add(kind, argc, argv, &why);

	if (id)
		return xasprintf("%u\n", id);
	*ok = false;
	return why;
}

static char *verb_answer(int argc, char **argv, bool *ok)
{
	if (argc == 1 && !strcmp(argv[0], "list"))
		return json_lines(errors_list());
	return add_fault(FAULT_ANSWER, argc, argv, ok);
}

static char *listeners_changed(int r, bool *ok, const char *what)
{
	return r ? control_no(ok, "%s: %s", what, strerror(-r)) : xstrdup("");
}

static char *verb_cut(int argc, char **argv, bool *ok)
{
	return listeners_changed(server_cut(SURFACE_VAULT, argc ? argv[0] : NULL), ok, "cut");
}

static char *verb_restore(int argc, char **argv, bool *ok)
{
	(void)argc, (void)argv;
	return listeners_changed(server_restore(SURFACE_VAULT), ok, "restore");
}

static char *verb_certificate(int argc, char **argv, bool *ok)
{
	if (argc != 1)
		return control_no(ok, "certificate wants good, wrong-host, expired or untrusted");
	return listeners_changed(server_certificate(argv[0]), ok, argv[0]);
}

static char *verb_imds(int argc, char **argv, bool *ok)
{
	static struct {
		const char *word;
		char status[4]; /* a word among words, and those are not const */
	} answers[] = { { "throttle", "429" }, { "gone", "410" }, { "error", "500" } };
	static char option[] = "--on", imds[] = "imds";
	char *words[WORDS_MAX + 2];
	char *text;
	int n = 0;

	if (argc == 1 && !strcmp(argv[0], "absent"))
		return listeners_changed(server_cut(SURFACE_IMDS, NULL), ok, "imds absent");
	for (size_t i = 0; argc >= 1 && i < ARRAY_SIZE(answers); i++) {
		if (strcmp(answers[i].word, argv[0]))
			continue;
		words[n++] = answers[i].status;
		for (int k = 1; k < argc; k++)
			words[n++] = argv[k];
		words[n++] = option;
		words[n++] = imds;
		pthread_mutex_lock(&vault_lock);
		text = add_fault(FAULT_STATUS, n, words, ok);
		pthread_mutex_unlock(&vault_lock);
		return text;
	}
	return control_no(ok, "imds wants absent, throttle, gone or error");
}

static char *verb_clear(int argc, char **argv, bool *ok)
{
	unsigned int id = argc ? (unsigned int)atoi(argv[0]) : 0;
	bool found;
	int r;

	if (argc > 1 || (argc && !id))
		return control_no(ok, "clear wants the id of a fault, or nothing");
	pthread_mutex_lock(&vault_lock);
	found = fault_clear(id);
	pthread_mutex_unlock(&vault_lock);
	if (!found)
		return control_no(ok, "clear: there is no fault %u", id);
	pend_drop(false);
	if (id)
		return xstrdup("");
	r = server_certificate("good");
	if (!r)
		r = server_restore(SURFACE_VAULT);
	if (!r)
		r = server_restore(SURFACE_IMDS);
	return listeners_changed(r, ok, "clear");
}

static char *verb_recording(int argc, char **argv, bool *ok)
{
	char *why;

	if (argc != 1)
		return control_no(ok, "recording wants a file, or off");
	if (!strcmp(argv[0], "off")) {
		replay_end();
		return xstrdup("");
	}
	why = replay_load(argv[0]);
	*ok = !why;
	return why ? why : xstrdup("");
}

static char *verb_token_expire(int argc, char **argv, bool *ok)
{
	(void)argc, (void)argv, (void)ok;
	token_expire_all();
	return xstrdup("");
}

static char *verb_token_lifetime(int argc, char **argv, bool *ok)
{
	int seconds = argc == 1 ? atoi(argv[0]) : 0;

	if (seconds <= 0)
		return control_no(ok, "token-lifetime wants seconds above 0");
	settings.token_lifetime_s = seconds;
	state_changed();
	return xstrdup("");
}

static char *verb_region(int argc, char **argv, bool *ok)
{
	if (argc != 1)
		return control_no(ok, "region wants a region, as in westeurope");
	put_string(&settings.host_region, argv[0]);
	state_changed();
	return xstrdup("");
}

static char *show_log(int argc, char **argv, bool *ok, bool count)
{
	const char *since = control_option(&argc, argv, "since");
	const char *on = control_option(&argc, argv, "on");
	const char *host = control_option(&argc, argv, "host");
	unsigned int classes = on ? route_classes(on) : CLASSES_ALL;

	if (!classes)
		return control_no(ok, "--on: there is no class of requests in \"%s\" as it stands",
				  on);
	if (argc)
		return control_no(ok, "log: one word too many: \"%s\"", argv[0]);
	return log_text(since ? atoll(since) : 0, classes, host, count);
}

static char *verb_log(int argc, char **argv, bool *ok)
{
	if (argc == 1 && !strcmp(argv[0], "clear")) {
		log_clear();
		return xstrdup("");
	}
	return show_log(argc, argv, ok, false);
}

static char *verb_count(int argc, char **argv, bool *ok)
{
	return show_log(argc, argv, ok, true);
}

static const struct {
	const char *name;
	verb_fn *run;
	bool locks; /* takes vault_lock itself: it stops listeners or makes keys */
} verbs[] = {
	{ "ping", verb_ping, false },
	{ "create-key", owner_create_key, true },
	{ "rotate", owner_rotate, true },
	{ "enable", owner_enable, false },
	{ "disable", owner_disable, false },
	{ "expire", owner_expire, false },
	{ "not-yet-valid", owner_not_yet_valid, false },
	{ "no-dates", owner_no_dates, false },
	{ "key-ops", owner_key_ops, false },
	{ "delete", owner_delete, false },
	{ "recover", owner_recover, false },
	{ "purge", owner_purge, false },
	{ "role", admin_role, false },
	{ "policy", admin_policy, false },
	{ "firewall", admin_firewall, false },
	{ "public-access", admin_public_access, false },
	{ "vault", admin_vault, false },
	{ "tenant", admin_tenant, false },
	{ "identity", admin_identity, false },
	{ "show", owner_show, false },
	{ "region", verb_region, false },
	{ "recording", verb_recording, false },
	{ "token-expire", verb_token_expire, false },
	{ "token-lifetime", verb_token_lifetime, false },
	{ "answer", verb_answer, false },
	{ "imds", verb_imds, true },
	{ "cut", verb_cut, true },
	{ "restore", verb_restore, true },
	{ "certificate", verb_certificate, true },
	{ "clear", verb_clear, true },
	{ "faults", verb_faults, false },
	{ "log", verb_log, false },
	{ "count", verb_count, false },
};

static char *run_verb(int argc, char **argv, bool *ok)
{
	enum fault_kind kind = fault_kind(argv[0]);

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		char *text;

		if (strcmp(verbs[i].name, argv[0]))
			continue;
		if (verbs[i].locks)
			return verbs[i].run(argc - 1, argv + 1, ok);
		pthread_mutex_lock(&vault_lock);
		text = verbs[i].run(argc - 1, argv + 1, ok);
		pthread_mutex_unlock(&vault_lock);
		return text;
	}
	if (kind != FAULT_NONE) {
		char *text;

		pthread_mutex_lock(&vault_lock);
		text = add_fault(kind, argc - 1, argv + 1, ok);
		pthread_mutex_unlock(&vault_lock);
		return text;
	}
	return control_no(ok,
			  "\"%s\" is no verb of the test vault; see Documentation/test-vault.md",
			  argv[0]);
}

void control_run(struct req *req)
{
	char *words[WORDS_MAX], *save = NULL;
	_cleanup_free_ char *text = NULL;
	bool ok = true;
	int n = 0;

	for (char *word = req->body ? strtok_r(req->body, " \t\r\n", &save) : NULL;
	     word && n < WORDS_MAX; word = strtok_r(NULL, " \t\r\n", &save))
		words[n++] = word;
	text = n ? run_verb(n, words, &ok)
		 : control_no(&ok, "no verb; see Documentation/test-vault.md");
	pthread_mutex_lock(&vault_lock);
	state_save_if_changed();
	pthread_mutex_unlock(&vault_lock);
	answer_text(req, ok ? 200 : 400, "text/plain; charset=utf-8", text);
}
