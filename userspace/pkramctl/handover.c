// SPDX-License-Identifier: GPL-2.0
/* pkramctl handover. */
#include <stddef.h>
#include "ctl.h"
#include "print.h"

void ctl_print_handover(const struct pkram_handover *h)
{
	out_str("mode", "handover", pkram_handover_mode_name(h->mode));
	out_str("cmdline", "command line", h->cmdline);
	out_bool("kexec_guard", "kexec_load guard", h->kexec_guard);
	out_bool("kexec_loaded", "image loaded", h->kexec_loaded);
}

static int handover_show(int argc, char **argv)
{
	struct pkram_handover *h;
	struct pkram_ctx *ctx;

	if (ctl_no_more(argc, argv))
		return CTL_USAGE;
	ctx = ctl_open();
	if (!ctx)
		return CTL_FAILED;
	if (pkram_handover_get(ctx, &h))
		return ctl_fail(ctx, NULL);
	out_record_open(NULL, NULL);
	ctl_print_handover(h);
	out_record_close();
	pkram_handover_free(h);
	return ctl_done(ctx);
}

static const struct ctl_verb handover_verbs[] = {
	{ "show", "", "how the next kernel learns of the regions",
	  handover_show },
	{ }
};

const struct ctl_object ctl_handover = {
	.name = "handover",
	.help = "how the next kernel learns of the pool: show",
	.verbs = handover_verbs,
};
