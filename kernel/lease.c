// SPDX-License-Identifier: GPL-2.0
/*
 * The lease: a deadline on CLOCK_BOOTTIME after which the mapping is Inaccessible, whatever
 * userspace does. It goes on while the machine sleeps.
 */
#include "cmk.h"

/*
 * Hard interrupt context where the kernel allows it: a busy softirq or a hung thread does not delay
 * it.
 */
static enum hrtimer_restart cmk_lease_end(struct hrtimer *timer)
{
	struct cmk_dev *dev = container_of(timer, struct cmk_dev, lease);
	unsigned long flags;

	spin_lock_irqsave(&dev->lock, flags);
	/* a renewal that was quicker than this has armed the timer again */
	if (dev->lease_ms && ktime_compare(ktime_get_boottime(), dev->deadline) >= 0 &&
	    cmk_state_down_locked(dev, NULL, CMK_REASON_LEASE))
		dev->lease_ends++;
	spin_unlock_irqrestore(&dev->lock, flags);
	return HRTIMER_NORESTART;
}

/**
 * cmk_lease_start_locked() - a lease of the mapping's length begins now, if it has one; under
 * dev->lock
 * @dev: the mapping
 */
void cmk_lease_start_locked(struct cmk_dev *dev)
{
	lockdep_assert_held(&dev->lock);
	if (!dev->lease_ms)
		return;
	dev->deadline = ktime_add_ms(ktime_get_boottime(), dev->lease_ms);
	hrtimer_start(&dev->lease, dev->deadline, HRTIMER_MODE_ABS);
}

/**
 * cmk_lease_renew() - the lease ends @ms from now
 * @dev: the mapping
 * @ms: 1..CMK_LEASE_MAX_MS; also the length of the leases that later keys start
 *
 * Return: 0, or -ENOKEY while Inaccessible: a lease never revives a key.
 */
int cmk_lease_renew(struct cmk_dev *dev, u64 ms)
{
	int r = -ENOKEY;

	spin_lock_irq(&dev->lock);
	/* the deadline counts, not the moment at which its timer gets to run */
	if (dev->state == CMK_AVAILABLE && dev->lease_ms &&
	    ktime_compare(ktime_get_boottime(), dev->deadline) >= 0 &&
	    cmk_state_down_locked(dev, NULL, CMK_REASON_LEASE))
		dev->lease_ends++;
	if (dev->state == CMK_AVAILABLE) {
		dev->lease_ms = ms;
		cmk_lease_start_locked(dev);
		r = 0;
	}
	spin_unlock_irq(&dev->lock);
	return r;
}

/**
 * cmk_lease_left_ms_locked() - what is left of the lease; under dev->lock
 * @dev: the mapping
 *
 * Return: milliseconds, rounded down; 0 when it has ended or no key is there; -1 without a lease.
 */
s64 cmk_lease_left_ms_locked(struct cmk_dev *dev)
{
	lockdep_assert_held(&dev->lock);
	if (!dev->lease_ms)
		return -1;
	if (dev->state != CMK_AVAILABLE)
		return 0;
	return max_t(s64, ktime_ms_delta(dev->deadline, ktime_get_boottime()), 0);
}

/**
 * cmk_lease_init() - set up the timer of a new mapping
 * @dev: the mapping
 */
void cmk_lease_init(struct cmk_dev *dev)
{
	cmk_hrtimer_setup(&dev->lease, cmk_lease_end, CLOCK_BOOTTIME, HRTIMER_MODE_ABS);
}
