/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libpkram: the pool of RAM that outlives the kernel, from C and C++.
 *
 * Functions return 0 (or a number that is not negative) or a negative errno.
 * After a failure of a function that takes a context, pkram_strerror() gives a
 * text for people: the kernel's own (extended ack) where it sent one.
 *
 * A struct that the library hands out is always the library's own memory, so
 * that later versions can add members at its end. A number that the kernel did
 * not send is %PKRAM_NONE32 or %PKRAM_NONE64, a text that it did not send NULL,
 * a UUID that it did not send zero.
 *
 * A context is for one thread at a time.
 */
#ifndef _PKRAM_H
#define _PKRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/pkram.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PKRAM_NONE32	UINT32_MAX
#define PKRAM_NONE64	UINT64_MAX

struct pkram_ctx;

/**
 * pkram_version() - version of the library
 *
 * Return: a text such as "0.1.0".
 */
const char *pkram_version(void);

/**
 * pkram_open() - connect to the module
 * @ctx: out: the context, to be closed with pkram_close(); set on failure too
 *	(but for %-ENOMEM), so that pkram_strerror() can tell why
 *
 * Return: 0; -ENOENT the module is not loaded (or offers no such family);
 * -ENOMEM; what socket(2) says.
 */
int pkram_open(struct pkram_ctx **ctx);

/**
 * pkram_close() - give everything back
 * @ctx: the context, or NULL
 */
void pkram_close(struct pkram_ctx *ctx);

/**
 * pkram_strerror() - why the last call with this context failed
 * @ctx: the context, or NULL (out of memory)
 *
 * Return: a text, valid until the next call with @ctx; never NULL.
 */
const char *pkram_strerror(const struct pkram_ctx *ctx);

/**
 * pkram_warning() - what the kernel remarked on the last call that succeeded
 * @ctx: the context
 *
 * Return: a text, valid until the next call with @ctx, or NULL.
 */
const char *pkram_warning(const struct pkram_ctx *ctx);

/**
 * struct pkram_pool - the pool as a whole
 * @uuid: of the pool; zero if there is none yet
 * @format_version: version of the preserved format
 * @nr_regions: number of regions
 * @nr_objects: files and directories, without quarantined ones
 * @nr_quarantined: objects that the loader refused
 * @read_only: the pool may not be changed
 * @size: bytes
 * @free: bytes that can be allocated
 * @meta: bytes that hold metadata
 * @pending: bytes freed but still pinned by somebody
 * @gib_1g: GiB that are sliced as one 1G folio
 * @gib_2m: GiB that are sliced as 2M folios
 */
struct pkram_pool {
	uint8_t uuid[16];
	uint32_t format_version;
	uint32_t nr_regions;
	uint32_t nr_objects;
	uint32_t nr_quarantined;
	bool read_only;
	uint64_t size;
	uint64_t free;
	uint64_t meta;
	uint64_t pending;
	uint32_t gib_1g;
	uint32_t gib_2m;
};

/**
 * pkram_pool_get() - what the pool is
 * @ctx: the context
 * @pool: out: freed with pkram_pool_free()
 *
 * Return: 0 or negative errno.
 */
int pkram_pool_get(struct pkram_ctx *ctx, struct pkram_pool **pool);
void pkram_pool_free(struct pkram_pool *pool);

/**
 * struct pkram_region - one region; a list
 * @next: the next one, or NULL
 * @uuid: of the region
 * @quarantine: reserved memory in which no usable region is: why; else NULL
 * @base: physical address in bytes; the kernel tells root alone
 * @size: bytes
 * @gib: GiB from the first to the last; more than @size if some in between
 *	were given back
 * @free: bytes that can be allocated
 * @meta: bytes that hold metadata
 * @pending: bytes freed but still pinned by somebody
 * @node: NUMA node
 * @format_version: version of the preserved format
 * @gib_1g: GiB that are sliced as one 1G folio
 * @gib_2m: GiB that are sliced as 2M folios
 * @read_only: the region may not be changed
 */
struct pkram_region {
	struct pkram_region *next;
	uint8_t uuid[16];
	char *quarantine;
	uint64_t base;
	uint64_t size;
	uint64_t free;
	uint64_t meta;
	uint64_t pending;
	uint32_t gib;
	uint32_t node;
	uint32_t format_version;
	uint32_t gib_1g;
	uint32_t gib_2m;
	bool read_only;
};

/**
 * pkram_region_dump() - list the regions
 * @ctx: the context
 * @list: out: in the kernel's order, NULL if there is none; freed with
 *	pkram_region_free()
 *
 * A list that changed while it was read is read again.
 *
 * Return: 0 or negative errno.
 */
int pkram_region_dump(struct pkram_ctx *ctx, struct pkram_region **list);
void pkram_region_free(struct pkram_region *list);

/**
 * struct pkram_span - physical memory that an operation did or did not get
 * @next: the next one, or NULL
 * @base: physical address in bytes
 * @size: bytes
 * @err: positive errno of a refusal, else 0
 * @reason: why, for people; never NULL if @err is set
 */
struct pkram_span {
	struct pkram_span *next;
	uint64_t base;
	uint64_t size;
	int err;
	char *reason;
};

/**
 * struct pkram_resize - what growing, adopting or shrinking came to
 * @gib: GiB that were got (or given back)
 * @taken: the regions that came (or the memory that went)
 * @refused: what was tried in vain
 * @offline: after a shrink: memory that was given back, but that the kernel
 *	does not use, because it could not be made online
 */
struct pkram_resize {
	uint32_t gib;
	struct pkram_span *taken;
	struct pkram_span *refused;
	struct pkram_span *offline;
};

/**
 * pkram_region_add() - grow the pool
 * @ctx: the context
 * @gib: how many GiB
 * @node: NUMA node, or %PKRAM_NONE32 for any
 * @res: out: the result, freed with pkram_resize_free(); may be set on failure
 *	too (refusals), else NULL
 *
 * Getting fewer than asked is a success; getting none is not.
 *
 * Return: 0 or negative errno.
 */
int pkram_region_add(struct pkram_ctx *ctx, uint32_t gib, uint32_t node,
		     struct pkram_resize **res);

/**
 * pkram_region_adopt() - attach memory that this kernel does not use as RAM
 * @ctx: the context
 * @base: physical address, whole GiB
 * @size: bytes, whole GiB
 * @format: make a new region if there is none
 * @res: out: as for pkram_region_add()
 *
 * Return: 0 or negative errno.
 */
int pkram_region_adopt(struct pkram_ctx *ctx, uint64_t base, uint64_t size,
		       bool format, struct pkram_resize **res);

/**
 * pkram_region_del() - shrink the pool by a number of GiB
 * @ctx: the context
 * @gib: how many GiB
 * @res: out: as for pkram_region_add()
 *
 * Memory blocks that come back offline are made online; those that will not
 * are in @res->offline.
 *
 * Return: 0 or negative errno.
 */
int pkram_region_del(struct pkram_ctx *ctx, uint32_t gib,
		     struct pkram_resize **res);

/**
 * pkram_region_del_range() - shrink the pool by the memory named
 * @ctx: the context
 * @base: physical address, whole GiB
 * @size: bytes, whole GiB
 * @res: out: as for pkram_region_del()
 *
 * Return: 0 or negative errno.
 */
int pkram_region_del_range(struct pkram_ctx *ctx, uint64_t base, uint64_t size,
			   struct pkram_resize **res);
void pkram_resize_free(struct pkram_resize *res);

/**
 * struct pkram_object - one object; a list
 * @next: the next one, or NULL
 * @id: number of the object
 * @key: names the object to pkram_object_discard()
 * @name: path from the root of the file system
 * @quarantine: why it is quarantined, NULL if it is not
 * @size: bytes
 * @allocated: bytes of memory held
 * @generation: number of seals so far
 * @mode: as st_mode
 * @uid: owner
 * @gid: group
 * @nr_extents: number of extents
 * @state: &enum pkram_state
 */
struct pkram_object {
	struct pkram_object *next;
	uint64_t id;
	uint64_t key;
	char *name;
	char *quarantine;
	uint64_t size;
	uint64_t allocated;
	uint64_t generation;
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	uint32_t nr_extents;
	uint32_t state;
};

/**
 * pkram_object_dump() - list the objects, quarantined ones included
 * @ctx: the context
 * @list: out: NULL if there is none; freed with pkram_object_free()
 *
 * A list that changed while it was read is read again.
 *
 * Return: 0; -EPERM not root; other negative errno.
 */
int pkram_object_dump(struct pkram_ctx *ctx, struct pkram_object **list);
void pkram_object_free(struct pkram_object *list);

/**
 * pkram_object_discard() - remove a quarantined object for good
 * @ctx: the context
 * @key: &struct pkram_object.key
 *
 * Return: 0 or negative errno.
 */
int pkram_object_discard(struct pkram_ctx *ctx, uint64_t key);

/**
 * pkram_state_name() - a word for a state
 * @state: &enum pkram_state
 *
 * Return: "idle", "claimed", "sealed", "running" or "unknown".
 */
const char *pkram_state_name(uint32_t state);

/**
 * struct pkram_handover - how the next kernel is kept off the regions
 * @mode: &enum pkram_handover_mode
 * @cmdline: words that the next kernel's command line must hold, or NULL; the
 *	kernel tells root alone
 * @kexec_guard: kexec_load(2) is refused
 * @kexec_loaded: a kexec image is loaded
 */
struct pkram_handover {
	uint32_t mode;
	char *cmdline;
	bool kexec_guard;
	bool kexec_loaded;
};

/**
 * pkram_handover_get() - how the next kernel is kept off the regions
 * @ctx: the context
 * @handover: out: freed with pkram_handover_free()
 *
 * Return: 0 or negative errno.
 */
int pkram_handover_get(struct pkram_ctx *ctx, struct pkram_handover **handover);
void pkram_handover_free(struct pkram_handover *handover);

/**
 * pkram_handover_mode_name() - a word for a mode
 * @mode: &enum pkram_handover_mode
 *
 * Return: "none", "e820", "memmap" or "unknown".
 */
const char *pkram_handover_mode_name(uint32_t mode);

/*
 * One file of pkramfs. The structs are those of <linux/pkram.h>, which says
 * what each errno means; the caller sets their first member to their size:
 *
 *	struct pkram_info info = { .size = sizeof(info) };
 *
 * -ENOTTY: not a regular file of pkramfs.
 */

/**
 * pkram_file_info() - what the object is
 * @fd: the file
 * @info: in, out
 *
 * Return: 0 or negative errno.
 */
int pkram_file_info(int fd, struct pkram_info *info);

/**
 * pkram_file_leaves() - page-table leaves that map the file
 * @fd: the file
 * @leaves: in, out
 *
 * Return: 0 or negative errno.
 */
int pkram_file_leaves(int fd, struct pkram_leaves *leaves);

/**
 * pkram_file_claim() - become the one owner, until the last close of @fd
 * @fd: the file, open for writing
 * @claim: in, out
 *
 * Return: 0 or negative errno.
 */
int pkram_file_claim(int fd, struct pkram_claim *claim);

/**
 * pkram_file_seal() - tie the object to one saved state
 * @fd: the open file that has the claim
 * @args: in, out
 *
 * Return: 0 or negative errno.
 */
int pkram_file_seal(int fd, struct pkram_seal_args *args);

/**
 * pkram_file_resume() - compare the cookie and consume the seal
 * @fd: the open file that has the claim
 * @args: in, out
 *
 * Return: 0 or negative errno.
 */
int pkram_file_resume(int fd, struct pkram_seal_args *args);

#ifdef __cplusplus
}
#endif

#endif /* _PKRAM_H */
