// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * "Authenticate against Azure resources with Azure Arc-enabled servers": the first request is
 * answered by 401 and the path of a key file, the second brings the file's content. Whoever listens
 * on that port must not have any other file.
 */
#include "arc.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "challenge.h"
#include "common/secret.h"

#define ARC_URL                                                                                    \
	"http://127.0.0.1:40342/metadata/identity/oauth2/token?api-version=2020-06-01&resource="
#define KEY_DIRECTORY "/var/opt/azcmagent/tokens/"
#define KEY_SUFFIX    ".key"
#define KEY_BYTES_MAX 4096

static int fill(const struct token_wish *wish, struct http_request *rq)
{
	rq->metadata = true;
	snprintf(rq->url, sizeof(rq->url), "%s", ARC_URL);
	return token_source_escape(rq->url, sizeof(rq->url), wish->resource) ? 0 : -EINVAL;
}

int arc_first(struct token_source *s, const struct cmk_kms_config *c, const struct token_wish *wish,
	      struct http_request *rq)
{
	(void)s;
	(void)c;
	return fill(wish, rq);
}

bool arc_is_key_path(const char *path)
{
	size_t len = strlen(path), dir = strlen(KEY_DIRECTORY), suffix = strlen(KEY_SUFFIX);

	return len > dir + suffix && strncmp(path, KEY_DIRECTORY, dir) == 0 &&
	       !strchr(path + dir, '/') && path[dir] != '.' &&
	       strcmp(path + len - suffix, KEY_SUFFIX) == 0;
}

/* "Basic <the file's content>" */
static int read_key(const char *path, char **authorization)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	static const char scheme[] = "Basic ";
	char *text;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > KEY_BYTES_MAX)
		return -EINVAL;
	text = wiping_malloc(sizeof(scheme) + KEY_BYTES_MAX);
	if (!text)
		return -ENOMEM;
	memcpy(text, scheme, strlen(scheme));
	n = read(fd, text + strlen(scheme), KEY_BYTES_MAX);
	text[strlen(scheme) + (n > 0 ? n : 0)] = '\0';
	/* one line of a header, and nothing that would begin another */
	text[strcspn(text, "\r\n")] = '\0';
	if (n <= 0 || strlen(text) <= strlen(scheme)) {
		wiping_free(text);
		return -EINVAL;
	}
	*authorization = text;
	return 0;
}

int arc_next(struct token_source *s, const struct cmk_kms_config *c, const struct token_wish *wish,
	     const struct http_answer *an, struct http_request *rq)
{
	char path[256];
	int r;

	(void)c;
	if (s->step > 0 || an->status != 401)
		return 0;
	for (size_t i = 0; i < an->n_challenges; i++) {
		r = challenge_realm(an->challenge[i], path, sizeof(path));
		if (r == -ENOENT)
			continue;
		if (r < 0 || !arc_is_key_path(path)) {
			s->why = "the Arc agent names a file that is not one of its keys";
			return -EINVAL;
		}
		r = read_key(path, &s->text);
		s->why = "the Arc agent's key cannot be read: is the worker's user in the group "
			 "himds?";
		if (r == 0)
			r = fill(wish, rq);
		rq->authorization = s->text;
		return r < 0 ? r : 1;
	}
	return 0;
}
