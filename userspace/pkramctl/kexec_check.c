// SPDX-License-Identifier: GPL-2.0
/* The checks of the next kernel's image and modules, for pkramctl kexec, update and check. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include "child.h"
#include "ctl.h"
#include "holders.h"
#include "initrd.h"
#include "kexec.h"
#include "object_file.h"
#include "read_file.h"

#define MAX_CONFIG	65536

/* kexec_file_load(2) would refuse it, or what is no kernel would be booted after the guests left */
static int check_kernel(struct kexec_plan *plan, struct pkram_ctx *ctx)
{
	(void)ctx;
	if (boot_is_kernel(plan->kernel_fd))
		return 0;
	return preflight_add(&plan->checks, PREFLIGHT_REFUSE, "kernel",
			     "%s is not a kernel (a bzImage, as /boot/vmlinuz-VERSION is): name one",
			     plan->kernel);
}

/* A kernel without the initrd that it needs panics, after the guests were saved */
static int check_initrd(struct kexec_plan *plan, struct pkram_ctx *ctx)
{
	static const enum preflight_verdict verdicts[] = {
		[INITRD_GOOD] = PREFLIGHT_OK, [INITRD_UNCHECKED] = PREFLIGHT_WARN,
		[INITRD_LACKS] = PREFLIGHT_FORCE, [INITRD_BAD] = PREFLIGHT_REFUSE,
	};
	enum initrd_verdict v;
	char why[1024];

	(void)ctx;
	if (plan->no_initrd)
		return preflight_add(&plan->checks, PREFLIGHT_OK, "initrd",
				     "none, because of --no-initrd");
	if (!plan->initrd && *plan->entry.kernel)
		return preflight_add(&plan->checks, PREFLIGHT_REFUSE, "initrd",
				     "there is no initrd for %s: make it (update-initramfs -c -k %s), name it with --initrd, or say with --no-initrd that the kernel needs none",
				     plan->kernel, plan->version);
	if (!plan->initrd)
		return preflight_add(&plan->checks, PREFLIGHT_REFUSE, "initrd",
				     "no initrd given for %s: name it with --initrd, or say with --no-initrd that the kernel needs none",
				     plan->kernel);
	v = initrd_check(plan->initrd, plan->version, why, sizeof(why));
	return preflight_add(&plan->checks, verdicts[v], "initrd", "%s: %s", plan->initrd,
			     why);
}

int kexec_check_handover(struct kexec_plan *plan, struct pkram_ctx *ctx)
{
	struct preflight *p = &plan->checks;
	struct pkram_handover *h;

	if (pkram_handover_get(ctx, &plan->handover) ||
	    pkram_region_dump(ctx, &plan->regions))
		return ctl_error("%s", pkram_strerror(ctx));
	h = plan->handover;
	if (!plan->regions)
		return preflight_add(p, PREFLIGHT_WARN, "handover",
				     "the pool has no region: nothing will be preserved");
	switch (h->mode) {
	case PKRAM_HANDOVER_E820:
		break;
	case PKRAM_HANDOVER_MEMMAP:
		if (h->cmdline)
			break;
		return preflight_add(p, PREFLIGHT_REFUSE, "handover",
				     "the next kernel's command line must reserve the regions, but the module does not say how; see dmesg");
	case PKRAM_HANDOVER_NONE:
		return preflight_add(p, PREFLIGHT_REFUSE, "handover",
				     "the regions have no handover, and the next kernel would overwrite them; see dmesg");
	default:
		return preflight_add(p, PREFLIGHT_REFUSE, "handover",
				     "handover mode %u is unknown: the module is newer than this program",
				     h->mode);
	}
	if (!h->kexec_guard)
		return preflight_add(p, PREFLIGHT_WARN, "handover",
				     "kexec_load(2) is not guarded; load kernels with this command only");
	return preflight_add(p, PREFLIGHT_OK, "handover", "by %s",
			     pkram_handover_mode_name(h->mode));
}

/* Remove from a list the processes that only read an object's file, or are in @ours */
static void drop_harmless(struct holder **at, const pid_t *ours, unsigned int nr)
{
	struct holder *h;
	unsigned int i;

	while ((h = *at)) {
		for (i = 0; i < nr && ours[i] != h->pid; i++)
			;
		if (i == nr && (h->writes || h->maps)) {
			at = &h->next;
			continue;
		}
		*at = h->next;
		free(h);
	}
}

static int check_holder(struct kexec_plan *plan, const struct pkram_object *o,
			struct held *held, const pid_t *ours, unsigned int nr)
{
	bool sealed = o->state == PKRAM_STATE_SEALED;
	char text[512];

	drop_harmless(&held->list, ours, sealed ? nr : 0);
	if (!held->list)
		return 0;
	holders_text(held->list, text, sizeof(text));
	if (sealed)
		return preflight_add(&plan->checks, ours ? PREFLIGHT_REFUSE : PREFLIGHT_FORCE,
				     "object",
				     "%s has a saved guest, and %s may still write to it: end that first",
				     held->path, text);
	return preflight_add(&plan->checks, PREFLIGHT_WARN, "object",
			     "%s is in use by %s, which has not claimed it: what that has not written by then is lost",
			     held->path, text);
}

int kexec_check_holders(struct kexec_plan *plan, const struct pkram_object *list,
			const pid_t *ours, unsigned int nr)
{
	const struct pkram_object *o;
	unsigned int n = 0, i = 0;
	struct held *held;
	int ret = 0;

	for (o = list; o; o = o->next)
		n++;
	held = ctl_must(calloc(n + 1, sizeof(*held)));
	for (o = list; o; o = o->next, i++) {
		/* QEMU holds what is claimed; that is checked elsewhere */
		if (o->quarantine || !o->name || !S_ISREG(o->mode) ||
		    o->state == PKRAM_STATE_CLAIMED)
			held[i].path = ctl_must(strdup(""));
		else
			held[i].path = path_join(object_dir(), o->name + (*o->name == '/'));
	}
	holders_look(held, n);
	for (o = list, i = 0; o; o = o->next, i++) {
		ret |= check_holder(plan, o, &held[i], ours, nr);
		holders_free(held[i].list);
		free((char *)held[i].path);
	}
	free(held);
	return ret;
}

/* Check that a module of the next kernel can attach the pool */
static int check_module(struct kexec_plan *plan, struct pkram_ctx *ctx)
{
	struct preflight *p = &plan->checks;
	struct pkram_pool *pool;
	uint32_t format;
	int ret;

	/* Without a pool no module is needed */
	if (!plan->regions)
		return 0;
	if (!boot_is_kernel(plan->kernel_fd))
		return 0;
	if (!*plan->version)
		return preflight_add(p, PREFLIGHT_FORCE, "module",
				     "%s does not contain its version, so its pkram module cannot be checked",
				     plan->kernel);
	ret = boot_module(plan->version, "pkram", plan->module, sizeof(plan->module));
	if (ret) {
		ret = preflight_add(p, PREFLIGHT_FORCE, "module",
				    "there is no pkram module for %s (%s: %s): build it, and run depmod %s; if DKMS should have done it, dkms status and /var/lib/dkms/pkram/VERSION/build/make.log say why not",
				    plan->version, plan->module, ret == -ENODATA ?
				    "it lists none" : strerror(-ret), plan->version);
		plan->module[0] = '\0';
		return ret;
	}
	if (pkram_pool_get(ctx, &pool))
		return ctl_error("%s", pkram_strerror(ctx));
	format = pool->format_version;
	pkram_pool_free(pool);
	ret = boot_knows_format(plan->module, format);
	if (ret > 0)
		return preflight_add(p, PREFLIGHT_OK, "module", "%s supports format %u",
				     plan->module, format);
	if (ret == -ENOENT)
		return preflight_add(p, PREFLIGHT_FORCE, "module",
				     "cannot check which formats %s supports, because there is no modinfo(8)",
				     plan->module);
	if (ret < 0)
		return preflight_add(p, PREFLIGHT_FORCE, "module",
				     "%s does not declare which formats it supports; rebuild it",
				     plan->module);
	return preflight_add(p, PREFLIGHT_FORCE, "module",
			     "%s does not support format %u, which this pool has",
			     plan->module, format);
}

bool kexec_check_version(struct preflight *p, const char *version, uint32_t format)
{
	char path[PATH_MAX];
	struct utsname uts;

	if (!boot_module(version, "pkram", path, sizeof(path)) &&
	    (!format || boot_knows_format(path, format) == 1)) {
		preflight_add(p, PREFLIGHT_OK, "kernel", "%s has the module", version);
		return true;
	}
	uname(&uts);
	/* Nobody goes back to it without a look */
	if (strverscmp(version, uts.release) < 0)
		preflight_add(p, PREFLIGHT_OK, "kernel",
			      "%s has no module that can use the pool; it is older than the kernel that runs",
			      version);
	else
		preflight_add(p, PREFLIGHT_WARN, "kernel",
			      "%s has no module that can use the pool: dkms status and /var/lib/dkms/pkram/VERSION/build/make.log say whether its build failed; dkms autoinstall -k %s, with its headers installed, builds it",
			      version, version);
	return false;
}

int kexec_check_kernels(struct preflight *p, struct pkram_ctx *ctx)
{
	char **versions = boot_versions();
	struct pkram_pool *pool;
	unsigned int i;

	if (pkram_pool_get(ctx, &pool)) {
		boot_versions_free(versions);
		return ctl_error("%s", pkram_strerror(ctx));
	}
	for (i = 0; versions[i]; i++)
		kexec_check_version(p, versions[i], pool->nr_regions ? pool->format_version : 0);
	pkram_pool_free(pool);
	boot_versions_free(versions);
	return 0;
}

/* The second module, without which devices of guests do not reach their RAM */
static int check_dma_tables(struct kexec_plan *plan, struct pkram_ctx *ctx)
{
	struct preflight *p = &plan->checks;
	struct pkram_dma_table *list, *t;
	char module[PATH_MAX];
	unsigned int nr = 0;
	int ret;

	if (!*plan->module)
		return 0;
	if (pkram_dma_table_dump(ctx, &list))
		return ctl_error("%s", pkram_strerror(ctx));
	for (t = list; t; t = t->next)
		nr += !t->quarantine && (t->suspended || t->in_use);
	pkram_dma_table_free(list);
	if (!nr)
		return 0;
	ret = boot_module(plan->version, "pkram_vfio", module, sizeof(module));
	if (ret)
		return preflight_add(p, PREFLIGHT_FORCE, "DMA tables",
				     "there are DMA tables, but no pkram_vfio module for %s: their guests cannot be resumed there; build it, and run depmod %s",
				     plan->version, plan->version);
	return preflight_add(p, PREFLIGHT_OK, "DMA tables", "%u, and %s", nr, module);
}

/*
 * Modules that are not signed are not loaded under lockdown, nor if the kernel demands
 * signatures. The next kernel decides as this one does.
 */
static int check_signature(struct kexec_plan *plan, struct pkram_ctx *ctx)
{
	const char *const argv[] = { "modinfo", "-F", "signer", plan->module, NULL };
	char lockdown[128] = "", enforce[8] = "", *signer;
	bool needed;

	(void)ctx;
	if (!*plan->module)
		return 0;
	pkram_read_line("/sys/kernel/security/lockdown", lockdown, sizeof(lockdown));
	pkram_read_line("/sys/module/module/parameters/sig_enforce", enforce, sizeof(enforce));
	needed = (*lockdown && !strstr(lockdown, "[none]")) || *enforce == 'Y';
	if (!needed || child_read(argv, 4096, &signer))
		return 0;
	needed = !*signer;
	free(signer);
	if (!needed)
		return preflight_add(&plan->checks, PREFLIGHT_OK, "signature",
				     "%s is signed", plan->module);
	return preflight_add(&plan->checks, PREFLIGHT_FORCE, "signature",
			     "%s is not signed, and this host loads signed modules only (%s); sign it with a key that the firmware or MOK knows",
			     plan->module, *enforce == 'Y' ? "module.sig_enforce" : "lockdown");
}

/* Growing the pool makes kdump-tools load its kernel anew */
static int check_kdump(struct kexec_plan *plan, struct pkram_ctx *ctx)
{
	static const char enabled[] = "\nUSE_KDUMP=1";
	char loaded[8] = "", *text;
	bool wanted = false;
	size_t len;

	(void)ctx;
	if (!pkram_read_file("/etc/default/kdump-tools", MAX_CONFIG, &text, &len)) {
		wanted = !strncmp(text, enabled + 1, strlen(enabled) - 1) ||
			 strstr(text, enabled);
		free(text);
	}
	if (!wanted || pkram_read_line("/sys/kernel/kexec_crash_loaded", loaded, sizeof(loaded)))
		return 0;
	if (*loaded == '1')
		return preflight_add(&plan->checks, PREFLIGHT_OK, "kdump",
				     "the crash kernel is loaded");
	return preflight_add(&plan->checks, PREFLIGHT_WARN, "kdump",
			     "kdump is enabled, but no crash kernel is loaded: systemctl restart kdump-tools");
}

int kexec_check_image(struct kexec_plan *plan, struct pkram_ctx *ctx)
{
	int (*const checks[])(struct kexec_plan *plan, struct pkram_ctx *ctx) = {
		check_kernel, check_initrd, check_module, check_dma_tables, check_signature, check_kdump,
	};
	unsigned int i;
	int ret = 0;

	for (i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		if (!ret || plan->dry_run)
			ret |= checks[i](plan, ctx);
	}
	return ret;
}
