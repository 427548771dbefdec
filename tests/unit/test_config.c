// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* cmk.conf: what is accepted and what it becomes; and, for each way to get it wrong, the line and
 * the words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/config.h"

#define VOLUME "[volume data]\ndevice=/dev/sdb\n"

static char path[] = "/tmp/test_config.XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static int load_bytes(const void *text, size_t len, struct cmk_config **cfg, struct cmk_error *err)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	memset(err, 0, sizeof(*err));
	return cmk_config_load(path, cfg, err);
}

static int load(const char *text, struct cmk_config **cfg, struct cmk_error *err)
{
	return load_bytes(text, strlen(text), cfg, err);
}

static void defaults(void **state)
{
	struct cmk_config *cfg;
	struct cmk_error err;

	(void)state;
	assert_int_equal(load("", &cfg, &err), 0);
	assert_int_equal(cfg->probe_interval_ms, 60000);
	assert_int_equal(cfg->probe_jitter_percent, 10);
	assert_int_equal(cfg->lease_ms, 600000);
	assert_int_equal(cfg->confirm_after_ms, 5000);
	assert_int_equal(cfg->lock_budget_ms, 60000);
	assert_string_equal(cfg->socket, "/run/cmk/agent.sock");
	assert_string_equal(cfg->kms_path, "/usr/lib/cmk/cmk-kms");
	assert_string_equal(cfg->kms_user, "cmk-kms");
	assert_string_equal(cfg->api_version, "7.4");
	assert_string_equal(cfg->imds, "http://169.254.169.254");
	assert_int_equal(cfg->connect_timeout_ms, 5000);
	assert_int_equal(cfg->total_timeout_ms, 20000);
	assert_int_equal(cfg->n_vaults, 0);
	assert_int_equal(cfg->n_volumes, 0);
	cmk_config_free(cfg);
}

static void everything(void **state)
{
	static const char text[] =
		"\xef\xbb\xbf# comment\n; another\n[agent]\r\n  probe_interval = "
		"3s\n\tprobe_jitter=0\n"
		"lease = 20s ; inline\nconfirm_after=500ms\nlock_budget=5s\nsocket=/run/x.sock\n\n"
		"[kms]\nvaults = Contoso.vault.azure.net  "
		"*.managedhsm.azure.net\nvaults=third.vault.azure.net\n"
		"ca_file=/etc/ca.pem\nproxy=http://[fd00::1]:3128\napi_version=2025-07-01\n"
		"imds=http://127.0.0.1:8080\nconnect_timeout=1s\ntotal_timeout=1min\nuser=nobody\n"
		"worker=/opt/cmk-kms\nvault_suffix=vault.example.net\n"
		"[volume a-very-long-name-which-the-library-would-cut-at-forty-nine-characters]\n"
		"device=UUID=0A1B2C3D-0000-4000-8000-00000000abcd\n"
		"mount=/srv/data\nmount_options=noatime,nodev\nunits=postgresql@15-main.service "
		"a.socket\n"
		"units=b.service\non_lock=immediate\non_inaccessible=queue\ndiscards=yes\nlease="
		"1h\n"
		"[volume b]\ndevice=/dev/disk/by-id/x\n";
	const struct cmk_volume_config *v;
	struct cmk_suffix suffix;
	struct cmk_config *cfg;
	struct cmk_error err;

	(void)state;
	assert_int_equal(load(text, &cfg, &err), 0);
	assert_int_equal(cfg->probe_interval_ms, 3000);
	assert_int_equal(cfg->probe_jitter_percent, 0);
	assert_int_equal(cfg->lease_ms, 20000);
	assert_int_equal(cfg->n_vaults, 3);
	assert_string_equal(cfg->vaults[0], "contoso.vault.azure.net");
	assert_string_equal(cfg->vaults[2], "third.vault.azure.net");
	assert_ptr_equal(cmk_config_suffix(cfg, &suffix), &suffix);
	assert_string_equal(suffix.suffix, ".vault.example.net");
	assert_int_equal(suffix.store, CMK_STORE_VAULT);
	assert_int_equal(cfg->n_volumes, 2);
	v = cmk_config_volume(
		cfg, "a-very-long-name-which-the-library-would-cut-at-forty-nine-characters");
	assert_non_null(v);
	assert_string_equal(v->device, "UUID=0a1b2c3d-0000-4000-8000-00000000abcd");
	assert_string_equal(v->mount, "/srv/data");
	assert_string_equal(v->mount_options, "noatime,nodev");
	assert_int_equal(v->n_units, 3);
	assert_string_equal(v->units[0], "postgresql@15-main.service");
	assert_string_equal(v->units[2], "b.service");
	assert_int_equal(v->on_lock, CMK_LOCK_IMMEDIATE);
	assert_int_equal(v->on_inaccessible, CMK_INACCESSIBLE_QUEUE);
	assert_true(v->allow_discards);
	assert_int_equal(v->lease_ms, 3600000);
	v = cmk_config_volume(cfg, "b");
	assert_non_null(v);
	assert_int_equal(v->lease_ms, 20000);
	assert_false(v->allow_discards);
	assert_null(cmk_config_volume(cfg, "c"));
	cmk_config_free(cfg);
}

/* @line: 0 where the error is of the whole file. @word: what it must name. */
static const struct {
	const char *text;
	int line;
	const char *word;
} wrong[] = {
	{ "x=1\n", 1, "before the first section" },
	{ "[agent]\nx=1\n", 2, "unknown key `x` in [agent]" },
	{ "[Agent]\n", 1, "[volume NAME]" },
	{ "\n[empty]\n\n", 2, "unknown section [empty]" },
	{ "[agent\nlease=1h\n", 1, "alone on its line" },
	{ "[agent] lease=1h\n", 1, "alone on its line" },
	{ "[agent]\nlease\n", 2, "neither" },
	{ "[agent]\n=5\n", 2, "neither" },
	{ "[agent]\nlease: 5s\n", 2, "neither" },
	{ "[agent]\nlease = \n", 2, "5s to 168h" },
	{ "[agent]\nlease = 4s\n", 2, "5s to 168h" },
	{ "[agent]\nlease = 169h\n", 2, "5s to 168h" },
	{ "[agent]\nlease = 10 min\n", 2, "5s to 168h" },
	{ "[agent]\nlease = -5s\n", 2, "5s to 168h" },
	{ "[agent]\nlease = 99999999999999999999s\n", 2, "5s to 168h" },
	{ "[agent]\nlease=1h\nlease=1h\n", 3, "`lease` is given twice" },
	{ "[agent]\nprobe_interval=500ms\n", 2, "1s to 1h" },
	{ "[agent]\nprobe_jitter=51\n", 2, "0 to 50" },
	{ "[agent]\nprobe_jitter=5%\n", 2, "0 to 50" },
	{ "[agent]\nprobe_jitter=4294967297\n", 2, "0 to 50" },
	{ "[agent]\nsocket=run/x\n", 2, "absolute path" },
	{ "[agent]\nlease=1min\n", 0, "two probe intervals" },
	{ "[agent]\nlease=2min\n", 0, "`lock_budget`" },
	{ "[kms]\nvaults=\n", 2, "host names" },
	{ "[kms]\nvaults=contoso\n", 2, "host names" },
	{ "[kms]\nvaults=https://contoso.vault.azure.net\n", 2, "host names" },
	{ "[kms]\nvaults=*\n", 2, "host names" },
	{ "[kms]\nvaults=a.*.net\n", 2, "host names" },
	{ "[kms]\nvaults=a..net\n", 2, "host names" },
	{ "[kms]\nca_file=ca.pem\n", 2, "absolute path" },
	{ "[kms]\nproxy=https://proxy:1\n", 2, "http://HOST:PORT" },
	{ "[kms]\nproxy=http://user:secret@proxy:1\n", 2, "http://HOST:PORT" },
	{ "[kms]\nproxy=http://proxy:0\n", 2, "http://HOST:PORT" },
	{ "[kms]\nimds=https://169.254.169.254\n", 2, "link-local" },
	{ "[kms]\nimds=http://10.0.0.1\n", 2, "link-local" },
	{ "[kms]\nimds=http://localhost\n", 2, "link-local" },
	{ "[kms]\nimds=http://127.0.0.1/x\n", 2, "link-local" },
	{ "[kms]\nimds=http://[2001:db8::1]\n", 2, "link-local" },
	{ "[kms]\napi_version=latest\n", 2, "2025-07-01" },
	{ "[kms]\napi_version=7.4&x=1\n", 2, "2025-07-01" },
	{ "[kms]\nuser=a b\n", 2, "user's name" },
	{ "[kms]\nworker=cmk-kms\n", 2, "absolute path" },
	{ "[kms]\nvault_suffix=.a.net\nmhsm_suffix=.b.net\n", 0, "only one" },
	{ "[volume]\ndevice=/dev/sdb\n", 1, "unknown section [volume]" },
	{ "[volume ]\ndevice=/dev/sdb\n", 1, "cannot be a volume's name" },
	{ "[volume a/b]\n", 1, "cannot be a volume's name" },
	{ "[volume ..]\n", 1, "cannot be a volume's name" },
	{ "[volume control]\n", 1, "cannot be a volume's name" },
	{ "\n[volume data]\nmount=/x\n[agent]\n", 2, "no `device`" },
	{ "\n[volume data]\nmount=/x\n", 2, "no `device`" },
	{ VOLUME "[volume b]\n", 3, "[volume b] has no `device`" },
	{ VOLUME VOLUME, 3, "is there twice" },
	{ VOLUME "[volume b]\ndevice=/dev/sdb\n", 0, "`device` is [volume data]'s" },
	{ VOLUME "mount=/x\n[volume b]\ndevice=/dev/sdc\nmount=/x\n", 0,
	  "`mount` is [volume data]'s" },
	{ VOLUME "mount=/\n", 3, "other than /" },
	{ VOLUME "mount=/a/../b\n", 3, "other than /" },
	{ VOLUME "mount=/a//b\n", 3, "other than /" },
	{ VOLUME "mount=/a/\n", 3, "other than /" },
	{ VOLUME "mount_options=ro\n", 0, "without `mount`" },
	{ VOLUME "mount=/x\nmount_options=-o x\n", 4, "no spaces" },
	{ VOLUME "units=postgresql\n", 3, "systemd units" },
	{ VOLUME "units=--force.service\n", 3, "systemd units" },
	{ VOLUME "units=a/b.service\n", 3, "systemd units" },
	{ VOLUME "on_lock=later\n", 3, "orderly or immediate" },
	{ VOLUME "on_inaccessible=wait\n", 3, "error or queue" },
	{ VOLUME "discards=true\n", 3, "yes or no" },
	{ VOLUME "lease=1min\n", 0, "[volume data]: `lease`" },
	{ VOLUME "vaults=a.b\n", 3, "unknown key `vaults` in [volume]" },
	{ "[volume data]\ndevice=sdb\n", 2, "LUKS UUID" },
	{ "[volume data]\ndevice=UUID=123\n", 2, "LUKS UUID" },
	{ "[volume data]\ndevice=LABEL=x\n", 2, "LUKS UUID" },
	{ "[agent]\n# \x1b[31m\n", 2, "control character" },
	/* the first of two errors is the one that is told */
	{ "[agent]\nnonsense\n[kms]\nx=1\n", 2, "neither" },
};

static void refused(void **state)
{
	struct cmk_config *cfg;
	struct cmk_error err;
	char where[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		if (load(wrong[i].text, &cfg, &err) != -EINVAL)
			fail_msg("accepted: %s", wrong[i].text);
		if (wrong[i].line)
			snprintf(where, sizeof(where), "%s:%d: ", path, wrong[i].line);
		else
			snprintf(where, sizeof(where), "%s: ", path);
		if (strncmp(err.text, where, strlen(where)) != 0 ||
		    !strstr(err.text, wrong[i].word))
			fail_msg("%s\nis told as: %s", wrong[i].text, err.text);
		assert_int_equal(err.exit, CMK_EXIT_USAGE);
	}
}

static void long_and_binary_lines(void **state)
{
	static const char nul[] = "[agent]\nle\0ase=5s\n";
	struct cmk_config *cfg;
	struct cmk_error err;
	char text[4096];

	(void)state;
	snprintf(text, sizeof(text), "[kms]\nvaults = %0250d.vault.azure.net\n", 0);
	assert_int_equal(load(text, &cfg, &err), -EINVAL);
	assert_non_null(strstr(err.text, ":2: longer than"));
	assert_int_equal(load_bytes(nul, sizeof(nul) - 1, &cfg, &err), -EINVAL);
	assert_non_null(strstr(err.text, ":2: not text: a NUL character in column 3"));
	snprintf(text, sizeof(text), "[volume %0128d]\ndevice=/dev/sdb\n", 0);
	assert_int_equal(load(text, &cfg, &err), -EINVAL);
	assert_non_null(strstr(err.text, ":1: "));
	snprintf(text, sizeof(text), "[volume %0127d]\ndevice=/dev/sdb", 0);
	assert_int_equal(load(text, &cfg, &err), 0);
	assert_int_equal(strlen(cfg->volumes[0].name), 127);
	cmk_config_free(cfg);
}

static void too_many(void **state)
{
	char text[8192] = "[kms]\n";
	struct cmk_config *cfg;
	struct cmk_error err;

	(void)state;
	for (int i = 0; i < CMK_MAX_VAULTS + 1; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "vaults=v%d.vault.azure.net\n", i);
	assert_int_equal(load(text, &cfg, &err), -EINVAL);
	assert_non_null(strstr(err.text, ":66: `vaults` has too much in it"));
	snprintf(text, sizeof(text), VOLUME);
	for (int i = 0; i < CMK_MAX_UNITS + 1; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "units=u%d.service\n",
			 i);
	assert_int_equal(load(text, &cfg, &err), -EINVAL);
	assert_non_null(strstr(err.text, ":19: `units` has too much in it"));
}

static void untrusted_file(void **state)
{
	struct cmk_config *cfg;
	struct cmk_error err;

	(void)state;
	assert_int_equal(load("", &cfg, &err), 0);
	cmk_config_free(cfg);
	chmod(path, 0620);
	assert_int_equal(load("", &cfg, &err), -EACCES);
	assert_int_equal(err.exit, CMK_EXIT_PERMISSION);
	chmod(path, 0602);
	assert_int_equal(load("", &cfg, &err), -EACCES);
	chmod(path, 0644);
	memset(&err, 0, sizeof(err));
	assert_int_equal(cmk_config_load("/nonexistent/cmk.conf", &cfg, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nonexistent/cmk.conf"));
	memset(&err, 0, sizeof(err));
	assert_int_equal(cmk_config_load("/tmp", &cfg, &err), -EINVAL);
	assert_non_null(strstr(err.text, "not a regular file"));
}

static void pins(void **state)
{
	static const struct {
		const char *host;
		bool allowed;
	} hosts[] = {
		{ "contoso.vault.azure.net", true },	{ "fabrikam.vault.azure.net", false },
		{ "a.managedhsm.azure.net", true },	{ "a.b.managedhsm.azure.net", false },
		{ "managedhsm.azure.net", false },	{ "amanagedhsm.azure.net", false },
		{ "x.contoso.vault.azure.net", false },
	};
	struct cmk_config *cfg;
	struct cmk_keyid id = { .store = CMK_STORE_VAULT };
	struct cmk_error err;

	(void)state;
	assert_int_equal(
		load("[kms]\nvaults=contoso.vault.azure.net *.managedhsm.azure.net", &cfg, &err),
		0);
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		snprintf(id.host, sizeof(id.host), "%s", hosts[i].host);
		if (cmk_config_vault_allowed(cfg, &id) != hosts[i].allowed)
			fail_msg("%s", hosts[i].host);
	}
	cmk_config_free(cfg);
	assert_int_equal(load("", &cfg, &err), 0);
	assert_false(cmk_config_vault_allowed(cfg, &id));
	cmk_config_free(cfg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults), cmocka_unit_test(everything),
		cmocka_unit_test(refused),  cmocka_unit_test(long_and_binary_lines),
		cmocka_unit_test(too_many), cmocka_unit_test(untrusted_file),
		cmocka_unit_test(pins),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
