// SPDX-License-Identifier: GPL-2.0
/*
 * Who waits for a change of state hears of it: by a device-mapper event, and by a uevent that says
 * what and why.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>

#include "dm.h"
#include "kselftest_harness.h"

#define SECTORS		2048ULL

FIXTURE(events)
{
	int sock;
};

FIXTURE_SETUP(events)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = 1 };

	t_remove_all();
	ASSERT_LT(0, t_key("cmk", "t:cmk", 1, 64));
	ASSERT_EQ(0, t_create("cmk", SECTORS, "cmk", "aes-xts-plain64 :64:cmk:t:cmk 0 %s 0",
			      T_RAM));
	self->sock = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	ASSERT_LE(0, self->sock);
	ASSERT_EQ(0, bind(self->sock, (struct sockaddr *)&addr, sizeof(addr)));
}

FIXTURE_TEARDOWN(events)
{
	close(self->sock);
	t_remove_all();
}

/* Does the uevent, a sequence of NUL-terminated strings, hold this one? */
static bool holds(const char *event, size_t size, const char *want)
{
	const char *p;

	for (p = event; p < event + size; p += strlen(p) + 1)
		if (!strcmp(p, want))
			return true;
	return false;
}

/* Wait for a uevent of the mapped disk with this state and reason. */
static bool heard(int sock, const char *state, const char *reason, unsigned int generation)
{
	char want_state[T_NAME_MAX], want_reason[T_NAME_MAX], want_generation[T_NAME_MAX];
	char want_dev[T_NAME_MAX], event[8192];
	struct pollfd p = { .fd = sock, .events = POLLIN };
	ssize_t n;

	snprintf(want_state, sizeof(want_state), "%s=%s", CMK_UEVENT_STATE, state);
	snprintf(want_reason, sizeof(want_reason), "%s=%s", CMK_UEVENT_REASON, reason);
	snprintf(want_generation, sizeof(want_generation), "%s=%u", CMK_UEVENT_GENERATION,
		 generation);
	snprintf(want_dev, sizeof(want_dev), "DEVNAME=dm-%d", t_minor("cmk"));
	while (poll(&p, 1, 2000) == 1) {
		n = recv(sock, event, sizeof(event) - 1, 0);
		if (n <= 0)
			return false;
		event[n] = '\0';
		if (holds(event, n, "ACTION=change") && holds(event, n, want_state) &&
		    holds(event, n, want_reason) && holds(event, n, want_generation) &&
		    holds(event, n, want_dev))
			return true;
	}
	return false;
}

static bool counted(uint32_t before)
{
	unsigned int i;

	for (i = 0; i < 200 && t_event_nr("cmk") == before; i++)
		t_sleep_ms(10);
	return t_event_nr("cmk") != before;
}

/* A line of the kernel's log with both words. */
static bool logged(const char *one, const char *two)
{
	static char log[1 << 18];
	int n = klogctl(3 /* SYSLOG_ACTION_READ_ALL */, log, sizeof(log) - 1);
	char *line, *save = NULL;

	log[n > 0 ? n : 0] = '\0';
	for (line = strtok_r(log, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (strstr(line, one) && strstr(line, two))
			return true;
	return false;
}

TEST_F(events, a_revocation_raises_a_uevent_a_dm_event_and_a_log_line)
{
	uint32_t before = t_event_nr("cmk");

	ASSERT_EQ(0, t_message("cmk", "revoke for.the.event"));
	EXPECT_TRUE(heard(self->sock, CMK_STATE_INACCESSIBLE, "for.the.event", 1));
	EXPECT_TRUE(counted(before));
	EXPECT_TRUE(logged("cmk: ", "inaccessible, reason for.the.event"));
}

TEST_F(events, the_end_of_a_lease_raises_them)
{
	uint32_t before = t_event_nr("cmk");

	ASSERT_EQ(0, t_message("cmk", "lease 100"));
	EXPECT_TRUE(heard(self->sock, CMK_STATE_INACCESSIBLE, CMK_REASON_LEASE, 1));
	EXPECT_TRUE(counted(before));
}

TEST_F(events, a_new_key_raises_them)
{
	uint32_t before;

	ASSERT_EQ(0, t_message("cmk", "revoke"));
	ASSERT_TRUE(heard(self->sock, CMK_STATE_INACCESSIBLE, CMK_REASON_REVOKED, 1));
	t_sleep_ms(100);
	before = t_event_nr("cmk");
	ASSERT_LT(0, t_key("cmk", "t:cmk", 1, 64));
	ASSERT_EQ(0, t_message("cmk", "key :64:cmk:t:cmk"));
	EXPECT_TRUE(heard(self->sock, CMK_STATE_AVAILABLE, CMK_REASON_NONE, 2));
	EXPECT_TRUE(counted(before));
}

TEST_F(events, a_live_swap_raises_them)
{
	uint32_t before = t_event_nr("cmk");

	ASSERT_LT(0, t_key("cmk", "t:cmk", 1, 64));
	ASSERT_EQ(0, t_message("cmk", "key :64:cmk:t:cmk"));
	EXPECT_TRUE(heard(self->sock, CMK_STATE_AVAILABLE, CMK_REASON_NONE, 2));
	EXPECT_TRUE(counted(before));
}

TEST_F(events, a_renewal_of_the_lease_is_no_event)
{
	uint32_t before = t_event_nr("cmk");

	ASSERT_EQ(0, t_message("cmk", "lease 60000"));
	t_sleep_ms(200);
	EXPECT_EQ(before, t_event_nr("cmk"));
}

TEST_F(events, an_audit_record_is_written)
{
	ASSERT_EQ(0, t_message("cmk", "revoke"));
	t_sleep_ms(300);
	EXPECT_TRUE(logged("type=1339", "module=cmk op=inaccessible"));
}

TEST_HARNESS_MAIN
