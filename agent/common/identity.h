/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* Who the agent is towards Entra. Pure. */
#ifndef CMK_IDENTITY_H
#define CMK_IDENTITY_H

#include "error.h"

enum cmk_identity_kind {
	CMK_IDENTITY_MANAGED, /* IMDS, system- or user-assigned */
	CMK_IDENTITY_ARC,
	CMK_IDENTITY_WORKLOAD,	/* federated token file */
	CMK_IDENTITY_PRINCIPAL, /* service principal: secret or certificate from a systemd
				   credential */
};

enum cmk_identity_selector {
	CMK_SELECT_SYSTEM,
	CMK_SELECT_CLIENT_ID,
	CMK_SELECT_OBJECT_ID,
	CMK_SELECT_RESOURCE_ID,
};

struct cmk_identity {
	enum cmk_identity_kind kind;
	enum cmk_identity_selector selector; /* managed only */
	char id[256];	     /* of the selector; the client id for workload and principal */
	char tenant[37];     /* workload and principal */
	char credential[65]; /* principal: name of the systemd credential that holds the secret or
				the PEM */
};

/**
 * cmk_identity_parse() - parse the text form that configuration, command line and token use:
 * "managed", "managed:client_id=<guid>", "managed:object_id=<guid>", "managed:resource_id=<path>",
 * "arc", "workload:tenant=<guid>,client_id=<guid>",
 * "principal:tenant=<guid>,client_id=<guid>,credential=<name>".
 *
 * Return: 0 or -EINVAL with @err.
 */
int cmk_identity_parse(const char *text, struct cmk_identity *id,
		       struct cmk_error *err) _must_check_;

/* The canonical text form; @buf of at least 512 bytes. Return: @buf. */
char *cmk_identity_format(const struct cmk_identity *id, char *buf, size_t len);

#endif
