/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What cmk-agent's files share: the agent, its volumes and groups, and the functions by which they
 * call each other, file by file. All of it belongs to the one event loop.
 */
#ifndef CMK_AGENT_H
#define CMK_AGENT_H

#include <systemd/sd-event.h>

#include "common/config.h"
#include "common/crypto.h"
#include "common/dm.h"
#include "common/timeutil.h"
#include "common/token.h"
#include "common/worker.h"
#include "job.h"
#include "policy.h"
#include "reason.h"
#include "schedule.h"

#define CMK_VERSION "0.1"

struct agent;
struct client;

enum probe_step {
	PROBE_IDLE,
	PROBE_GET,    /* GET of the key is under way, or waits for the worker to take it */
	PROBE_UNWRAP, /* so is the unwrap of the challenge */
};

struct probe {
	enum probe_step step;
	uint32_t id; /* of the request, 0: not sent yet */
	bool fresh_token;
	int64_t started_ms; /* boottime */
	int64_t sent_ms;    /* boottime before the unwrap was sent: the time of the proof */
	struct secret challenge;
};

/* A KEK and the identity it is reached with: one probe for all their volumes. */
struct group {
	struct group *next;
	struct agent *agent;
	struct cmk_keyid kek;
	struct cmk_identity identity;
	struct cmk_public public;
	struct cmk_schedule schedule;
	struct probe probe;
	sd_event_source *timer; /* the next probe, or the end of patience with the one under way */
	struct cmk_judgement last; /* the last verdict */
	bool confirmed;
	int64_t last_at_s, proof_at_s; /* UTC of the last verdict, of the last proof; 0: none */
	int64_t proved_ms;	       /* boottime of the last proof */
	uint64_t started, finished;    /* probes so far */
	bool again, again_fresh;       /* one more probe as soon as this one ends */
};

/* A mapping of the target that is watched. */
struct volume {
	struct volume *next;
	struct agent *agent;
	struct cmk_dm_device dev;
	struct cmk_policy policy;
	struct group *group;	  /* NULL: the header is not read, or unfit: see trouble */
	struct cmk_error trouble; /* why there is no group; no text: not tried yet */
	char trouble_reason[CMK_REASON_BYTES];
	struct job *job;	    /* lock, unlock or release */
	struct cmk_error job_error; /* of the last one that ended; no text: it did all */
	struct job *header;	    /* reads the header */
	sd_event_source *timer;	    /* of the policy */
	uint64_t generation;
	uint64_t header_reads; /* so far */
	char progress[256];    /* what the job is doing */
	char logged[CMK_REASON_BYTES + CMK_ERROR_BYTES +
		    16]; /* the last line of the log, in short */
	bool releasing;	 /* the job is a release */
	bool forgotten;	 /* on request: not watched until it is adopted again */
	bool seen;	 /* by the scan under way */
	bool gone;	 /* to be freed */
};

/* The worker process. */
struct kms {
	struct cmk_worker *worker; /* NULL: none runs */
	sd_event_source *io;
	int64_t not_before_ms; /* boottime: no new worker before */
	int64_t backoff_ms;
};

struct server {
	int fd;
	sd_event_source *io, *check;
	struct client *clients;
	unsigned int n_clients;
};

struct agent {
	sd_event *event;
	const char *config_path;
	struct cmk_config *cfg;
	struct cmk_suffix suffix_room;
	struct jobs jobs;
	struct kms kms;
	struct server server;
	struct volume *volumes;
	struct group *groups;
	sd_event_source *uevents;
	sd_event_source *scan;	/* timer of the periodic scan */
	sd_event_source *sweep; /* frees what is gone, tells systemd the status */
	int64_t since_s;	/* UTC of the start */
	uint64_t probes;
	bool stopping; /* SIGTERM: only locks under way are carried to their end */
};

/* agent.c */
int agent_init(struct agent *a, struct cmk_error *err) _must_check_;
int agent_reload(struct agent *a, struct cmk_error *err) _must_check_;
/* Look at the device-mapper: adopt what is new, drop what is gone. */
void agent_scan(struct agent *a, bool at_start);
/* ... soon, once for many reasons. */
void agent_scan_soon(struct agent *a);
/* Have the sweep run once the events at hand are dealt with. */
void agent_sweep_soon(struct agent *a);
void agent_stop(struct agent *a);
void agent_free(struct agent *a);

/* volume.c */
struct volume *volume_find(struct agent *a, const char *name);
struct volume *volume_adopt(struct agent *a, const struct cmk_dm_device *dev);
/* Look at the kernel's status line now. */
void volume_refresh(struct volume *v);
void volume_event(struct volume *v, const struct cmk_event *ev);
void volume_gone(struct volume *v);
void volume_free(struct volume *v);
/* The kernel's lease, the budget and the rest, from the configuration in force. */
void volume_configure(struct volume *v);
/* The [volume] section, or defaults for a mapping that has none; @room is the caller's room for
 * these. */
const struct cmk_volume_config *volume_config(const struct volume *v,
					      struct cmk_volume_config *room);
/* Take services and mount down without touching the key, before it is closed. */
int volume_release(struct volume *v, struct cmk_error *err) _must_check_;

/* header.c */
void header_read(struct volume *v);

/* group.c */
void group_join(struct volume *v, const struct cmk_token *token);
void group_leave(struct volume *v);
void group_probe_now(struct group *g, bool fresh_token);
void group_verdict(struct group *g, const struct cmk_judgement *j, int64_t proved_ms);
void group_tell(const struct group *g, struct volume *v);
/* @g will ask again for the worker in @ms. */
void group_wait(struct group *g, int64_t ms);
void group_free(struct group *g);

/* probe.c */
void probe_start(struct group *g, bool fresh_token);
void probe_go_on(struct group *g);
void probe_answer(struct group *g, struct cmk_kms_answer *an);
void probe_fail(struct group *g, enum cmk_reason reason, const char *detail);
void probe_end(struct group *g);

/* kms.c */
int kms_send(struct agent *a, struct cmk_kms_request *rq, struct cmk_error *err) _must_check_;
/* End the worker; what it was asked fails. */
void kms_end(struct agent *a, const char *why);

/* lock.c, unlock.c: what runs in the job */
enum lock_step {
	STEP_TEXT,	 /* only what it is doing */
	STEP_KEY_LOADED, /* unlock: the mapping is Available */
};
struct lock_work {
	const struct volume *v;
	int64_t until_ms;   /* boottime: when it should be done */
	bool revoke;	    /* the kernel still has the key */
	bool release;	    /* for close: no force, an error if it is busy */
	bool services_only; /* unlock: the key is there */
};
int lock_run(struct job_channel *ch, const void *work, struct cmk_error *err);
int unlock_run(struct job_channel *ch, const void *work, struct cmk_error *err);

/* marker.c: what must outlive the agent and has no place in the kernel, as files beside the control
 * socket */
enum marker {
	MARKER_DOWN, /* the agent took mount and services down, and owes bringing them up */
	MARKER_OPERATOR_LOCK, /* locked by hand */
	MARKERS,
};
int marker_set(const struct cmk_config *cfg, const char *volume, enum marker m);
void marker_clear(const struct cmk_config *cfg, const char *volume, enum marker m);
bool marker_test(const struct cmk_config *cfg, const char *volume, enum marker m);

/* uevent.c */
int uevent_init(struct agent *a) _must_check_;

/* server.c */
int server_init(struct agent *a, struct cmk_error *err) _must_check_;
void server_free(struct agent *a);
/* Something about a volume changed: answer those who waited for it, once the events at hand are
 * dealt with. */
void server_volume_changed(struct volume *v);

/* report.c */
void report_volume(struct volume *v);
void report_probe(const struct group *g);
void report_error(const struct cmk_error *err);
void report(int priority, const char *fmt, ...) _printf_(2, 3);
/* sd_notify's STATUS= line */
void report_status(struct agent *a);

#endif
