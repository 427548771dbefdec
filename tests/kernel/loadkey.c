// SPDX-License-Identifier: GPL-2.0
/*
 * Adds a cmk key whose payload lies in the first sector of a disk, and leaves no copy of it in this
 * process or in the page cache. Usage: loadkey DISK DESCRIPTION
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>

#include <keyutils.h>

#include "dm.h"

int main(int argc, char **argv)
{
	void *sector = t_alloc(4096, 1);
	int fd, serial;

	if (argc != 3)
		return 2;
	fd = t_open(argv[1], O_RDONLY);
	if (fd < 0 || t_pread(fd, sector, 4096, 0))
		return 1;
	serial = add_key("cmk", argv[2], sector, CMK_KEY_BYTES_256, KEY_SPEC_SESSION_KEYRING);
	explicit_bzero(sector, 4096);
	if (serial < 0 || keyctl_setperm(serial, KEY_POS_ALL | KEY_USR_ALL))
		return 1;
	printf("%d\n", serial);
	return 0;
}
