// SPDX-License-Identifier: GPL-2.0
/*
 * dm-cmk: encryption of a block device under a key that can be taken away at any moment. Module
 * init and exit.
 */
#include <linux/key.h>
#include <linux/module.h>

#include "cmk.h"

struct workqueue_struct *cmk_state_wq;

static int __init cmk_init(void)
{
	int r = -ENOMEM;

	cmk_state_wq = alloc_workqueue("cmk_state", WQ_MEM_RECLAIM | WQ_HIGHPRI | WQ_UNBOUND, 0);
	if (!cmk_state_wq)
		return r;
	r = cmk_pages_init();
	if (r)
		goto err_wq;
	r = cmk_pm_init();
	if (r)
		goto err_pages;
	r = register_key_type(&cmk_key_type);
	if (r)
		goto err_pm;
	r = dm_register_target(&cmk_target_type);
	if (r)
		goto err_key_type;
	return 0;

err_key_type:
	unregister_key_type(&cmk_key_type);
err_pm:
	cmk_pm_exit();
err_pages:
	cmk_pages_exit();
err_wq:
	destroy_workqueue(cmk_state_wq);
	return r;
}

static void __exit cmk_exit(void)
{
	dm_unregister_target(&cmk_target_type);
	unregister_key_type(&cmk_key_type);
	cmk_pm_exit();
	cmk_pages_exit();
	destroy_workqueue(cmk_state_wq);
}

module_init(cmk_init);
module_exit(cmk_exit);

MODULE_DESCRIPTION(DM_NAME " target for encryption with customer-managed keys");
MODULE_AUTHOR("The dm-cmk authors");
MODULE_LICENSE("GPL");
MODULE_SOFTDEP("pre: xts aes");
