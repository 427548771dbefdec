// SPDX-License-Identifier: GPL-2.0
/*
 * Tells the world about a change of state: a log line, an audit record, a uevent and a
 * device-mapper event. Runs from a work item, as all of these may sleep; changes that follow each
 * other faster share one.
 */
#include <linux/audit.h>
#include <linux/blkdev.h>
#include <linux/kobject.h>

#include "cmk.h"

struct cmk_event {
	enum cmk_state state;
	char reason[CMK_REASON_MAX + 1];
	u64 generation;
};

static void cmk_event_uevent(struct mapped_device *md, const struct cmk_event *event)
{
	char state[sizeof(CMK_UEVENT_STATE) + sizeof(CMK_STATE_INACCESSIBLE)];
	char reason[sizeof(CMK_UEVENT_REASON) + CMK_REASON_MAX + 1];
	char generation[sizeof(CMK_UEVENT_GENERATION) + 20];
	char *envp[] = { state, reason, generation, NULL };

	snprintf(state, sizeof(state), "%s=%s", CMK_UEVENT_STATE, cmk_state_name(event->state));
	snprintf(reason, sizeof(reason), "%s=%s", CMK_UEVENT_REASON, event->reason);
	snprintf(generation, sizeof(generation), "%s=%llu", CMK_UEVENT_GENERATION,
		 event->generation);
	kobject_uevent_env(&disk_to_dev(dm_disk(md))->kobj, KOBJ_CHANGE, envp);
}

/**
 * cmk_event_work() - report the mapping's state
 * @work: cmk_dev.event_work
 */
void cmk_event_work(struct work_struct *work)
{
	struct cmk_dev *dev = container_of(work, struct cmk_dev, event_work);
	struct mapped_device *md = dm_table_get_md(dev->ti->table);
	struct cmk_event event;

	spin_lock_irq(&dev->lock);
	event.state = dev->state;
	event.generation = dev->generation;
	strscpy(event.reason, dev->reason, sizeof(event.reason));
	spin_unlock_irq(&dev->lock);

	if (event.state == CMK_AVAILABLE)
		DMINFO_LIMIT("%s: %s, generation %llu", dm_device_name(md),
			     cmk_state_name(event.state), event.generation);
	else
		DMWARN_LIMIT("%s: %s, reason %s, generation %llu", dm_device_name(md),
			     cmk_state_name(event.state), event.reason, event.generation);
	dm_audit_log_ti(AUDIT_DM_EVENT, DM_MSG_PREFIX, cmk_state_name(event.state), dev->ti, 1);
	cmk_event_uevent(md, &event);
	dm_table_event(dev->ti->table);
}
