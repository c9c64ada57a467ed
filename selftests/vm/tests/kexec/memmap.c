// SPDX-License-Identifier: GPL-2.0
/*
 * The fallback if the memory map cannot be changed: the next kernel's command line names
 * the regions.
 */
#include <stdlib.h>
#include <string.h>

#include "test.h"

#include "pool.h"

/* Return the value of a word of the command line, to be freed; NULL if it is absent */
static char *word(const char *name)
{
	char *cmdline = vm_read_file("/proc/cmdline"), *p = strstr(cmdline, name);

	p = p ? strndup(p + strlen(name), strcspn(p + strlen(name), "\n ")) : NULL;
	free(cmdline);
	return p;
}

STAGE(make)

TEST_F(make, next_command_line_is_reported)
{
	char *out, *p;

	ASSERT_EQ(0, pool_up("handover=memmap"));
	ASSERT_EQ(0, pool_grow(2));
	ASSERT_EQ(0, pool_make_files());
	ASSERT_EQ(0, vm_run(&out, CTL "-j handover show"));
	TH_LOG("%s", out);
	p = strstr(out, "memmap=");
	ASSERT_NE(NULL, p);
	p[strcspn(p, "\"")] = '\0';
	EXPECT_NE(NULL, strstr(p, "pkram.attach="));
	ASSERT_EQ(0, vm_next_append(p));
	free(out);
}

STAGE(keep)

TEST_F(keep, pool_is_attached_by_parameter)
{
	char *attach = word("pkram.attach="), params[512];

	ASSERT_NE(NULL, attach);
	ASSERT_EQ(0, pool_churn(GIB, 0xff));
	snprintf(params, sizeof(params), "handover=memmap attach=%s", attach);
	ASSERT_EQ(0, pool_up(params));
	EXPECT_EQ(0, pool_check_files());
	free(attach);
}

STAGE(back)

TEST_F(back, invalid_attach_parameter_is_refused)
{
	EXPECT_EQ(-EINVAL, vm_insmod(PKRAM_MODULE, "attach=nonsense"));
	EXPECT_EQ(-EINVAL, vm_insmod(PKRAM_MODULE, "attach=0x100000000+1M"));
	EXPECT_EQ(-EINVAL, vm_insmod(PKRAM_MODULE, "handover=other"));
}

TEST_F(back, attach_of_ram_in_use_is_refused)
{
	EXPECT_EQ(-EADDRINUSE, vm_insmod(PKRAM_MODULE, "attach=0x0+1G"));
	EXPECT_TRUE(vm_kmsg_has("in use by this kernel"));
}

TEST_HARNESS_MAIN
