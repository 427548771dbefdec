// SPDX-License-Identifier: GPL-2.0
/*
 * The two states and the way between them. A change to Inaccessible has two steps: "down" takes the
 * key pointer away, in any context and at once; "wipe" waits until no cipher call uses the key any
 * more and zeroizes it.
 */
#include <linux/slab.h>

#include "cmk.h"

static const char * const cmk_state_names[] = {
	[CMK_INACCESSIBLE]	= CMK_STATE_INACCESSIBLE,
	[CMK_AVAILABLE]		= CMK_STATE_AVAILABLE,
};

/**
 * cmk_state_name() - the word of the status line
 * @state: the state
 *
 * Return: a constant.
 */
const char *cmk_state_name(enum cmk_state state)
{
	return cmk_state_names[state];
}

static struct cmk_key *cmk_key_locked(struct cmk_dev *dev)
{
	return rcu_dereference_protected(dev->key, lockdep_is_held(&dev->lock));
}

/* The key leaves the data path; whoever loaded it before may go on until the grace period ends. */
static void cmk_key_doom_locked(struct cmk_dev *dev, struct cmk_key *key, struct cmk_key *next)
{
	rcu_assign_pointer(dev->key, next);
	list_add_tail(&key->doomed, &dev->doomed);
}

static void cmk_state_event_locked(struct cmk_dev *dev)
{
	if (dev->live)
		queue_work(system_unbound_wq, &dev->event_work);
}

/**
 * cmk_state_down_locked() - Inaccessible, first step, under dev->lock
 * @dev: the mapping
 * @only: do it only if this is the key in use; NULL: whatever the key is
 * @reason: for the status line, at most CMK_REASON_MAX characters
 *
 * Any context. From here on no cipher call begins. The wipe is queued; who needs its end calls
 * cmk_state_wipe().
 *
 * Return: true if this changed the state, false if the mapping was Inaccessible (the first reason
 * stays) or has another key.
 */
bool cmk_state_down_locked(struct cmk_dev *dev, struct cmk_key *only, const char *reason)
{
	struct cmk_key *key = cmk_key_locked(dev);

	lockdep_assert_held(&dev->lock);
	if (dev->state != CMK_AVAILABLE || (only && only != key))
		return false;

	if (list_empty(&dev->doomed))
		dev->doomed_since = ktime_get();
	cmk_key_doom_locked(dev, key, NULL);
	key->zeroize_payload = true;
	dev->state = CMK_INACCESSIBLE;
	strscpy(dev->reason, reason, sizeof(dev->reason));
	dev->revocations++;
	queue_work(cmk_state_wq, &dev->wipe_work);
	cmk_state_event_locked(dev);
	return true;
}

/**
 * cmk_state_down() - Inaccessible, first step
 * @dev: the mapping
 * @only: do it only if this is the key in use; NULL: whatever the key is
 * @reason: for the status line
 *
 * Any context. See cmk_state_down_locked().
 *
 * Return: true if this changed the state.
 */
bool cmk_state_down(struct cmk_dev *dev, struct cmk_key *only, const char *reason)
{
	unsigned long flags;
	bool changed;

	spin_lock_irqsave(&dev->lock, flags);
	changed = cmk_state_down_locked(dev, only, reason);
	spin_unlock_irqrestore(&dev->lock, flags);
	return changed;
}

/*
 * All doomed keys: wait for the cipher calls, then zeroize. Bounded by CPU work, as no call holds a
 * key longer.
 */
static void cmk_state_wipe_locked(struct cmk_dev *dev)
{
	struct cmk_key *key, *next;
	LIST_HEAD(doomed);
	bool down = false;
	ktime_t since;

	lockdep_assert_held(&dev->wipe_lock);
	spin_lock_irq(&dev->lock);
	list_splice_init(&dev->doomed, &doomed);
	since = dev->doomed_since;
	spin_unlock_irq(&dev->lock);
	if (list_empty(&doomed))
		return;

	/* after this every submitter of an asynchronous call has counted it */
	synchronize_rcu_expedited();
	list_for_each_entry_safe(key, next, &doomed, doomed) {
		wait_event(dev->async_wait, !atomic_read(&key->async));
		down |= key->zeroize_payload;
		cmk_key_free(key);
	}
	if (!down)
		return;
	spin_lock_irq(&dev->lock);
	dev->drain_us = ktime_us_delta(ktime_get(), since);
	spin_unlock_irq(&dev->lock);
}

/**
 * cmk_state_wipe() - Inaccessible, second step
 * @dev: the mapping
 *
 * When it returns, every key that was taken from the mapping before the call is zeroized, with all
 * that was derived from it. May sleep, for CPU work only.
 */
void cmk_state_wipe(struct cmk_dev *dev)
{
	mutex_lock(&dev->wipe_lock);
	cmk_state_wipe_locked(dev);
	mutex_unlock(&dev->wipe_lock);
}

static void cmk_state_wipe_work(struct work_struct *work)
{
	cmk_state_wipe(container_of(work, struct cmk_dev, wipe_work));
}

/**
 * cmk_revoke() - Inaccessible, both steps
 * @dev: the mapping
 * @reason: for the status line
 */
void cmk_revoke(struct cmk_dev *dev, const char *reason)
{
	cmk_state_down(dev, NULL, reason);
	cmk_state_wipe(dev);
}

/*
 * Put the key in place, under wipe_lock, which also keeps it from being freed; an older one is
 * doomed.
 */
static void cmk_state_install(struct cmk_dev *dev, struct cmk_key *key)
{
	struct cmk_key *old;

	spin_lock_irq(&dev->lock);
	old = cmk_key_locked(dev);
	if (old)
		cmk_key_doom_locked(dev, old, key);
	else
		rcu_assign_pointer(dev->key, key);
	dev->state = CMK_AVAILABLE;
	strscpy(dev->reason, CMK_REASON_NONE, sizeof(dev->reason));
	dev->generation++;
	cmk_lease_start_locked(dev);
	cmk_state_event_locked(dev);
	spin_unlock_irq(&dev->lock);
}

/**
 * cmk_state_up() - Available with a new key, or a live swap of the key
 * @dev: the mapping
 * @key: the loaded key; becomes the mapping's, also on error
 *
 * Return: 0; -EBUSY while a hibernation is under way; -EKEYREVOKED when the key was revoked
 * meanwhile, and then the mapping is Inaccessible.
 */
int cmk_state_up(struct cmk_dev *dev, struct cmk_key *key)
{
	int r = 0;

	mutex_lock(&dev->wipe_lock);
	if (cmk_pm_hibernating()) {
		cmk_key_free(key);
		r = -EBUSY;
	} else {
		cmk_state_install(dev, key);
		/* an end of the key before this moment did not find it in use; one after it does */
		if (!cmk_payload_check(key))
			r = -EKEYREVOKED;
		cmk_state_wipe_locked(dev);
	}
	mutex_unlock(&dev->wipe_lock);
	if (!r)
		cmk_hold_release(dev);
	return r;
}

/**
 * cmk_state_init() - the state of a new mapping: Inaccessible, no key
 * @dev: the mapping
 */
void cmk_state_init(struct cmk_dev *dev)
{
	spin_lock_init(&dev->lock);
	mutex_init(&dev->wipe_lock);
	INIT_LIST_HEAD(&dev->doomed);
	init_waitqueue_head(&dev->async_wait);
	INIT_WORK(&dev->wipe_work, cmk_state_wipe_work);
	INIT_WORK(&dev->event_work, cmk_event_work);
	dev->state = CMK_INACCESSIBLE;
	strscpy(dev->reason, CMK_REASON_NO_KEY, sizeof(dev->reason));
	cmk_lease_init(dev);
}

/**
 * cmk_state_exit() - the end of a mapping: its key is wiped, and nothing of it runs any more
 * @dev: the mapping, without a bio in flight
 */
void cmk_state_exit(struct cmk_dev *dev)
{
	struct cmk_key *key;

	spin_lock_irq(&dev->lock);
	dev->live = false;
	dev->state = CMK_INACCESSIBLE;
	key = cmk_key_locked(dev);
	if (key)
		cmk_key_doom_locked(dev, key, NULL);
	spin_unlock_irq(&dev->lock);

	/* the payload of the key stays: it is userspace's, which may load it into another table */
	cmk_state_wipe(dev);
	hrtimer_cancel(&dev->lease);
	cancel_work_sync(&dev->wipe_work);
	cancel_work_sync(&dev->event_work);
}
