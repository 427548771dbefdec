// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* "Microsoft identity platform and the OAuth 2.0 client credentials flow": one POST of a form. */
#include "entra.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/secret.h"
#include "common/timeutil.h"
#include "crypto_jwt.h"

#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

const char *entra_authority(const char *login)
{
	/* a vault's challenge names one of these: a credential goes nowhere else */
	static const struct {
		const char *login, *authority;
	} table[] = {
		{ "login.microsoftonline.com", "login.microsoftonline.com" },
		{ "login.windows.net", "login.microsoftonline.com" },
		{ "login.chinacloudapi.cn", "login.chinacloudapi.cn" },
		{ "login.partner.microsoftonline.cn", "login.partner.microsoftonline.cn" },
		{ "login.microsoftonline.us", "login.microsoftonline.us" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (strcmp(table[i].login, login) == 0)
			return table[i].authority;
	return NULL;
}

/* A form under way: what does not fit is found at the end. */
struct form {
	char *text;
	size_t room;
	bool overflow;
};

static void add(struct form *f, const char *name, const char *value)
{
	size_t n = strlen(f->text);

	n += snprintf(f->text + n, f->room - n, "%s%s=", n ? "&" : "", name);
	if (n >= f->room || !token_source_escape(f->text, f->room, value))
		f->overflow = true;
}

/* The credential as text, and an assertion made of it where it is a certificate. */
static int make_proof(const struct token_wish *wish, const char *url, char **out,
		      bool *is_assertion)
{
	const struct secret *credential = wish->credential;
	static const char pem[] = "-----BEGIN ";
	char *text;

	*is_assertion = true;
	if (wish->identity->kind == CMK_IDENTITY_PRINCIPAL && credential->len > strlen(pem) &&
	    memcmp(credential->bytes, pem, strlen(pem)) == 0)
		return crypto_jwt_make(credential, wish->identity->id, url, realtime_s(), out);
	*is_assertion = wish->identity->kind == CMK_IDENTITY_WORKLOAD;
	if (memchr(credential->bytes, '\0', credential->len))
		return -EINVAL;
	text = wiping_malloc(credential->len + 1);
	if (!text)
		return -ENOMEM;
	memcpy(text, credential->bytes, credential->len);
	text[credential->len] = '\0';
	*out = text;
	return 0;
}

static int fill_form(struct token_source *s, const struct token_wish *wish, const char *proof,
		     bool is_assertion)
{
	struct form f = { .room = 3 * strlen(proof) + 8192 };
	char scope[300];

	f.text = wiping_calloc(1, f.room);
	if (!f.text)
		return -ENOMEM;
	s->text = f.text;
	snprintf(scope, sizeof(scope), "%s/.default", wish->resource);
	add(&f, "grant_type", "client_credentials");
	add(&f, "client_id", wish->identity->id);
	add(&f, "scope", scope);
	if (is_assertion)
		add(&f, "client_assertion_type", ASSERTION_TYPE);
	add(&f, is_assertion ? "client_assertion" : "client_secret", proof);
	if (wish->claims)
		add(&f, "claims", wish->claims);
	return f.overflow ? -EINVAL : 0;
}

int entra_first(struct token_source *s, const struct cmk_kms_config *c,
		const struct token_wish *wish, struct http_request *rq)
{
	const char *authority = entra_authority(wish->login);
	char *proof = NULL;
	bool is_assertion;
	int r;

	(void)c;
	if (!authority) {
		s->why = "the vault's challenge names an authority that is not Entra's";
		return -EINVAL;
	}
	if (!wish->credential || !wish->credential->len) {
		s->why = wish->identity->kind == CMK_IDENTITY_WORKLOAD
				 ? "there is no federated token: see AZURE_FEDERATED_TOKEN_FILE"
				 : "there is no such credential: see LoadCredential= and "
				   "/etc/credstore";
		return -EINVAL;
	}
	snprintf(rq->url, sizeof(rq->url), "https://%s/%s/oauth2/v2.0/token", authority,
		 wish->identity->tenant);
	r = make_proof(wish, rq->url, &proof, &is_assertion);
	if (r == 0)
		r = fill_form(s, wish, proof, is_assertion);
	wiping_free(proof);
	if (r == -EINVAL)
		s->why = "the credential is neither a secret's text nor a certificate with its RSA "
			 "key in PEM";
	rq->post = true;
	rq->body = s->text;
	rq->content_type = "application/x-www-form-urlencoded";
	return r;
}
