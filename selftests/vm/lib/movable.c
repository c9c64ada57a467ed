// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "movable.h"
#include "vm.h"

#define BLOCKS		"/sys/devices/system/memory"
#define MEMORY_END	(64 * GIB)
#define SMALL		4096UL
#define HUGE		(2 * MIB)
#define NR_SMALL	8
#define ADDRESSES	(4 * GIB)	/* the same addresses for all calls */

/* A huge page, and one that was split, of which NR_SMALL pages are left */
static char *moved_huge, *moved_small;

/* Read the file @name of the memory block at @addr, if it exists */
static char *block_read(uint64_t addr, uint64_t block, const char *name)
{
	char path[96];

	snprintf(path, sizeof(path), BLOCKS "/memory%llu/%s",
		 (unsigned long long)(addr / block), name);
	return vm_read_file(path);
}

static void block_set(uint64_t addr, uint64_t block, const char *state)
{
	char path[96];

	snprintf(path, sizeof(path), BLOCKS "/memory%llu/state",
		 (unsigned long long)(addr / block));
	vm_write_file(path, state);
}

/* Size of a memory block in bytes; 0: unknown */
static uint64_t block_size(void)
{
	char *text = vm_read_file(BLOCKS "/block_size_bytes");
	uint64_t ret = text ? strtoull(text, NULL, 16) : 0;

	free(text);
	return ret;
}

int movable_only_in(uint64_t base)
{
	uint64_t block = block_size();

	for (uint64_t addr = 0; block && addr < MEMORY_END; addr += block) {
		char *zones;

		if ((addr >= base && addr <= base + GIB) || addr + block == base + 2 * GIB)
			continue;
		zones = block_read(addr, block, "valid_zones");
		if (zones && !strncmp(zones, "Movable", strlen("Movable")))
			block_set(addr, block, "offline");
		free(zones);
	}
	return block ? 0 : -EIO;
}

void movable_online(uint64_t base)
{
	uint64_t block = block_size();

	for (uint64_t addr = base; block && addr < base + GIB; addr += block)
		block_set(addr, block, "online");
}

bool movable_intact(void)
{
	return !moved_huge || (vm_verify(moved_huge, HUGE, 1, 0) < 0 &&
			       vm_verify(moved_small, NR_SMALL * SMALL, 2, 0) < 0);
}

int movable_put(uint64_t base)
{
	static char *next, *end;
	char *found[2], *first, where[64];
	int err;

	if (!movable_intact())
		return -EIO;
	if (!next) {
		next = mmap(NULL, ADDRESSES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (next == MAP_FAILED || madvise(next, ADDRESSES, MADV_HUGEPAGE))
			return -errno;
		end = next + ADDRESSES;
		next = (char *)(((uintptr_t)next + HUGE - 1) & ~(HUGE - 1));
	}
	first = next;
	for (int nr = 0; nr < 2; next += HUGE) {
		if (next + HUGE > end || next - first >= (long)GIB)
			return -ENOMEM;
		*(volatile char *)next = 1;
		if (vm_physical(next) - base < GIB)
			found[nr++] = next;
	}
	if (moved_huge) {
		munmap(moved_huge, HUGE);
		munmap(moved_small, HUGE);
	}
	moved_huge = found[0];
	moved_small = found[1];
	vm_fill(moved_huge, HUGE, 1, 0);
	vm_fill(moved_small, NR_SMALL * SMALL, 2, 0);
	snprintf(where, sizeof(where), "%d,%p,%p", getpid(), moved_small, moved_small + HUGE);
	err = vm_write_file("/sys/kernel/debug/split_huge_pages", where);
	if (!err && madvise(moved_small + NR_SMALL * SMALL, HUGE - NR_SMALL * SMALL,
			    MADV_DONTNEED))
		err = -errno;
	return err;
}
