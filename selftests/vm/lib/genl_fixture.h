/* SPDX-License-Identifier: GPL-2.0 */
/* Fixture of the genl* scenarios: the module loaded, pkramfs mounted, and a socket */
#ifndef PKRAM_VM_GENL_FIXTURE_H
#define PKRAM_VM_GENL_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>

#include "test.h"

#include "genl.h"

/* Check the error and the error text of an answer */
#define EXPECT_REFUSED(err, words, call)				\
	do {								\
		nl->text[0] = '\0';					\
		EXPECT_EQ(-(err), (call));				\
		EXPECT_NE(NULL, strstr(nl->text, words)) {		\
			TH_LOG("%s says \"%s\"", #call, nl->text);	\
		}							\
	} while (0)

FIXTURE(main)
{
	struct nl nl;
};

FIXTURE_SETUP(main)
{
	struct statfs st;

	if (!vm_module_loaded("pkram"))
		ASSERT_EQ(0, vm_insmod(PKRAM_MODULE, NULL));
	if (statfs(PKRAM_MNT, &st) || st.f_type != PKRAM_FS_MAGIC)
		ASSERT_EQ(0, vm_mount(PKRAM_FS_NAME, PKRAM_MNT, NULL));
	ASSERT_EQ(0, nl_open(&self->nl));
	ASSERT_EQ(0, nl_find_family(&self->nl, &self->nl.family));
	ASSERT_NE(0, self->nl.family);
}

FIXTURE_TEARDOWN(main)
{
	close(self->nl.fd);
}

#endif
