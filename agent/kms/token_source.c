// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* One table by kind of identity, and the token answer that all of them share (RFC 6749, 5.1). */
#include "token_source.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "arc.h"
#include "common/secret.h"
#include "entra.h"
#include "evidence.h"
#include "imds.h"
#include "json.h"

#define LIFETIME_MAX_S (7 * 24 * 3600)

static int managed_first(struct token_source *s, const struct cmk_kms_config *c,
			 const struct token_wish *wish, struct http_request *rq)
{
	(void)s;
	rq->metadata = true;
	return imds_token_url(c, wish, rq->url, sizeof(rq->url));
}

static const struct kind {
	enum cmk_source source;
	token_first_fn *first;
	token_next_fn *next; /* NULL: one request is all */
} kinds[] = {
	[CMK_IDENTITY_MANAGED] = { CMK_SOURCE_IMDS, managed_first, NULL },
	[CMK_IDENTITY_ARC] = { CMK_SOURCE_IMDS, arc_first, arc_next },
	[CMK_IDENTITY_WORKLOAD] = { CMK_SOURCE_ENTRA, entra_first, NULL },
	[CMK_IDENTITY_PRINCIPAL] = { CMK_SOURCE_ENTRA, entra_first, NULL },
};

static int refuse(const struct token_source *s, struct cmk_evidence *ev)
{
	*ev = (struct cmk_evidence){ .source = s->source,
				     .transport = CMK_TRANSPORT_CREDENTIAL,
				     .retry_after_s = -1 };
	json_copy(ev->message, sizeof(ev->message),
		  s->why ? s->why : "the identity makes no valid request");
	return -EINVAL;
}

int token_source_first(struct token_source *s, const struct cmk_kms_config *c,
		       const struct token_wish *wish, struct http_request *rq,
		       struct cmk_evidence *ev)
{
	const struct kind *k = &kinds[wish->identity->kind];
	int r;

	s->source = k->source;
	r = k->first(s, c, wish, rq);
	return r == -EINVAL ? refuse(s, ev) : r;
}

int token_source_next(struct token_source *s, const struct cmk_kms_config *c,
		      const struct token_wish *wish, const struct http_answer *an,
		      struct http_request *rq, struct cmk_evidence *ev)
{
	const struct kind *k = &kinds[wish->identity->kind];
	int r = k->next ? k->next(s, c, wish, an, rq) : 0;

	s->step++;
	return r == -EINVAL ? refuse(s, ev) : r;
}

/* A token goes into a header: RFC 6750's characters and nothing else. */
static bool is_token(const char *s)
{
	size_t n =
		strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=");

	return n >= 8 && n <= 65536 && s[n] == '\0';
}

int token_source_read(const struct token_source *s, const struct http_answer *an, char **token,
		      int64_t *lifetime_s, struct cmk_evidence *ev)
{
	_cleanup_json_ cJSON *j = NULL;
	const char *text, *type;

	*ev = (struct cmk_evidence){ .source = s->source,
				     .transport = an->transport,
				     .retry_after_s = an->retry_after_s };
	if (an->transport != CMK_TRANSPORT_OK) {
		json_copy(ev->message, sizeof(ev->message), an->error);
		return -EBADMSG;
	}
	evidence_from_answer(s->source, an->status, an->body, an->len, ev);
	if (an->status != 200)
		return -EBADMSG;
	j = json_object(an->body, an->len);
	text = json_string(j, "access_token");
	type = json_string(j, "token_type");
	if (!text || !is_token(text) || (type && strcasecmp(type, "Bearer") != 0) ||
	    json_integer(j, "expires_in", LIFETIME_MAX_S, lifetime_s) < 0) {
		json_copy(ev->message, sizeof(ev->message), "the answer holds no token");
		return -EBADMSG;
	}
	ev->parsed = true;
	*token = wiping_strdup(text);
	return *token ? 0 : -ENOMEM;
}

void token_source_end(struct token_source *s)
{
	wiping_free(s->text);
	*s = (struct token_source){ 0 };
}

bool token_source_escape(char *to, size_t room, const char *text)
{
	size_t n = strlen(to);

	for (; *text; text++) {
		bool plain = isalnum((unsigned char)*text) || strchr("-._~", *text);

		if (n + (plain ? 1 : 3) >= room)
			return false;
		if (plain)
			to[n++] = *text;
		else
			n += snprintf(to + n, room - n, "%%%02X", (unsigned char)*text);
	}
	to[n] = '\0';
	return true;
}
