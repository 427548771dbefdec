// SPDX-License-Identifier: GPL-2.0
/*
 * The status line: state, reason, generation, lease and load, then counters by name.
 */
#include "cmk.h"

static const char * const cmk_counter_names[CMK_NR_COUNTERS] = {
	[CMK_READS]		= "reads",
	[CMK_WRITES]		= "writes",
	[CMK_DISCARDS]		= "discards",
	[CMK_FLUSHES]		= "flushes",
	[CMK_ERR_OFFLINE]	= "err_offline",
	[CMK_ERR_LOWER]		= "err_lower",
	[CMK_ERR_CIPHER]	= "err_cipher",
	[CMK_ERR_MISALIGNED]	= "err_misaligned",
	[CMK_HELD]		= "held",
	[CMK_HELD_EXPIRED]	= "held_expired",
};

/* What the state's lock guards, copied out. */
struct cmk_snapshot {
	enum cmk_state state;
	char reason[CMK_REASON_MAX + 1];
	u64 generation, revocations, lease_ends, drain_us;
	s64 lease_left_ms;
};

static void cmk_snapshot(struct cmk_dev *dev, struct cmk_snapshot *snap)
{
	spin_lock_irq(&dev->lock);
	snap->state = dev->state;
	strscpy(snap->reason, dev->reason, sizeof(snap->reason));
	snap->generation = dev->generation;
	snap->revocations = dev->revocations;
	snap->lease_ends = dev->lease_ends;
	snap->drain_us = dev->drain_us;
	snap->lease_left_ms = cmk_lease_left_ms_locked(dev);
	spin_unlock_irq(&dev->lock);
}

static void cmk_stats_sum(struct cmk_dev *dev, struct cmk_stats *sum)
{
	unsigned int i;
	int cpu;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		const struct cmk_stats *stats = per_cpu_ptr(dev->stats, cpu);

		sum->in_flight += READ_ONCE(stats->in_flight);
		for (i = 0; i < CMK_NR_COUNTERS; i++)
			sum->count[i] += READ_ONCE(stats->count[i]);
	}
}

static void cmk_status_info(struct cmk_dev *dev, char *result, unsigned int maxlen)
{
	struct cmk_snapshot snap;
	struct cmk_stats sum;
	unsigned int sz = 0, i;

	cmk_snapshot(dev, &snap);
	cmk_stats_sum(dev, &sum);

	DMEMIT("%s %s %llu ", cmk_state_name(snap.state), snap.reason, snap.generation);
	if (snap.lease_left_ms < 0)
		DMEMIT("-");
	else
		DMEMIT("%lld", snap.lease_left_ms);
	/* the CPUs are not read at one moment */
	DMEMIT(" %ld %u", max(sum.in_flight, 0L), READ_ONCE(dev->nr_held));
	for (i = 0; i < CMK_NR_COUNTERS; i++)
		DMEMIT(" %s:%llu", cmk_counter_names[i], sum.count[i]);
	DMEMIT(" revocations:%llu lease_ends:%llu drain_us:%llu", snap.revocations,
	       snap.lease_ends, snap.drain_us);
}

/**
 * cmk_status() - the target's status method
 * @ti: the target
 * @type: INFO, TABLE or IMA
 * @flags: unused
 * @result: where to
 * @maxlen: its size
 */
void cmk_status(struct dm_target *ti, status_type_t type, unsigned int flags, char *result,
		unsigned int maxlen)
{
	struct cmk_dev *dev = ti->private;

	switch (type) {
	case STATUSTYPE_INFO:
		cmk_status_info(dev, result, maxlen);
		break;
	case STATUSTYPE_TABLE:
		cmk_table_emit(dev, result, maxlen);
		break;
	case STATUSTYPE_IMA:
		cmk_table_emit_ima(dev, result, maxlen);
		break;
	}
}
