// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The Azure Arc agent: tokens for whoever can read a file that only the privileged group may read.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include "vault.h"

#define CHALLENGES_MAX 16

/* The files that were laid out and not yet used. */
static struct challenge {
	char *path;
	char key[65];
} challenges[CHALLENGES_MAX];

static void challenge_end(struct challenge *challenge)
{
	if (challenge->path)
		unlink(challenge->path);
	put_string(&challenge->path, NULL);
}

static void challenge_begin(struct req *req)
{
	static unsigned int next;
	struct challenge *challenge = &challenges[next++ % CHALLENGES_MAX];
	char name[37];
	int r;

	challenge_end(challenge);
	random_guid(name);
	random_hex(challenge->key, 64);
	challenge->path = xasprintf("%s/%s.key", settings.arc_tokens, name);
	r = write_file(challenge->path, challenge->key, 0640);
	if (r) {
		fprintf(stderr, "cmk-testvault: cannot write %s: %s\n", challenge->path,
			strerror(-r));
		answer_text(req, 500, "text/plain", "the challenge file cannot be written\n");
		return;
	}
	answer_text(req, 401, NULL, "");
	answer_header(req, "WWW-Authenticate", "Basic realm=%s", challenge->path);
}

static bool challenge_met(const char *key)
{
	for (size_t i = 0; i < CHALLENGES_MAX; i++) {
		if (challenges[i].path && !strcmp(challenges[i].key, key)) {
			challenge_end(&challenges[i]);
			return true;
		}
	}
	return false;
}

void arc_token(struct req *req)
{
	const char *metadata = req_header(req, "Metadata"),
		   *authorization = req_header(req, "Authorization");
	const struct identity *who = identity_by_name("system");

	if (!metadata || strcasecmp(metadata, "true"))
		errors_answer(req, "imds-no-metadata-header", NULL, NULL);
	else if (!authorization || strncasecmp(authorization, "Basic ", 6) ||
		 !challenge_met(authorization + 6))
		challenge_begin(req);
	else if (who->deleted)
		errors_answer(req, "imds-identity-gone", NULL, NULL);
	else
		imds_token_answer(req, who);
}
