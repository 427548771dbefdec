/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The judge that plays recorded sessions of the real services to the test vault: a session as
 * exchanges, the client that repeats the requests, and the comparison of the answers.
 */
#ifndef CMK_JUDGE_H
#define CMK_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <cjson/cJSON.h>
#include "../../util.h"

/* One recorded request and its answer. */
struct exchange {
	char *method;
	char *url;
	cJSON *request;	       /* the body; NULL: none, or not recorded */
	bool request_recorded; /* whether the form of the recording keeps bodies of requests at all
				*/
	int authorized;	       /* 1 with a token, 0 without, -1 not recorded */
	int status;
	cJSON *body;	/* NULL: empty */
	char *text;	/* of a body that is no JSON */
	cJSON *headers; /* name to value */
};

struct session {
	struct exchange *exchanges;
	size_t n;
	bool hsm;
};

/* An answer of the test vault. */
struct answer {
	long status;
	cJSON *body;
	char *text;
	cJSON *headers; /* names in lower case */
};

/* ---- session.c, nock.c ---- */
/**
 * session_load() - read a recorded session in one of the published forms
 * @path: JSON with Entries (Go) or networkCallRecords (C++), or JavaScript for nock
 *
 * Return: NULL, or why it cannot be played; *@session is the caller's to end in both cases.
 */
const char *session_load(struct session *session, const char *path);
void session_end(struct session *session);
struct exchange *session_add(struct session *session);
/** nock_load() - the JavaScript form; false if @text has none of it */
bool nock_load(struct session *session, const char *text);

/* ---- client.c ---- */
/** client_begin() - trust @ca for all that follows */
void client_begin(const char *ca);
void client_end(void);
/** client_send() - one request, which waits up to some seconds for its answer */
void client_send(struct answer *answer, const char *method, const char *url, const char *token,
		 const char *body);
/** client_token() - a token for @resource from the instance metadata service; the caller frees */
char *client_token(const char *resource);
/** client_control() - one line to the control port of the test vault; false if it was refused */
bool client_control(const char *line);
void answer_end(struct answer *answer);

/* ---- names.c ---- */
/* What the recording calls X is called Y by the test vault: versions, ciphertexts, skip tokens,
 * hosts. */
struct names {
	cJSON *pairs;
};

void names_learn(struct names *names, const char *recorded, const char *told);
/** names_apply() - @text with all recorded names in it replaced; the caller frees */
char *names_apply(const struct names *names, const char *text);

/* ---- compare.c ---- */
/**
 * compare_answers() - compare an answer with the recorded one, and learn the names that differ by
 * nature
 * @why: what differs, for people, if the result is false; the caller frees
 */
bool compare_answers(struct names *names, const struct exchange *recorded,
		     const struct answer *told, char **why);
/** compare_list() - print the names of the values that may differ, and how */
void compare_list(void);

#endif
