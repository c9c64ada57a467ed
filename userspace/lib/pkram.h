/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libpkram: manage RAM that is preserved over kexec, from C and C++.
 *
 * Functions return 0 (or a number that is not negative) or a negative errno. After a
 * failure of a function that takes a context, pkram_strerror() returns a text for people:
 * the kernel's own (extended ack) if it sent one.
 *
 * The library allocates every struct that it returns, so that later versions can add
 * members at its end. A number that the kernel did not send is %PKRAM_NONE32 or
 * %PKRAM_NONE64, a string that it did not send is NULL, a UUID that it did not send is
 * zero.
 *
 * Only one thread at a time may use a context.
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
 * pkram_version() - Return the version of the library
 *
 * Return: a text such as "0.1.0".
 */
const char *pkram_version(void);

/**
 * pkram_open() - Connect to the module
 * @ctx: out: the context, to be closed with pkram_close(); set on failure too (except for
 *	%-ENOMEM), so that pkram_strerror() can return the reason
 *
 * Return: 0; -ENOENT the module is not loaded (or has no such family); -ENOMEM; an error of
 * socket(2).
 */
int pkram_open(struct pkram_ctx **ctx);

/**
 * pkram_close() - Disconnect and free the context
 * @ctx: the context, or NULL
 */
void pkram_close(struct pkram_ctx *ctx);

/**
 * pkram_strerror() - Return why the last call with this context failed
 * @ctx: the context, or NULL (out of memory)
 *
 * Return: a text, valid until the next call with @ctx; never NULL.
 */
const char *pkram_strerror(const struct pkram_ctx *ctx);

/**
 * pkram_warning() - Return the kernel's warning about the last call that succeeded
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
 * @nr_missing: number of regions that the pool had and that are not attached
 * @nr_objects: files and directories, without quarantined ones
 * @nr_quarantined: objects and DMA tables that the loader refused
 * @read_only: the pool may not be changed
 * @size: bytes
 * @free: bytes that can be allocated
 * @meta: bytes that hold metadata
 * @pending: bytes that were freed but are still pinned
 * @gib_1g: GiB that are sliced as one 1G folio
 * @gib_2m: GiB that are sliced as 2M folios
 */
struct pkram_pool {
	uint8_t uuid[16];
	uint32_t format_version;
	uint32_t nr_regions;
	uint32_t nr_missing;
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
 * pkram_pool_get() - Get the numbers of the pool
 * @ctx: the context
 * @pool: out: freed with pkram_pool_free()
 *
 * Return: 0 or negative errno.
 */
int pkram_pool_get(struct pkram_ctx *ctx, struct pkram_pool **pool);
void pkram_pool_free(struct pkram_pool *pool);

/**
 * struct pkram_counters - how often something happened since the module was loaded
 * @commits: records that were written
 * @repairs: records and headers that were repaired when they were loaded
 * @faults_4k: pages of 4 KiB that page faults mapped
 * @faults_2m: pages of 2 MiB that page faults mapped
 * @faults_1g: pages of 1 GiB that page faults mapped
 * @populates: times that a GiB got struct pages
 * @waits: times that a caller waited for GiB that had become idle
 * @zeroed: units of 2 MiB that were zeroed
 * @kexec_refused: kexec images that the guard refused
 * @quarantined: objects, DMA tables and ranges that were quarantined
 * @attach_usecs: microseconds that attaching regions took
 * @bad_pages: pages of 4 KiB that memory errors broke
 */
struct pkram_counters {
	uint64_t commits;
	uint64_t repairs;
	uint64_t faults_4k;
	uint64_t faults_2m;
	uint64_t faults_1g;
	uint64_t populates;
	uint64_t waits;
	uint64_t zeroed;
	uint64_t kexec_refused;
	uint64_t quarantined;
	uint64_t attach_usecs;
	uint64_t bad_pages;
};

/**
 * pkram_counters_get() - Get the module's counters
 * @ctx: the context
 * @counters: out: freed with pkram_counters_free()
 *
 * Return: 0; -EPERM: only root may see them; -EOPNOTSUPP: the module is older than the
 * library; other negative errno.
 */
int pkram_counters_get(struct pkram_ctx *ctx, struct pkram_counters **counters);
void pkram_counters_free(struct pkram_counters *counters);

/**
 * struct pkram_bad_range - bytes in pages that memory errors broke; a list
 * @next: the next one, or NULL
 * @start: of a region: physical address; of an object: offset
 * @size: bytes
 */
struct pkram_bad_range {
	struct pkram_bad_range *next;
	uint64_t start;
	uint64_t size;
};

/**
 * struct pkram_region - one region; a list
 * @next: the next one, or NULL
 * @uuid: of the region
 * @quarantine: why this reserved memory has no usable region, else NULL
 * @base: physical address in bytes; only root can read it
 * @size: bytes
 * @gib: GiB from the first to the last; more than @size if some in between
 *	were given back
 * @free: bytes that can be allocated
 * @meta: bytes that hold metadata
 * @pending: bytes that were freed but are still pinned
 * @node: NUMA node
 * @format_version: version of the preserved format
 * @gib_1g: GiB that are sliced as one 1G folio
 * @gib_2m: GiB that are sliced as 2M folios
 * @read_only: the region may not be changed
 * @nr_bad_pages: pages of 4 KiB that memory errors broke
 * @bad: where they are: the first 64 ranges, for root only
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
	uint32_t nr_bad_pages;
	struct pkram_bad_range *bad;
};

/**
 * pkram_region_dump() - List the regions
 * @ctx: the context
 * @list: out: in the kernel's order, NULL if there is none; freed with
 *	pkram_region_free()
 *
 * If the list changes meanwhile, it is read again.
 *
 * Return: 0 or negative errno.
 */
int pkram_region_dump(struct pkram_ctx *ctx, struct pkram_region **list);
void pkram_region_free(struct pkram_region *list);

/**
 * struct pkram_span - physical memory that an operation took or was refused
 * @next: the next one, or NULL
 * @base: physical address in bytes
 * @size: bytes
 * @err: positive errno of a refusal, else 0
 * @reason: why, as text; never NULL if @err is set
 */
struct pkram_span {
	struct pkram_span *next;
	uint64_t base;
	uint64_t size;
	int err;
	char *reason;
};

/**
 * struct pkram_resize - the result of growing, adopting or shrinking
 * @gib: GiB that were taken (or given back)
 * @taken: memory that was added (or given back)
 * @refused: memory that was refused
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
 * pkram_pool_grow() - Grow the pool
 * @ctx: the context
 * @gib: how many GiB
 * @node: NUMA node, or %PKRAM_NONE32 for any
 * @timeout: milliseconds that the kernel may take for each GiB, or 0 for its default
 * @res: out: the result, freed with pkram_resize_free(); may be set on failure
 *	too (refusals), else NULL
 *
 * Taking fewer than requested is a success; taking none is not.
 *
 * Return: 0 or negative errno.
 */
int pkram_pool_grow(struct pkram_ctx *ctx, uint32_t gib, uint32_t node,
		    uint32_t timeout, struct pkram_resize **res);

/**
 * pkram_pool_adopt() - Attach memory that this kernel does not use as RAM
 * @ctx: the context
 * @base: physical address, whole GiB
 * @size: bytes, whole GiB
 * @format: make a new region if there is none
 * @res: out: as for pkram_pool_grow()
 *
 * Return: 0 or negative errno.
 */
int pkram_pool_adopt(struct pkram_ctx *ctx, uint64_t base, uint64_t size,
		     bool format, struct pkram_resize **res);

/**
 * pkram_pool_shrink() - Shrink the pool by a number of GiB
 * @ctx: the context
 * @gib: how many GiB
 * @res: out: as for pkram_pool_grow()
 *
 * Memory blocks that come back offline are put online; those that stay offline are in
 * @res->offline.
 *
 * Return: 0 or negative errno.
 */
int pkram_pool_shrink(struct pkram_ctx *ctx, uint32_t gib,
		      struct pkram_resize **res);

/**
 * pkram_pool_shrink_range() - Shrink the pool by a range of memory
 * @ctx: the context
 * @base: physical address, whole GiB
 * @size: bytes, whole GiB
 * @res: out: as for pkram_pool_shrink()
 *
 * Return: 0 or negative errno.
 */
int pkram_pool_shrink_range(struct pkram_ctx *ctx, uint64_t base, uint64_t size,
			    struct pkram_resize **res);

/**
 * pkram_pool_give_up() - Give up regions that are missing
 * @ctx: the context
 * @nr: how many are missing, as pkram_pool_get() says
 *
 * Memory that their objects may own becomes free.
 *
 * Return: 0 or negative errno.
 */
int pkram_pool_give_up(struct pkram_ctx *ctx, uint32_t nr);
void pkram_resize_free(struct pkram_resize *res);

/**
 * struct pkram_object - one object; a list
 * @next: the next one, or NULL
 * @id: number of the object
 * @key: argument of pkram_object_discard()
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
 * @nr_bad_pages: pages of 4 KiB that the object lost by memory errors
 * @bad: where they are: the first 64 ranges
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
	uint32_t nr_bad_pages;
	struct pkram_bad_range *bad;
};

/**
 * pkram_object_dump() - List the objects, including quarantined ones
 * @ctx: the context
 * @list: out: NULL if there is none; freed with pkram_object_free()
 *
 * If the list changes meanwhile, it is read again.
 *
 * Return: 0; -EPERM not root; other negative errno.
 */
int pkram_object_dump(struct pkram_ctx *ctx, struct pkram_object **list);
void pkram_object_free(struct pkram_object *list);

/**
 * pkram_object_discard() - Remove a quarantined object or DMA table permanently
 * @ctx: the context
 * @key: &struct pkram_object.key or &struct pkram_dma_table.key
 *
 * Return: 0 or negative errno.
 */
int pkram_object_discard(struct pkram_ctx *ctx, uint64_t key);

/**
 * pkram_state_name() - Return the name of a state
 * @state: &enum pkram_state
 *
 * Return: "idle", "claimed", "sealed", "running" or "unknown".
 */
const char *pkram_state_name(uint32_t state);

/**
 * struct pkram_dma_table_entry - one mapping of a DMA table; a list
 * @next: the next one, or NULL
 * @name: path of the object from the root of the file system; NULL if it is gone
 * @iova: address that devices use
 * @size: bytes
 * @object_id: number of the object
 * @offset: in the object, in bytes
 * @prot: 1: devices read there, 2: they write, 3: both
 */
struct pkram_dma_table_entry {
	struct pkram_dma_table_entry *next;
	char *name;
	uint64_t iova;
	uint64_t size;
	uint64_t object_id;
	uint64_t offset;
	uint32_t prot;
};

/**
 * struct pkram_dma_table - the preserved part of a VFIO container; a list
 * @next: the next one, or NULL
 * @key: argument of pkram_dma_table_remove()
 * @name: of the DMA table; NULL if it was lost
 * @quarantine: why it is quarantined, NULL if it is not
 * @entries: its mappings, by rising address
 * @uid: its creator
 * @gid: the creator's group
 * @nr_entries: number of mappings
 * @suspended: its mappings have no user addresses
 * @in_use: a VFIO container of this kernel uses it; else it waits to be restored
 */
struct pkram_dma_table {
	struct pkram_dma_table *next;
	uint64_t key;
	char *name;
	char *quarantine;
	struct pkram_dma_table_entry *entries;
	uint32_t uid;
	uint32_t gid;
	uint32_t nr_entries;
	bool suspended;
	bool in_use;
};

/**
 * pkram_dma_table_dump() - List the DMA tables, including quarantined ones
 * @ctx: the context
 * @list: out: in the kernel's order, NULL if there is none; freed with
 *	pkram_dma_table_free()
 *
 * If the list changes meanwhile, it is read again. Needs CAP_SYS_ADMIN.
 *
 * Return: 0 or negative errno.
 */
int pkram_dma_table_dump(struct pkram_ctx *ctx, struct pkram_dma_table **list);
void pkram_dma_table_free(struct pkram_dma_table *list);

/**
 * pkram_dma_table_remove() - Remove a DMA table that no VFIO container uses
 * @ctx: the context
 * @key: &struct pkram_dma_table.key
 *
 * pkram_object_discard() removes a quarantined one.
 *
 * Return: 0; -EBUSY: a VFIO container uses it; -EUCLEAN: it is quarantined; other
 * negative errno.
 */
int pkram_dma_table_remove(struct pkram_ctx *ctx, uint64_t key);

/**
 * struct pkram_handover - how the next kernel learns of the regions
 * @mode: &enum pkram_handover_mode
 * @cmdline: words that the next kernel's command line must contain, or NULL; only root can
 *	read them
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
 * pkram_handover_get() - Get how the next kernel learns of the regions
 * @ctx: the context
 * @handover: out: freed with pkram_handover_free()
 *
 * Return: 0 or negative errno.
 */
int pkram_handover_get(struct pkram_ctx *ctx, struct pkram_handover **handover);
void pkram_handover_free(struct pkram_handover *handover);

/**
 * pkram_handover_mode_name() - Return the name of a mode
 * @mode: &enum pkram_handover_mode
 *
 * Return: "none", "e820", "memmap" or "unknown".
 */
const char *pkram_handover_mode_name(uint32_t mode);

/**
 * struct pkram_event - a change of the pool, an object or the handover
 * @kind: PKRAM_CMD_*_NTF of &enum pkram_cmd; a newer module may have others
 * @handover_mode: of %PKRAM_CMD_HANDOVER_NTF: &enum pkram_handover_mode
 * @object: the object after the change; NULL if the event is not about one
 * @old_name: of %PKRAM_CMD_OBJECT_RENAME_NTF: its path before
 * @label: of %PKRAM_CMD_OBJECT_LABEL_NTF: the label's name, without "user."
 * @reason: for people: why something is damaged or was refused
 * @base: physical address in bytes, of events about memory
 * @size: bytes
 * @offset: of %PKRAM_CMD_PAGE_BAD_NTF: of the page in the object
 */
struct pkram_event {
	uint32_t kind;
	uint32_t handover_mode;
	struct pkram_object *object;
	char *old_name;
	char *label;
	char *reason;
	uint64_t base;
	uint64_t size;
	uint64_t offset;
};

/**
 * pkram_event_listen() - Receive events from now on
 * @ctx: the context, which can still be used for all other calls
 *
 * To follow all changes: subscribe, then list, then read the events. The list may contain
 * the result of some of them already.
 *
 * Return: 0; -EPERM not root; -EOPNOTSUPP the module has no events; an error of socket(2).
 */
int pkram_event_listen(struct pkram_ctx *ctx);

/**
 * pkram_event_fd() - Return the file descriptor to poll(2) for events
 * @ctx: the context
 *
 * Return: a file descriptor that belongs to the context, readable when there may be an
 * event; -EBADF: the context is not subscribed.
 */
int pkram_event_fd(const struct pkram_ctx *ctx);

/**
 * pkram_event_next() - Return the next event without waiting
 * @ctx: the context
 * @event: out: to be freed with pkram_event_free(); NULL on failure
 *
 * Return: 0; -EAGAIN: there is none now; -ENOBUFS: events were lost, because they were not
 * read in time or the kernel had no memory: list again, then continue; -EBADF: the context
 * is not subscribed; other negative errno.
 */
int pkram_event_next(struct pkram_ctx *ctx, struct pkram_event **event);
void pkram_event_free(struct pkram_event *event);

/**
 * pkram_event_name() - Return the name of a kind of event
 * @kind: &struct pkram_event.kind
 *
 * Return: "object-create" and the like, or "unknown".
 */
const char *pkram_event_name(uint32_t kind);

/*
 * Operations on one file of pkramfs. The structs are defined in <linux/pkram.h>, which
 * also documents each errno. The caller sets their first member to their size:
 *
 *	struct pkram_ioc_info info = { .size = sizeof(info) };
 *
 * -ENOTTY: not a regular file of pkramfs.
 */

/**
 * pkram_file_info() - Get the properties of an object
 * @fd: the file
 * @info: in, out
 *
 * Return: 0 or negative errno.
 */
int pkram_file_info(int fd, struct pkram_ioc_info *info);

/**
 * pkram_file_leaves() - Count the page-table leaves that map a file
 * @fd: the file
 * @leaves: in, out
 *
 * Return: 0 or negative errno.
 */
int pkram_file_leaves(int fd, struct pkram_ioc_leaves *leaves);

/**
 * pkram_file_claim() - Claim a file until the last close of @fd
 * @fd: the file, open for writing
 * @claim: in, out
 *
 * Return: 0 or negative errno.
 */
int pkram_file_claim(int fd, struct pkram_ioc_claim *claim);

/**
 * pkram_file_seal() - Seal an object with the cookie of a saved state
 * @fd: the open file that has the claim
 * @args: in, out
 *
 * Return: 0 or negative errno.
 */
int pkram_file_seal(int fd, struct pkram_ioc_seal *args);

/**
 * pkram_file_resume() - Compare the cookie and consume the seal
 * @fd: the open file that has the claim
 * @args: in, out
 *
 * Return: 0 or negative errno.
 */
int pkram_file_resume(int fd, struct pkram_ioc_seal *args);

/**
 * pkram_file_alloc() - Fill holes with memory of a NUMA node
 * @fd: the file, open for writing
 * @args: in
 *
 * Return: 0 or negative errno.
 */
int pkram_file_alloc(int fd, struct pkram_ioc_alloc *args);

/*
 * Copies of objects: export to a file, import from it, verify it. An exported object is an
 * image, with the bytes and holes of the object, and a manifest next to it (FILE.manifest,
 * see docs/export.md) with the other properties of the object and a CRC32C of each chunk.
 * Any regular file can be used in place of an object.
 *
 * A copy that was interrupted in any way continues where it stopped when it is started
 * again. Until it is complete, its files have temporary names (FILE.part,
 * FILE.manifest.part, OBJECT.part).
 */

struct pkram_copy;

#define PKRAM_COPY_FORCE	(1U << 0)	/* replace an existing file or object */
#define PKRAM_COPY_BUFFERED	(1U << 1)	/* no O_DIRECT */

/**
 * struct pkram_copy_stats - progress of a copy
 * @size: bytes of the object, including holes
 * @data: bytes to be read, which is all except holes
 * @done: bytes of @data that have been processed
 * @kept: bytes of @done that an earlier run had copied
 * @written: bytes written by this run
 * @nr_chunks: number of chunks
 * @nr_bad: number of damaged chunks found
 * @elapsed_ms: time since the start, in milliseconds
 * @rate: bytes of data per second, recently
 * @left_s: seconds left at that rate, or %PKRAM_NONE32
 * @chunk_size: bytes
 * @direct_in: reads use O_DIRECT; not needed for files in RAM
 * @direct_out: writes use O_DIRECT
 * @registered: the buffers are registered with the kernel
 */
struct pkram_copy_stats {
	uint64_t size;
	uint64_t data;
	uint64_t done;
	uint64_t kept;
	uint64_t written;
	uint64_t nr_chunks;
	uint64_t nr_bad;
	uint64_t elapsed_ms;
	uint64_t rate;
	uint32_t left_s;
	uint32_t chunk_size;
	bool direct_in;
	bool direct_out;
	bool registered;
};

/**
 * typedef pkram_copy_cb - receives the progress of a copy about ten times a second
 * @stats: valid during the call
 * @arg: argument of pkram_copy_on_progress()
 *
 * Return: false to stop the copy, which then fails with -ECANCELED and can be
 * resumed.
 */
typedef bool (*pkram_copy_cb)(const struct pkram_copy_stats *stats, void *arg);

/**
 * typedef pkram_copy_bad_cb - called for a chunk that differs from the manifest
 * @chunk: its number
 * @offset: its first byte
 * @len: number of bytes
 * @arg: argument of pkram_copy_on_bad()
 */
typedef void (*pkram_copy_bad_cb)(uint64_t chunk, uint64_t offset, uint64_t len,
				  void *arg);

/**
 * pkram_copy_create() - Create a copier, for one copy at a time
 * @copy: out: to be freed by pkram_copy_free()
 *
 * Only one thread at a time may use a copier; several copiers can be used in parallel.
 *
 * Return: 0 or -ENOMEM.
 */
int pkram_copy_create(struct pkram_copy **copy);

/**
 * pkram_copy_free() - Free a copier
 * @copy: the copier, or NULL
 */
void pkram_copy_free(struct pkram_copy *copy);

/**
 * pkram_copy_set_flags() - Set flags of later copies
 * @copy: the copier
 * @flags: PKRAM_COPY_*
 *
 * Return: 0; -EINVAL: a flag that this library does not know.
 */
int pkram_copy_set_flags(struct pkram_copy *copy, uint32_t flags);

/**
 * pkram_copy_set_depth() - Set the number of requests in flight
 * @copy: the copier
 * @depth: 1 to 1024, default 16; this many buffers of one chunk are used
 *
 * Return: 0 or -EINVAL.
 */
int pkram_copy_set_depth(struct pkram_copy *copy, uint32_t depth);

/**
 * pkram_copy_set_chunk() - Set the size of a chunk, for exports
 * @copy: the copier
 * @size: a power of two from 4 KiB to 64 MiB, default 2 MiB
 *
 * An import or a verification uses the size in the manifest.
 *
 * Return: 0 or -EINVAL.
 */
int pkram_copy_set_chunk(struct pkram_copy *copy, uint32_t size);

/**
 * pkram_copy_on_progress() - Set the callback for progress
 * @copy: the copier
 * @cb: called during a copy, and at its end; NULL for none
 * @arg: argument of @cb
 */
void pkram_copy_on_progress(struct pkram_copy *copy, pkram_copy_cb cb, void *arg);

/**
 * pkram_copy_on_bad() - Set the callback for damaged chunks
 * @copy: the copier
 * @cb: called for each, in any order; NULL for none
 * @arg: argument of @cb
 */
void pkram_copy_on_bad(struct pkram_copy *copy, pkram_copy_bad_cb cb, void *arg);

/**
 * pkram_copy_export() - Copy an object to a file
 * @copy: the copier
 * @object: path of the object
 * @file: path of the image to create
 *
 * The manifest describes only data that is on the disk. Data from an interrupted run is
 * kept as far as the object has not changed. If a guest writes to the object meanwhile,
 * the copy is not consistent: see pkram_file_info().
 *
 * Return: 0; -EEXIST: the file exists; -EBUSY: another process exports to it; -ESTALE: the
 * object was changed meanwhile; -ECANCELED; an error of the kernel.
 */
int pkram_copy_export(struct pkram_copy *copy, const char *object,
		      const char *file);

/**
 * pkram_copy_import() - Create an object from a file
 * @copy: the copier
 * @file: path of the image
 * @object: path of the object to create
 *
 * Mode, owner (if privileged), modification time and labels are restored. The object is
 * renamed to its name when it is complete and every checksum was right; an existing object
 * is replaced only then, and only with %PKRAM_COPY_FORCE.
 *
 * Return: 0; -EEXIST: the object exists; -EBUSY: it is claimed or sealed, or another process
 * imports it; -EBADMSG: image or manifest are damaged; -ECANCELED; an error of the kernel.
 */
int pkram_copy_import(struct pkram_copy *copy, const char *file,
		      const char *object);

/**
 * pkram_copy_verify() - Compare a file with its manifest
 * @copy: the copier
 * @file: path of the image
 *
 * Continues after a damaged chunk, to find all of them.
 *
 * Return: 0; -EBADMSG: image or manifest are damaged; -ECANCELED; an error of the kernel.
 */
int pkram_copy_verify(struct pkram_copy *copy, const char *file);

/**
 * pkram_copy_compare() - Compare an object with the manifest of an export
 * @copy: the copier
 * @object: path of the object
 * @file: path of the image that it was exported to; only its manifest is read
 *
 * Continues after a chunk that differs, to find all of them.
 *
 * Return: 0; -EBADMSG: the object differs, or the manifest is damaged; -ECANCELED; an error
 * of the kernel.
 */
int pkram_copy_compare(struct pkram_copy *copy, const char *object,
		       const char *file);

/**
 * pkram_copy_stats() - Return the statistics of the last copy
 * @copy: the copier
 *
 * Return: the statistics, valid until the next copy.
 */
const struct pkram_copy_stats *pkram_copy_stats(const struct pkram_copy *copy);

/**
 * pkram_copy_strerror() - Return why the last copy failed
 * @copy: the copier, or NULL (out of memory)
 *
 * Return: a text that names the file, valid until the next call with @copy; never
 * NULL.
 */
const char *pkram_copy_strerror(const struct pkram_copy *copy);

/**
 * pkram_copy_name() - Get the name of the object that a file was exported from
 * @copy: the copier
 * @file: path of the image
 * @name: out: without directories; to be freed
 *
 * Return: 0; -EBADMSG: the manifest is damaged; an error of the kernel.
 */
int pkram_copy_name(struct pkram_copy *copy, const char *file, char **name);

#ifdef __cplusplus
}
#endif

#endif /* _PKRAM_H */
