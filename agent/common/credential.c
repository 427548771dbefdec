// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* Read anew for each request: federated tokens change every hour, and a secret may be replaced at
 * any time. */
#include "credential.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Where `az` and the webhook of Azure Workload Identity put it. */
#define FEDERATED_TOKEN_FILE "/var/run/secrets/azure/tokens/azure-identity-token"

static int read_file(const char *path, struct secret *secret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	_cleanup_secret_ struct secret whole = SECRET_INIT;
	struct stat st;
	ssize_t n;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size == 0 || st.st_size > CMK_SECRET_MAX_BYTES)
		return -EINVAL;
	r = secret_alloc(&whole, st.st_size);
	if (r < 0)
		return r;
	n = read(fd, whole.bytes, whole.len);
	if (n < 0)
		return -errno;
	while (n > 0 && (whole.bytes[n - 1] == '\n' || whole.bytes[n - 1] == '\r'))
		n--;
	return n > 0 ? secret_from(secret, whole.bytes, n) : -EINVAL;
}

static int load_principal(const char *name, struct secret *secret)
{
	const char *const directories[] = {
		getenv("CREDENTIALS_DIRECTORY"),
		"/run/credentials/cmk-agent.service",
		"/etc/credstore",
	};
	int r = -ENOENT;

	for (size_t i = 0; i < ARRAY_SIZE(directories) && r == -ENOENT; i++) {
		char path[512];

		if (!directories[i])
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", directories[i], name) >=
		    (int)sizeof(path))
			return -EINVAL;
		r = read_file(path, secret);
	}
	return r;
}

int credential_load(const struct cmk_identity *id, struct secret *secret)
{
	const char *file = getenv("AZURE_FEDERATED_TOKEN_FILE");

	switch (id->kind) {
	case CMK_IDENTITY_WORKLOAD:
		return read_file(file && *file ? file : FEDERATED_TOKEN_FILE, secret);
	case CMK_IDENTITY_PRINCIPAL:
		return load_principal(id->credential, secret);
	default:
		return 0;
	}
}
