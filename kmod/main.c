// SPDX-License-Identifier: GPL-2.0
/* The module: initialise its parts in order, and exit in reverse order. */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/pkram.h>
#include <linux/string.h>
#include <linux/stringify.h>
#include <net/genetlink.h>
#include "compat/tested.h"
#include "core/layout.h"
#include "fs/fs.h"
#include "ctl/genl.h"
#include "handover/handover.h"
#include "handover/pm.h"
#include "pool/attach.h"
#include "store/store.h"

/* Not world-readable: physical addresses. */
static char *attach;
module_param(attach, charp, 0400);
MODULE_PARM_DESC(attach, "BASE+SIZE,...: where the pool's regions are, if the memory map does not tell");

static char *handover = "auto";
module_param(handover, charp, 0444);
MODULE_PARM_DESC(handover, "how the next kernel learns of the regions: auto (default), or memmap: by its command line only");

static bool untested_kernel;
module_param(untested_kernel, bool, 0444);
MODULE_PARM_DESC(untested_kernel, "load on a kernel that pkram was not tested on (default: no)");

static int __init pkram_init(void)
{
	int err;

	if (!pkram_kernel_is_tested()) {
		if (!untested_kernel) {
			pr_err("pkram was not tested on this kernel series: it may lose what is in the pool. Boot another kernel, or load with untested_kernel=1\n");
			return -EOPNOTSUPP;
		}
		pr_warn("pkram was not tested on this kernel series: it may lose what is in the pool\n");
	}

	if (strcmp(handover, "auto") && strcmp(handover, "memmap")) {
		pr_err("handover=%s is neither auto nor memmap\n", handover);
		return -EINVAL;
	}

	err = pkram_store_init();
	if (err)
		return err;

	err = pkram_handover_init(!strcmp(handover, "memmap"));
	if (err)
		goto err_store;

	err = pkram_pm_init();
	if (err)
		goto err_handover;

	/* Before the file system is registered: no file may be open while the pool is attached. */
	err = pkram_attach_init(attach);
	if (err)
		goto err_pool;

	err = pkramfs_init();
	if (err)
		goto err_pool;

	err = pkram_genl_init();
	if (err)
		goto err_fs;

	return 0;

err_fs:
	pkramfs_exit();
err_pool:
	pkram_attach_exit();
	pkram_pm_exit();
err_handover:
	pkram_handover_exit();
err_store:
	pkram_store_exit();
	return err;
}
module_init(pkram_init);

static void __exit pkram_exit(void)
{
	pkram_genl_exit();
	pkramfs_exit();
	pkram_attach_exit();
	pkram_pm_exit();
	pkram_handover_exit();
	pkram_store_exit();
}
module_exit(pkram_exit);

MODULE_DESCRIPTION("RAM that outlives the kernel");
MODULE_AUTHOR("The pkram developers");
MODULE_LICENSE("GPL");
/* The supported formats: pkramctl checks them before it boots a kernel */
MODULE_INFO(pkram_format, __stringify(PKRAM_FORMAT_VERSION));
MODULE_ALIAS_FS(PKRAM_FS_NAME);
MODULE_ALIAS_GENL_FAMILY(PKRAM_GENL_NAME);
