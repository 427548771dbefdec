// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The control socket's client against agents that answer, refuse, hang, break off, and talk
 * nonsense. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "common/control.h"
#include "common/timeutil.h"

static char dir[] = "/tmp/test_control.XXXXXX";
static char path[64];

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/agent.sock", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static int listen_at_path(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	unlink(path);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

/* An agent that reads a line, says @answer in pieces, and closes; with @answer NULL it never says
 * anything. */
static pid_t start_agent(const char *answer, int fd)
{
	pid_t pid = fork();
	char c = 0;
	int client;

	if (pid != 0) {
		close(fd);
		return pid;
	}
	alarm(20);
	client = accept(fd, NULL, NULL);
	while (c != '\n' && read(client, &c, 1) == 1)
		;
	if (!answer)
		pause();
	for (size_t len = strlen(answer); len;) {
		ssize_t n = write(client, answer, len > 7 ? 7 : len);

		if (n < 0)
			break;
		answer += n;
		len -= n;
	}
	_exit(0);
}

static int call(const char *answer, int64_t timeout_ms, cJSON **out, struct cmk_error *err)
{
	cJSON *request = cJSON_CreateObject();
	pid_t pid = start_agent(answer, listen_at_path());
	int r;

	memset(err, 0, sizeof(*err));
	cJSON_AddStringToObject(request, "op", "status");
	r = cmk_control_call(path, request, timeout_ms, out, err);
	cJSON_Delete(request);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return r;
}

static void answers(void **state)
{
	struct cmk_error err;
	cJSON *answer;

	(void)state;
	assert_int_equal(call("{\"volumes\":[{\"volume\":\"data\"}]}\n", 5000, &answer, &err), 0);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(answer, "volumes")), 1);
	cJSON_Delete(answer);
	/* a volume's own error is no refusal */
	assert_int_equal(call("{\"volume\":\"data\",\"error\":\"\"}\n", 5000, &answer, &err), 0);
	cJSON_Delete(answer);
	/* the end of the connection ends the line too */
	assert_int_equal(call("{\"volumes\":[]}", 5000, &answer, &err), 0);
	cJSON_Delete(answer);
}

static void long_answer(void **state)
{
	size_t len = 300000;
	char *text = malloc(len + 64);
	struct cmk_error err;
	cJSON *answer;
	int n;

	(void)state;
	assert_non_null(text);
	n = sprintf(text, "{\"x\":\"");
	memset(text + n, 'a', len);
	strcpy(text + n + len, "\"}\n");
	assert_int_equal(call(text, 20000, &answer, &err), 0);
	assert_int_equal(strlen(cJSON_GetObjectItem(answer, "x")->valuestring), len);
	cJSON_Delete(answer);
	free(text);
}

static void refusals(void **state)
{
	static const struct {
		const char *answer;
		int r;
		enum cmk_exit exit;
		const char *word, *remedy;
	} cases[] = {
		{ "{\"error\":\"no\",\"exit\":5,\"remedy\":\"wait\"}\n", -EREMOTEIO, CMK_EXIT_BUSY,
		  "no", "wait" },
		{ "{\"error\":\"no\",\"exit\":0}\n", -EREMOTEIO, CMK_EXIT_DEVICE, "no", "" },
		{ "{\"error\":\"no\",\"exit\":\"5\"}\n", -EREMOTEIO, CMK_EXIT_DEVICE, "no", "" },
		{ "{\"error\":7,\"exit\":4}\n", -EREMOTEIO, CMK_EXIT_DEVICE, "without a reason",
		  "" },
		{ "", -EPROTO, CMK_EXIT_UNREACHABLE, "without an answer", "journalctl" },
		{ "{\"volumes\":[", -EPROTO, CMK_EXIT_UNREACHABLE, "without an answer",
		  "journalctl" },
		{ "[]\n", -EPROTO, CMK_EXIT_UNREACHABLE, "without an answer", "journalctl" },
		{ "{} {}\n", -EPROTO, CMK_EXIT_UNREACHABLE, "without an answer", "journalctl" },
	};
	struct cmk_error err;
	cJSON *answer;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(call(cases[i].answer, 5000, &answer, &err), cases[i].r);
		assert_int_equal(err.exit, cases[i].exit);
		if (!strstr(err.text, cases[i].word) || !strstr(err.remedy, cases[i].remedy))
			fail_msg("%s: %s / %s", cases[i].answer, err.text, err.remedy);
	}
}

static void hangs(void **state)
{
	int64_t start_ms = boottime_ms(), took_ms;
	struct cmk_error err;
	cJSON *answer;

	(void)state;
	assert_int_equal(call(NULL, 300, &answer, &err), -ETIMEDOUT);
	took_ms = boottime_ms() - start_ms;
	assert_in_range(took_ms, 300, 5000);
	assert_int_equal(err.exit, CMK_EXIT_UNREACHABLE);
}

static void no_agent(void **state)
{
	cJSON *request = cJSON_CreateObject(), *answer;
	struct cmk_error err = { 0 };

	(void)state;
	unlink(path);
	assert_int_equal(cmk_control_call(path, request, 1000, &answer, &err), -ENOENT);
	assert_int_equal(err.exit, CMK_EXIT_UNREACHABLE);
	assert_non_null(strstr(err.remedy, "systemctl start cmk-agent"));
	close(listen_at_path());
	memset(&err, 0, sizeof(err));
	assert_int_equal(cmk_control_call(path, request, 1000, &answer, &err), -ECONNREFUSED);
	assert_non_null(strstr(err.text, path));
	cJSON_Delete(request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),  cmocka_unit_test(long_answer),
		cmocka_unit_test(refusals), cmocka_unit_test(hangs),
		cmocka_unit_test(no_agent),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
