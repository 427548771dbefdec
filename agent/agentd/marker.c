// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * Two facts that must outlive the agent and that neither the header nor the device-mapper can hold:
 * empty files beside the control socket, gone with the mapping or the next boot.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "agent.h"

static const char *const suffixes[MARKERS] = {
	[MARKER_DOWN] = "down",
	[MARKER_OPERATOR_LOCK] = "operator-lock",
};

static const char *path(const struct cmk_config *cfg, const char *volume, enum marker m,
			char buf[PATH_MAX])
{
	const char *slash = strrchr(cfg->socket, '/');

	snprintf(buf, PATH_MAX, "%.*s/%s.%s", slash ? (int)(slash - cfg->socket) : 1,
		 slash ? cfg->socket : ".", volume, suffixes[m]);
	return buf;
}

int marker_set(const struct cmk_config *cfg, const char *volume, enum marker m)
{
	char buf[PATH_MAX];
	int fd = open(path(cfg, volume, m, buf), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

void marker_clear(const struct cmk_config *cfg, const char *volume, enum marker m)
{
	char buf[PATH_MAX];

	unlink(path(cfg, volume, m, buf));
}

bool marker_test(const struct cmk_config *cfg, const char *volume, enum marker m)
{
	char buf[PATH_MAX];

	return access(path(cfg, volume, m, buf), F_OK) == 0;
}
