/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What a workload or a service principal proves itself with. The root side reads it and hands it to
 * the worker, which may not read such files.
 */
#ifndef CMK_CREDENTIAL_H
#define CMK_CREDENTIAL_H

#include "identity.h"
#include "secret.h"

/**
 * credential_load() - read the credential of an identity, as it is now.
 * @secret: empty; stays so for kinds that need none.
 *
 * A principal's is the systemd credential of that name: in $CREDENTIALS_DIRECTORY, in that of
 * cmk-agent.service, or in /etc/credstore. A workload's is the file $AZURE_FEDERATED_TOKEN_FILE. A
 * newline at its end does not count.
 *
 * Return: 0, -ENOENT, -EINVAL (empty, too long, no regular file), -errno.
 */
int credential_load(const struct cmk_identity *id, struct secret *secret) _must_check_;

#endif
