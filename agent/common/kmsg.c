// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* Reads /dev/kmsg, whose format is in the kernel's Documentation/ABI/testing/dev-kmsg. */
#include "kmsg.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define RECORD_MAX 8192

int cmk_kmsg_mark(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0 && lseek(fd, 0, SEEK_END) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

char *cmk_kmsg_find(int fd, const char *word, char *text, size_t len)
{
	char record[RECORD_MAX];
	ssize_t n;

	text[0] = '\0';
	/* one record a read; EPIPE: some were overwritten meanwhile, the next read goes on after
	 * them */
	while (fd >= 0 &&
	       ((n = read(fd, record, sizeof(record) - 1)) > 0 || (n < 0 && errno == EPIPE))) {
		const char *p;

		record[n < 0 ? 0 : n] = '\0';
		p = strchr(record, ';');
		p = p ? strstr(p, word) : NULL;
		if (p)
			snprintf(text, len, "%.*s", (int)strcspn(p + strlen(word), "\n"),
				 p + strlen(word));
	}
	return text;
}
