// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * What the agent says: one line in the journal for each change of a volume's state, with fields;
 * systemd's STATUS. Without a journal (a terminal, another init) the same lines go to standard
 * error.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>

#include "status.h"

#define PROBE_MESSAGE "MESSAGE_ID=f0a4eb4d3c52496ba7b5f9b7a4d21e06"

/* How a state is told. The ids are documented in agent.md. */
static const struct telling {
	int priority;
	const char *id;
} tellings[CMK_VOLUME_STATES] = {
	[CMK_VOLUME_CLOSED] = { LOG_INFO, "MESSAGE_ID=5a1c86c7a5b84a5c9c0c5b1f4b7f1d01" },
	[CMK_VOLUME_AVAILABLE] = { LOG_NOTICE, "MESSAGE_ID=5a1c86c7a5b84a5c9c0c5b1f4b7f1d02" },
	[CMK_VOLUME_AT_RISK] = { LOG_WARNING, "MESSAGE_ID=5a1c86c7a5b84a5c9c0c5b1f4b7f1d03" },
	[CMK_VOLUME_LOCKING] = { LOG_ERR, "MESSAGE_ID=5a1c86c7a5b84a5c9c0c5b1f4b7f1d04" },
	[CMK_VOLUME_INACCESSIBLE] = { LOG_ERR, "MESSAGE_ID=5a1c86c7a5b84a5c9c0c5b1f4b7f1d05" },
	[CMK_VOLUME_UNLOCKING] = { LOG_NOTICE, "MESSAGE_ID=5a1c86c7a5b84a5c9c0c5b1f4b7f1d06" },
};

static bool has_journal(void)
{
	static int known = -1;

	if (known < 0)
		known = getenv("JOURNAL_STREAM") != NULL;
	return known;
}

void report(int priority, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (has_journal())
		sd_journal_send("PRIORITY=%d", priority, "MESSAGE=%s", text, NULL);
	else if (priority < LOG_DEBUG)
		fprintf(stderr, "cmk-agent: %s\n", text);
}

void report_error(const struct cmk_error *err)
{
	report(LOG_ERR, "%s%s%s", err->text, err->remedy[0] ? "; " : "", err->remedy);
}

/* "Inaccessible: KeyDisabled, since ..., deadline ...": what a person reads. */
static void volume_line(const struct volume *v, char *buf, size_t room)
{
	const struct cmk_policy *p = &v->policy;
	int64_t left = p->lease_end_ms == INT64_MAX ? -1 : p->lease_end_ms - boottime_ms();
	bool ok = !strcmp(p->reason, "OK");
	char deadline[64] = "", utc[32];

	if (p->state == CMK_VOLUME_AT_RISK && left >= 0)
		snprintf(deadline, sizeof(deadline), ", locks at the latest at %s",
			 utc_format(utc, sizeof(utc), realtime_s() + left / 1000));
	snprintf(buf, room, "%s: %s%s%s%s%s%s%s%s%s%s%s", v->dev.name,
		 p->state == CMK_VOLUME_UNLOCKING ? "unlocking" : cmk_state_name(p->state),
		 ok ? "" : ": ", ok ? "" : p->reason, deadline, p->detail[0] ? " (" : "", p->detail,
		 p->detail[0] ? ")" : "", p->error[0] ? "; failed: " : "", p->error,
		 ok ? "" : "; remedy: ", ok ? "" : status_remedy(v));
}

void report_volume(struct volume *v)
{
	const struct cmk_policy *p = &v->policy;
	const struct group *g = v->group;
	char line[2048], url[512] = "", now[sizeof(v->logged)];

	agent_sweep_soon(v->agent);
	/* One line a change: who looks at the log sees what happened, not how often it was looked
	 * at. */
	snprintf(now, sizeof(now), "%d %s %s", p->state, p->reason, p->error);
	if (!strcmp(now, v->logged))
		return;
	memcpy(v->logged, now, sizeof(now));
	volume_line(v, line, sizeof(line));
	if (!has_journal()) {
		fprintf(stderr, "cmk-agent: %s\n", line);
		return;
	}
	if (g)
		cmk_keyid_format(&g->kek, url, sizeof(url));
	sd_journal_send("PRIORITY=%d", tellings[p->state].priority, "MESSAGE=%s", line, "%s",
			tellings[p->state].id, "CMK_VOLUME=%s", v->dev.name, "CMK_UUID=%s",
			v->dev.uuid, "CMK_STATE=%s", cmk_state_name(p->state), "CMK_REASON=%s",
			p->reason, "CMK_DETAIL=%s", p->detail, "CMK_REMEDY=%s", status_remedy(v),
			"CMK_KEK=%s", url, "CMK_REQUEST_ID=%s", g ? g->last.request_id : "", NULL);
}

/* For whoever joins the vault's log with ours: every probe has its request id on record. */
void report_probe(const struct group *g)
{
	char url[512];

	if (!has_journal())
		return;
	cmk_keyid_format(&g->kek, url, sizeof(url));
	sd_journal_send("PRIORITY=%d", LOG_DEBUG, "MESSAGE=%s: %s (%s)", url,
			cmk_verdict_name(g->last.verdict), cmk_reason_name(g->last.reason),
			PROBE_MESSAGE, "CMK_KEK=%s", url, "CMK_REASON=%s",
			cmk_reason_name(g->last.reason), "CMK_REQUEST_ID=%s", g->last.request_id,
			"CMK_DETAIL=%s", g->last.detail, NULL);
}

void report_status(struct agent *a)
{
	unsigned int n = 0, in_state[CMK_VOLUME_STATES] = { 0 };
	char text[512], first[220] = "";
	const struct volume *v;
	int used;

	for (v = a->volumes; v; v = v->next) {
		enum cmk_state s = v->forgotten ? CMK_VOLUME_CLOSED : v->policy.state;

		n++;
		in_state[s == CMK_VOLUME_UNLOCKING ? CMK_VOLUME_INACCESSIBLE : s]++;
		if (s != CMK_VOLUME_AVAILABLE && s != CMK_VOLUME_CLOSED && !first[0])
			snprintf(first, sizeof(first), " (%s: %s)", v->dev.name, v->policy.reason);
	}
	used = snprintf(text, sizeof(text), "%u volume%s", n, n == 1 ? "" : "s");
	for (enum cmk_state s = 0; s < CMK_VOLUME_STATES; s++) {
		if (in_state[s])
			used += snprintf(text + used, sizeof(text) - used, "%s %u %s",
					 strchr(text, ':') ? "," : ":", in_state[s],
					 cmk_state_name(s));
	}
	sd_notifyf(0, "STATUS=%s%s", text, first);
}
