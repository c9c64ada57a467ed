// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <unistd.h>

#include "edu.h"

int edu_wait(volatile char *bar)
{
	volatile uint64_t *cmd = (void *)(bar + EDU_CMD);
	int i;

	for (i = 0; i < 100000; i++) {
		if (!(*cmd & EDU_START))
			return 0;
		usleep(1000);
	}
	return -ETIMEDOUT;
}

int edu_copy(volatile char *bar, uint64_t addr, bool to_ram)
{
	volatile uint64_t *src = (void *)(bar + EDU_SRC), *dst = (void *)(bar + EDU_DST);
	volatile uint64_t *cmd = (void *)(bar + EDU_CMD);

	*src = to_ram ? EDU_BUFFER : addr;
	*dst = to_ram ? addr : EDU_BUFFER;
	*(volatile uint64_t *)(bar + EDU_COUNT) = EDU_BYTES;
	*cmd = EDU_START | (to_ram ? EDU_TO_RAM : 0);
	return edu_wait(bar);
}
