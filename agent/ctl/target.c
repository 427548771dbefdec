// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* What a person means by a word: a device's path, a UUID, or a volume's name. */
#include <stdio.h>
#include <string.h>

#include "ctl.h"

/* The device of a volume's name: where it is mapped, or where cmk.conf says it is. */
static int device_of_name(struct ctl *c, const char *name, char *device, size_t len)
{
	const struct cmk_volume_config *v = cmk_config_volume(c->cfg, name);
	struct cmk_dm_device dev;

	if (cmk_dm_info(name, &dev, NULL) == 0) {
		snprintf(device, len, "%s", dev.lower);
		return 0;
	}
	if (!v)
		return cmk_error_set(&c->err, CMK_EXIT_DEVICE, -ENODEV,
				     "Name a device by its path, or a volume of `cmkctl list`.",
				     "volume %s: neither open nor in %s", name,
				     c->config_path ? c->config_path : CMK_CONFIG_PATH);
	snprintf(device, len, "%s", v->device);
	return 0;
}

int ctl_header(struct ctl *c, const char *spec, struct cmk_header *h)
{
	char device[256], path[256];
	int r = 0;

	if ((size_t)snprintf(device, sizeof(device), "%s", spec) >= sizeof(device))
		return cmk_error_set(&c->err, CMK_EXIT_USAGE, -ENAMETOOLONG, NULL,
				     "%.64s...: too long", spec);
	if (!strchr(spec, '/') && strncmp(spec, "UUID=", 5) != 0)
		r = device_of_name(c, spec, device, sizeof(device));
	if (r == 0)
		r = cmk_luks_resolve(device, path, sizeof(path), &c->err);
	return r < 0 ? r : cmk_luks_load(path, c->suffix, h, &c->err);
}

int ctl_mapping(struct ctl *c, const char *name, struct cmk_dm_device *dev)
{
	return cmk_dm_info(name, dev, &c->err);
}
