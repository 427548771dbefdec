// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* A ring of a fixed size: more vaults than that only cost a challenge now and then. */
#include "known.h"

#include <stdio.h>
#include <string.h>

#define VAULTS_MAX 256

struct vault {
	char host[254];
	uint16_t port;
	struct challenge challenge;
};

struct known {
	struct vault *vaults[VAULTS_MAX];
	size_t next; /* to be replaced */
};

struct known *known_new(void)
{
	return calloc(1, sizeof(struct known));
}

void known_free(struct known *k)
{
	for (size_t i = 0; k && i < VAULTS_MAX; i++)
		free(k->vaults[i]);
	free(k);
}

static struct vault *find(const struct known *k, const char *host, uint16_t port)
{
	for (size_t i = 0; i < VAULTS_MAX && k->vaults[i]; i++)
		if (k->vaults[i]->port == port && strcmp(k->vaults[i]->host, host) == 0)
			return k->vaults[i];
	return NULL;
}

const struct challenge *known_find(const struct known *k, const char *host, uint16_t port)
{
	const struct vault *v = find(k, host, port);

	return v ? &v->challenge : NULL;
}

void known_put(struct known *k, const char *host, uint16_t port, const struct challenge *c)
{
	struct vault *v = find(k, host, port);

	if (!v) {
		v = k->vaults[k->next];
		if (!v)
			v = k->vaults[k->next] = calloc(1, sizeof(*v));
		if (!v)
			return;
		k->next = (k->next + 1) % VAULTS_MAX;
		snprintf(v->host, sizeof(v->host), "%s", host);
		v->port = port;
	}
	v->challenge = *c;
	v->challenge.claims[0] = '\0';
}
