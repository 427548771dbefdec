// SPDX-License-Identifier: GPL-2.0
/*
 * Hibernation: the image would hold every key, so all mappings become Inaccessible before it is
 * made and take no key until it is over. Suspend to RAM changes nothing; the lease's clock goes on.
 */
#include <linux/suspend.h>

#include "cmk.h"

static DEFINE_MUTEX(cmk_devs_lock);
static LIST_HEAD(cmk_devs);
static bool cmk_hibernation;

static void cmk_pm_revoke_all(void)
{
	struct cmk_dev *dev;

	mutex_lock(&cmk_devs_lock);
	WRITE_ONCE(cmk_hibernation, true);
	list_for_each_entry(dev, &cmk_devs, all)
		cmk_revoke(dev, CMK_REASON_HIBERNATION);
	mutex_unlock(&cmk_devs_lock);
}

static int cmk_pm_notify(struct notifier_block *nb, unsigned long event, void *unused)
{
	switch (event) {
	case PM_HIBERNATION_PREPARE:
		cmk_pm_revoke_all();
		break;
	case PM_POST_HIBERNATION:
		WRITE_ONCE(cmk_hibernation, false);
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block cmk_pm_block = {
	.notifier_call = cmk_pm_notify,
};

/**
 * cmk_pm_hibernating() - is an image about to be made?
 *
 * Ask under the mapping's wipe_lock: a key that is installed before the answer changes is found by
 * the revocation.
 *
 * Return: true if no key may be installed.
 */
bool cmk_pm_hibernating(void)
{
	return READ_ONCE(cmk_hibernation);
}

/**
 * cmk_pm_add() - a mapping begins
 * @dev: the mapping, its state initialised
 */
void cmk_pm_add(struct cmk_dev *dev)
{
	mutex_lock(&cmk_devs_lock);
	list_add(&dev->all, &cmk_devs);
	mutex_unlock(&cmk_devs_lock);
}

/**
 * cmk_pm_del() - a mapping ends
 * @dev: the mapping
 */
void cmk_pm_del(struct cmk_dev *dev)
{
	mutex_lock(&cmk_devs_lock);
	list_del(&dev->all);
	mutex_unlock(&cmk_devs_lock);
}

/** cmk_pm_init() - module init. Return: 0 or -errno. */
int cmk_pm_init(void)
{
	return register_pm_notifier(&cmk_pm_block);
}

/** cmk_pm_exit() - module exit */
void cmk_pm_exit(void)
{
	unregister_pm_notifier(&cmk_pm_block);
}
