// SPDX-License-Identifier: GPL-2.0
/* Fuzz target: what defines a guest. */
#include <errno.h>
#include <string.h>
#include "fuzz.h"
#include "guest_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[512], short_why[16];
	struct guest_file g;
	unsigned int i;
	int err;

	err = guest_file_parse(&g, "vm1", (const char *)data, size, why, sizeof(why));
	if (err) {
		REQUIRE(err == -EINVAL && memchr(why, 0, sizeof(why)) && *why);
	} else {
		REQUIRE(g.qemu && *g.qemu && g.stop_timeout);
		for (i = 0; i < g.nr_args; i++)
			REQUIRE(g.args[i] && strlen(g.args[i]) <= size);
		for (i = 0; i < g.nr_ram; i++)
			REQUIRE(g.ram[i].path);
	}
	guest_file_free(&g);
	guest_file_parse(&g, "vm1", (const char *)data, size, short_why, sizeof(short_why));
	guest_file_free(&g);
	return 0;
}
