// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The demo's observer: what the kernel says of the mapping (state, reason, lease left), ten times a
 * second, and what the agent says of the volume over its control socket, each change of it. Usage:
 * watch MAPPING SOCKET; standard output gets events, JSON lines, see timeline.h.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <cjson/cJSON.h>
#include <libdevmapper.h>

#define SAMPLE_MS   100
#define AGENT_EVERY 3 /* samples between two questions to the agent */
#define ANSWER_MAX  65536

static int64_t boottime_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The status line of @name in @line, or "closed - 0 -" where there is no such mapping. */
static void kernel_status(const char *name, char *line, size_t len)
{
	struct dm_task *task = dm_task_create(DM_DEVICE_STATUS);
	struct dm_info info;
	uint64_t start, length;
	char *type = NULL, *params = NULL;

	snprintf(line, len, "closed - 0 -");
	if (!task)
		return;
	if (dm_task_set_name(task, name) && dm_task_no_flush(task) && dm_task_run(task) &&
	    dm_task_get_info(task, &info) && info.exists) {
		dm_get_next_target(task, NULL, &start, &length, &type, &params);
		if (type && params && !strcmp(type, "cmk"))
			snprintf(line, len, "%s", params);
	}
	dm_task_destroy(task);
}

static void sample_kernel(const char *name)
{
	char line[1024], state[32], reason[64], lease[32];
	unsigned int generation;

	kernel_status(name, line, sizeof(line));
	if (sscanf(line, "%31s %63s %u %31s", state, reason, &generation, lease) != 4)
		return;
	printf("{\"t\":%" PRId64
	       ",\"kind\":\"kernel\",\"state\":\"%s\",\"reason\":\"%s\",\"lease_ms\":%s,"
	       "\"generation\":%u}\n",
	       boottime_ms(), state, reason, strcmp(lease, "-") ? lease : "null", generation);
	fflush(stdout);
}

/* One question to the agent, one line of answer; NULL if there is no agent. */
static cJSON *ask_agent(const char *path)
{
	static const char question[] = "{\"op\":\"status\"}\n";
	static char answer[ANSWER_MAX];
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_usec = 500000 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t have = 0;
	ssize_t n = -1;

	if (fd < 0)
		return NULL;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)) &&
	    write(fd, question, sizeof(question) - 1) == (ssize_t)sizeof(question) - 1)
		while (have < sizeof(answer) - 1 &&
		       (n = read(fd, answer + have, sizeof(answer) - 1 - have)) > 0)
			have += (size_t)n;
	close(fd);
	answer[have] = '\0';
	return have ? cJSON_Parse(answer) : NULL;
}

static const char *member(const cJSON *object, const char *name)
{
	const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

	return value ? value : "";
}

static void sample_agent(const char *name, const char *path)
{
	static char before[256];
	char now[256] = "\"state\":\"NoAgent\",\"reason\":\"\"";
	cJSON *answer = ask_agent(path), *volume;

	if (answer) /* an agent that does not know the volume */
		snprintf(now, sizeof(now), "\"state\":\"Closed\",\"reason\":\"\"");
	cJSON_ArrayForEach(volume,
			   cJSON_GetObjectItemCaseSensitive(
				   answer, "volumes")) if (!strcmp(member(volume, "volume"), name))
		snprintf(now, sizeof(now), "\"state\":\"%.40s\",\"reason\":\"%.60s\"",
			 member(volume, "state"), member(volume, "reason"));
	cJSON_Delete(answer);
	if (strcmp(now, before))
		printf("{\"t\":%" PRId64 ",\"kind\":\"agent\",%s}\n", boottime_ms(), now);
	memcpy(before, now, sizeof(before));
	fflush(stdout);
}

static void quiet(int level, const char *file, int line, int dm_errno, const char *f, ...)
{
	(void)level, (void)file, (void)line, (void)dm_errno, (void)f;
}

int main(int argc, char **argv)
{
	struct timespec pause = { 0, SAMPLE_MS * 1000000L };

	if (argc != 3) {
		fprintf(stderr, "usage: watch MAPPING SOCKET\n");
		return 2;
	}
	dm_log_with_errno_init(quiet);
	for (unsigned int i = 0;; i++) {
		sample_kernel(argv[1]);
		if (i % AGENT_EVERY == 0)
			sample_agent(argv[1], argv[2]);
		nanosleep(&pause, NULL);
	}
}
