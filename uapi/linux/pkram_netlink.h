/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	uapi/pkram.yaml */
/* YNL-GEN uapi header */
/* To regenerate run: scripts/netlink-code.py */

#ifndef _UAPI_LINUX_PKRAM_NETLINK_H
#define _UAPI_LINUX_PKRAM_NETLINK_H

#define PKRAM_GENL_NAME		"pkram"
#define PKRAM_GENL_VERSION	1

/**
 * enum pkram_attr - attributes of the family, one space for all
 * @PKRAM_A_PAD: pad, alignment of 64-bit attributes
 * @PKRAM_A_GIB: u32, number of GiB; of a region, from its first to its last GiB
 * @PKRAM_A_NODE: u32, NUMA node
 * @PKRAM_A_BASE: u64, physical address in bytes; shown to CAP_SYS_ADMIN only
 * @PKRAM_A_SIZE: u64, bytes; in a request, whole GiB
 * @PKRAM_A_FORMAT: flag, create a region if the range has none
 * @PKRAM_A_TAKEN: nest, range that joined the pool, or that left it
 * @PKRAM_A_REFUSED: nest, range that could not be taken or given back
 * @PKRAM_A_ERRNO: u32, positive errno
 * @PKRAM_A_REASON: string, why, for people
 * @PKRAM_A_POOL_UUID: binary, the pool; absent while there is none
 * @PKRAM_A_REGION_UUID: binary, the region; absent for a quarantined range
 * @PKRAM_A_FORMAT_VERSION: u32, version of the preserved format
 * @PKRAM_A_READ_ONLY: flag, the pool or region cannot be changed
 * @PKRAM_A_NR_REGIONS: u32, number of regions
 * @PKRAM_A_NR_OBJECTS: u32, number of files and directories, without
 *	quarantined ones
 * @PKRAM_A_NR_QUARANTINED: u32, number of quarantined files, directories and
 *	DMA tables
 * @PKRAM_A_FREE: u64, bytes that can be allocated
 * @PKRAM_A_META: u64, bytes that hold metadata
 * @PKRAM_A_GIB_1G: u32, number of GiB that are sliced as one 1G folio
 * @PKRAM_A_GIB_2M: u32, number of GiB that are sliced as 2M folios
 * @PKRAM_A_OBJECT_ID: u64, number of the object; its inode number
 * @PKRAM_A_OBJECT_KEY: u64, key of an object or a DMA table, including
 *	quarantined ones
 * @PKRAM_A_NAME: string, path from the root of the file system
 * @PKRAM_A_MODE: u32, as st_mode
 * @PKRAM_A_UID: u32, owner
 * @PKRAM_A_GID: u32, group
 * @PKRAM_A_ALLOCATED: u64, bytes of memory that the object holds
 * @PKRAM_A_NR_EXTENTS: u32, number of extents
 * @PKRAM_A_STATE: u32, state of the object, &enum pkram_state
 * @PKRAM_A_GENERATION: u64, number of seals so far
 * @PKRAM_A_QUARANTINE: string, why the object or range is quarantined; absent
 *	if it is not
 * @PKRAM_A_HANDOVER_MODE: u32, how the next kernel learns of the regions, &enum
 *	pkram_handover_mode
 * @PKRAM_A_CMDLINE: string, words that the next kernel's command line must
 *	contain; absent if none are needed; shown to CAP_SYS_ADMIN only
 * @PKRAM_A_KEXEC_GUARD: flag, kexec_load(2) is refused
 * @PKRAM_A_KEXEC_LOADED: flag, a kexec image is loaded
 * @PKRAM_A_PENDING: u64, bytes that were freed but cannot be reused yet,
 *	because O_DIRECT, io_uring or VFIO still pins them
 * @PKRAM_A_OLD_NAME: string, path before a rename
 * @PKRAM_A_LABEL: string, name of a label, without "user."
 * @PKRAM_A_DMA_TABLE: string, name of a DMA table; absent if it was lost
 * @PKRAM_A_NR_ENTRIES: u32, number of mappings of a DMA table
 * @PKRAM_A_SUSPENDED: flag, the mappings of the DMA table have no user
 *	addresses
 * @PKRAM_A_IN_USE: flag, a VFIO container uses the DMA table
 * @PKRAM_A_ENTRY: nest, mapping of a DMA table
 * @PKRAM_A_IOVA: u64, address that devices use
 * @PKRAM_A_OFFSET: u64, bytes
 * @PKRAM_A_PROT: u32, what devices may do there: 1 read, 2 write, 3 both
 * @PKRAM_A_TIMEOUT: u32, milliseconds that taking each GiB may last; 10 seconds
 *	if absent
 * @PKRAM_A_COMMITS: u64, records that were written since the module was loaded
 * @PKRAM_A_REPAIRS: u64, records and headers that were repaired when they were
 *	loaded
 * @PKRAM_A_FAULTS_4K: u64, pages of 4 KiB that page faults mapped
 * @PKRAM_A_FAULTS_2M: u64, pages of 2 MiB that page faults mapped
 * @PKRAM_A_FAULTS_1G: u64, pages of 1 GiB that page faults mapped
 * @PKRAM_A_POPULATES: u64, number of times that a GiB got struct pages
 * @PKRAM_A_WAITS: u64, number of times that a caller waited for GiB that had
 *	become idle
 * @PKRAM_A_ZEROED: u64, units of 2 MiB that were zeroed
 * @PKRAM_A_KEXEC_REFUSED: u64, kexec images that the guard refused
 * @PKRAM_A_QUARANTINED: u64, objects, DMA tables and ranges that were
 *	quarantined
 * @PKRAM_A_ATTACH_USECS: u64, microseconds that attaching regions took, at load
 *	and by pool-adopt
 * @PKRAM_A_NR_MISSING: u32, number of regions that the pool had and that are
 *	not attached; memory that their objects may own is kept back
 * @PKRAM_A_NR_BAD_PAGES: u32, number of pages of 4 KiB that memory errors
 *	broke; absent if there are none
 * @PKRAM_A_BAD_RANGE: nest, bytes in bad pages: of a region base and size,
 *	shown to CAP_SYS_ADMIN only; of an object offset and size. The first 64
 *	ranges
 * @PKRAM_A_BAD_PAGES: u64, pages of 4 KiB that memory errors broke since the
 *	module was loaded
 */
enum pkram_attr {
	PKRAM_A_PAD = 1,
	PKRAM_A_GIB,
	PKRAM_A_NODE,
	PKRAM_A_BASE,
	PKRAM_A_SIZE,
	PKRAM_A_FORMAT,
	PKRAM_A_TAKEN,
	PKRAM_A_REFUSED,
	PKRAM_A_ERRNO,
	PKRAM_A_REASON,
	PKRAM_A_POOL_UUID,
	PKRAM_A_REGION_UUID,
	PKRAM_A_FORMAT_VERSION,
	PKRAM_A_READ_ONLY,
	PKRAM_A_NR_REGIONS,
	PKRAM_A_NR_OBJECTS,
	PKRAM_A_NR_QUARANTINED,
	PKRAM_A_FREE,
	PKRAM_A_META,
	PKRAM_A_GIB_1G,
	PKRAM_A_GIB_2M,
	PKRAM_A_OBJECT_ID,
	PKRAM_A_OBJECT_KEY,
	PKRAM_A_NAME,
	PKRAM_A_MODE,
	PKRAM_A_UID,
	PKRAM_A_GID,
	PKRAM_A_ALLOCATED,
	PKRAM_A_NR_EXTENTS,
	PKRAM_A_STATE,
	PKRAM_A_GENERATION,
	PKRAM_A_QUARANTINE,
	PKRAM_A_HANDOVER_MODE,
	PKRAM_A_CMDLINE,
	PKRAM_A_KEXEC_GUARD,
	PKRAM_A_KEXEC_LOADED,
	PKRAM_A_PENDING,
	PKRAM_A_OLD_NAME,
	PKRAM_A_LABEL,
	PKRAM_A_DMA_TABLE,
	PKRAM_A_NR_ENTRIES,
	PKRAM_A_SUSPENDED,
	PKRAM_A_IN_USE,
	PKRAM_A_ENTRY,
	PKRAM_A_IOVA,
	PKRAM_A_OFFSET,
	PKRAM_A_PROT,
	PKRAM_A_TIMEOUT,
	PKRAM_A_COMMITS,
	PKRAM_A_REPAIRS,
	PKRAM_A_FAULTS_4K,
	PKRAM_A_FAULTS_2M,
	PKRAM_A_FAULTS_1G,
	PKRAM_A_POPULATES,
	PKRAM_A_WAITS,
	PKRAM_A_ZEROED,
	PKRAM_A_KEXEC_REFUSED,
	PKRAM_A_QUARANTINED,
	PKRAM_A_ATTACH_USECS,
	PKRAM_A_NR_MISSING,
	PKRAM_A_NR_BAD_PAGES,
	PKRAM_A_BAD_RANGE,
	PKRAM_A_BAD_PAGES,

	__PKRAM_A_MAX
};

#define PKRAM_A_MAX (__PKRAM_A_MAX - 1)

/**
 * enum pkram_cmd - commands and events of the family
 * @PKRAM_CMD_POOL_GET: do; Get the pool. Out: %PKRAM_A_POOL_UUID,
 *	%PKRAM_A_FORMAT_VERSION, %PKRAM_A_READ_ONLY, %PKRAM_A_NR_REGIONS,
 *	%PKRAM_A_NR_MISSING, %PKRAM_A_NR_OBJECTS, %PKRAM_A_NR_QUARANTINED,
 *	%PKRAM_A_SIZE, %PKRAM_A_FREE, %PKRAM_A_META, %PKRAM_A_PENDING,
 *	%PKRAM_A_GIB_1G, %PKRAM_A_GIB_2M.
 * @PKRAM_CMD_REGION_GET: dump; List the regions by rising address, one message
 *	for each, then the reserved ranges that have no usable region: these have a
 *	quarantine and no region-uuid. Out: %PKRAM_A_BASE, %PKRAM_A_GIB,
 *	%PKRAM_A_SIZE, %PKRAM_A_REGION_UUID, %PKRAM_A_FORMAT_VERSION, %PKRAM_A_NODE,
 *	%PKRAM_A_READ_ONLY, %PKRAM_A_FREE, %PKRAM_A_META, %PKRAM_A_GIB_1G,
 *	%PKRAM_A_GIB_2M, %PKRAM_A_QUARANTINE, %PKRAM_A_NR_BAD_PAGES,
 *	%PKRAM_A_BAD_RANGE {%PKRAM_A_BASE, %PKRAM_A_OFFSET, %PKRAM_A_SIZE}.
 * @PKRAM_CMD_POOL_GROW: do; Take RAM from the system: a number of GiB, from all
 *	nodes or from one. The reply has the number that was taken, each new region,
 *	and each GiB that could not be taken. Taking fewer GiB than requested is a
 *	success; taking none is an error. In: %PKRAM_A_GIB, %PKRAM_A_NODE,
 *	%PKRAM_A_TIMEOUT. Out: %PKRAM_A_GIB, %PKRAM_A_TAKEN {%PKRAM_A_BASE,
 *	%PKRAM_A_SIZE}, %PKRAM_A_REFUSED {%PKRAM_A_BASE, %PKRAM_A_SIZE,
 *	%PKRAM_A_ERRNO, %PKRAM_A_REASON}.
 * @PKRAM_CMD_POOL_ADOPT: do; Attach the region in a range that this kernel does
 *	not use as RAM (reserved at boot by memmap=SIZE$START). With the flag format,
 *	create a region if the range has none. In: %PKRAM_A_BASE, %PKRAM_A_SIZE,
 *	%PKRAM_A_FORMAT. Out: %PKRAM_A_GIB, %PKRAM_A_TAKEN {%PKRAM_A_BASE,
 *	%PKRAM_A_SIZE}, %PKRAM_A_REFUSED {%PKRAM_A_BASE, %PKRAM_A_SIZE,
 *	%PKRAM_A_ERRNO, %PKRAM_A_REASON}.
 * @PKRAM_CMD_POOL_SHRINK: do; Give memory back to the system: a number of GiB,
 *	or a range. The reply has what was given back, and what could not be. The
 *	memory may be offline: write online to
 *	/sys/devices/system/memory/memoryN/state of its blocks. With the number of
 *	missing regions instead of memory: give these up. In: %PKRAM_A_GIB,
 *	%PKRAM_A_BASE, %PKRAM_A_SIZE, %PKRAM_A_NR_MISSING. Out: %PKRAM_A_GIB,
 *	%PKRAM_A_TAKEN {%PKRAM_A_BASE, %PKRAM_A_SIZE}, %PKRAM_A_REFUSED
 *	{%PKRAM_A_BASE, %PKRAM_A_SIZE, %PKRAM_A_ERRNO, %PKRAM_A_REASON}.
 * @PKRAM_CMD_OBJECT_GET: dump; List the objects, including quarantined ones,
 *	without the root directory. The name is absent if it is longer than PATH_MAX.
 *	An object that exists during the whole dump is listed once, in a consistent
 *	state. Out: %PKRAM_A_OBJECT_KEY, %PKRAM_A_OBJECT_ID, %PKRAM_A_NAME,
 *	%PKRAM_A_MODE, %PKRAM_A_UID, %PKRAM_A_GID, %PKRAM_A_SIZE, %PKRAM_A_ALLOCATED,
 *	%PKRAM_A_NR_EXTENTS, %PKRAM_A_STATE, %PKRAM_A_GENERATION,
 *	%PKRAM_A_QUARANTINE, %PKRAM_A_NR_BAD_PAGES, %PKRAM_A_BAD_RANGE
 *	{%PKRAM_A_BASE, %PKRAM_A_OFFSET, %PKRAM_A_SIZE}.
 * @PKRAM_CMD_OBJECT_DISCARD: do; Remove a quarantined object or DMA table
 *	permanently and free its space. ENOENT: nothing has this key. EINVAL: it is
 *	not quarantined. In: %PKRAM_A_OBJECT_KEY.
 * @PKRAM_CMD_HANDOVER_GET: do; Get how the next kernel learns of the regions.
 *	Out: %PKRAM_A_HANDOVER_MODE, %PKRAM_A_CMDLINE, %PKRAM_A_KEXEC_GUARD,
 *	%PKRAM_A_KEXEC_LOADED.
 * @PKRAM_CMD_DMA_TABLE_GET: dump; List the DMA tables (linux/pkram_vfio.h) with
 *	their mappings by rising address. Mappings that do not fit into one message
 *	follow in others of the same key. The name in a mapping is absent if the
 *	object is gone. Out: %PKRAM_A_OBJECT_KEY, %PKRAM_A_DMA_TABLE, %PKRAM_A_UID,
 *	%PKRAM_A_GID, %PKRAM_A_NR_ENTRIES, %PKRAM_A_SUSPENDED, %PKRAM_A_IN_USE,
 *	%PKRAM_A_QUARANTINE, %PKRAM_A_ENTRY {%PKRAM_A_IOVA, %PKRAM_A_SIZE,
 *	%PKRAM_A_OBJECT_ID, %PKRAM_A_NAME, %PKRAM_A_OFFSET, %PKRAM_A_PROT}.
 * @PKRAM_CMD_DMA_TABLE_REMOVE: do; Remove a DMA table that is not in use.
 *	ENOENT: no DMA table has this key. EBUSY: a VFIO container uses it. EUCLEAN:
 *	it is quarantined, object-discard removes it. In: %PKRAM_A_OBJECT_KEY.
 * @PKRAM_CMD_COUNTERS_GET: do; Get how often something happened since the
 *	module was loaded. It tells about other users' objects, so it needs
 *	CAP_SYS_ADMIN. Out: %PKRAM_A_COMMITS, %PKRAM_A_REPAIRS, %PKRAM_A_FAULTS_4K,
 *	%PKRAM_A_FAULTS_2M, %PKRAM_A_FAULTS_1G, %PKRAM_A_POPULATES, %PKRAM_A_WAITS,
 *	%PKRAM_A_ZEROED, %PKRAM_A_KEXEC_REFUSED, %PKRAM_A_QUARANTINED,
 *	%PKRAM_A_ATTACH_USECS, %PKRAM_A_BAD_PAGES.
 * @PKRAM_CMD_POOL_GROW_NTF: event; The pool took memory from the system. Has:
 *	%PKRAM_A_BASE, %PKRAM_A_SIZE.
 * @PKRAM_CMD_POOL_ADOPT_NTF: event; Reserved memory was attached or formatted.
 *	A listener lists all objects again. Has: %PKRAM_A_BASE, %PKRAM_A_SIZE.
 * @PKRAM_CMD_POOL_SHRINK_NTF: event; The pool gave memory back to the system.
 *	Has: %PKRAM_A_BASE, %PKRAM_A_SIZE.
 * @PKRAM_CMD_REGION_QUARANTINE_NTF: event; Reserved memory has no usable
 *	region. Has: %PKRAM_A_BASE, %PKRAM_A_SIZE, %PKRAM_A_QUARANTINE.
 * @PKRAM_CMD_HANDOVER_NTF: event; The way in which the next kernel learns of
 *	the regions changed. Has: %PKRAM_A_HANDOVER_MODE.
 * @PKRAM_CMD_KEXEC_REFUSE_NTF: event; A kexec image that would have overwritten
 *	the pool was refused. Has: %PKRAM_A_REASON.
 * @PKRAM_CMD_OBJECT_CREATE_NTF: event; A file or directory was created. All
 *	events of objects have the attributes that object-get shows, except bad
 *	pages, as they are after the change. Has: %PKRAM_A_OBJECT_KEY,
 *	%PKRAM_A_OBJECT_ID, %PKRAM_A_NAME, %PKRAM_A_MODE, %PKRAM_A_UID, %PKRAM_A_GID,
 *	%PKRAM_A_SIZE, %PKRAM_A_ALLOCATED, %PKRAM_A_NR_EXTENTS, %PKRAM_A_STATE,
 *	%PKRAM_A_GENERATION, %PKRAM_A_QUARANTINE.
 * @PKRAM_CMD_OBJECT_REMOVE_NTF: event; The name of the object was removed; its
 *	memory is freed at the last close. Has: %PKRAM_A_OBJECT_KEY,
 *	%PKRAM_A_OBJECT_ID, %PKRAM_A_NAME, %PKRAM_A_MODE, %PKRAM_A_UID, %PKRAM_A_GID,
 *	%PKRAM_A_SIZE, %PKRAM_A_ALLOCATED, %PKRAM_A_NR_EXTENTS, %PKRAM_A_STATE,
 *	%PKRAM_A_GENERATION, %PKRAM_A_QUARANTINE.
 * @PKRAM_CMD_OBJECT_RENAME_NTF: event; The object was renamed. If it is a
 *	directory, everything in it has a new path. Has: %PKRAM_A_OBJECT_KEY,
 *	%PKRAM_A_OBJECT_ID, %PKRAM_A_NAME, %PKRAM_A_MODE, %PKRAM_A_UID, %PKRAM_A_GID,
 *	%PKRAM_A_SIZE, %PKRAM_A_ALLOCATED, %PKRAM_A_NR_EXTENTS, %PKRAM_A_STATE,
 *	%PKRAM_A_GENERATION, %PKRAM_A_QUARANTINE, %PKRAM_A_OLD_NAME.
 * @PKRAM_CMD_OBJECT_CHANGE_NTF: event; The owner or permissions changed, or the
 *	size did, other than by a write past the end. Has: %PKRAM_A_OBJECT_KEY,
 *	%PKRAM_A_OBJECT_ID, %PKRAM_A_NAME, %PKRAM_A_MODE, %PKRAM_A_UID, %PKRAM_A_GID,
 *	%PKRAM_A_SIZE, %PKRAM_A_ALLOCATED, %PKRAM_A_NR_EXTENTS, %PKRAM_A_STATE,
 *	%PKRAM_A_GENERATION, %PKRAM_A_QUARANTINE.
 * @PKRAM_CMD_OBJECT_LABEL_NTF: event; A label was set or removed. Has:
 *	%PKRAM_A_OBJECT_KEY, %PKRAM_A_OBJECT_ID, %PKRAM_A_NAME, %PKRAM_A_MODE,
 *	%PKRAM_A_UID, %PKRAM_A_GID, %PKRAM_A_SIZE, %PKRAM_A_ALLOCATED,
 *	%PKRAM_A_NR_EXTENTS, %PKRAM_A_STATE, %PKRAM_A_GENERATION,
 *	%PKRAM_A_QUARANTINE, %PKRAM_A_LABEL.
 * @PKRAM_CMD_OBJECT_CLAIM_NTF: event; An open file claimed the object. Has:
 *	%PKRAM_A_OBJECT_KEY, %PKRAM_A_OBJECT_ID, %PKRAM_A_NAME, %PKRAM_A_MODE,
 *	%PKRAM_A_UID, %PKRAM_A_GID, %PKRAM_A_SIZE, %PKRAM_A_ALLOCATED,
 *	%PKRAM_A_NR_EXTENTS, %PKRAM_A_STATE, %PKRAM_A_GENERATION,
 *	%PKRAM_A_QUARANTINE.
 * @PKRAM_CMD_OBJECT_RELEASE_NTF: event; The claim ended with its open file.
 *	Has: %PKRAM_A_OBJECT_KEY, %PKRAM_A_OBJECT_ID, %PKRAM_A_NAME, %PKRAM_A_MODE,
 *	%PKRAM_A_UID, %PKRAM_A_GID, %PKRAM_A_SIZE, %PKRAM_A_ALLOCATED,
 *	%PKRAM_A_NR_EXTENTS, %PKRAM_A_STATE, %PKRAM_A_GENERATION,
 *	%PKRAM_A_QUARANTINE.
 * @PKRAM_CMD_OBJECT_SEAL_NTF: event; The object was sealed. Has:
 *	%PKRAM_A_OBJECT_KEY, %PKRAM_A_OBJECT_ID, %PKRAM_A_NAME, %PKRAM_A_MODE,
 *	%PKRAM_A_UID, %PKRAM_A_GID, %PKRAM_A_SIZE, %PKRAM_A_ALLOCATED,
 *	%PKRAM_A_NR_EXTENTS, %PKRAM_A_STATE, %PKRAM_A_GENERATION,
 *	%PKRAM_A_QUARANTINE.
 * @PKRAM_CMD_OBJECT_UNSEAL_NTF: event; The seal was removed without a resume.
 *	Has: %PKRAM_A_OBJECT_KEY, %PKRAM_A_OBJECT_ID, %PKRAM_A_NAME, %PKRAM_A_MODE,
 *	%PKRAM_A_UID, %PKRAM_A_GID, %PKRAM_A_SIZE, %PKRAM_A_ALLOCATED,
 *	%PKRAM_A_NR_EXTENTS, %PKRAM_A_STATE, %PKRAM_A_GENERATION,
 *	%PKRAM_A_QUARANTINE.
 * @PKRAM_CMD_OBJECT_RESUME_NTF: event; A resume consumed the seal. Has:
 *	%PKRAM_A_OBJECT_KEY, %PKRAM_A_OBJECT_ID, %PKRAM_A_NAME, %PKRAM_A_MODE,
 *	%PKRAM_A_UID, %PKRAM_A_GID, %PKRAM_A_SIZE, %PKRAM_A_ALLOCATED,
 *	%PKRAM_A_NR_EXTENTS, %PKRAM_A_STATE, %PKRAM_A_GENERATION,
 *	%PKRAM_A_QUARANTINE.
 * @PKRAM_CMD_OBJECT_QUARANTINE_NTF: event; The loader quarantined the object.
 *	Has: %PKRAM_A_OBJECT_KEY, %PKRAM_A_OBJECT_ID, %PKRAM_A_NAME, %PKRAM_A_MODE,
 *	%PKRAM_A_UID, %PKRAM_A_GID, %PKRAM_A_SIZE, %PKRAM_A_ALLOCATED,
 *	%PKRAM_A_NR_EXTENTS, %PKRAM_A_STATE, %PKRAM_A_GENERATION,
 *	%PKRAM_A_QUARANTINE.
 * @PKRAM_CMD_OBJECT_DISCARD_NTF: event; A quarantined object was removed
 *	permanently. Has: %PKRAM_A_OBJECT_KEY, %PKRAM_A_OBJECT_ID, %PKRAM_A_NAME,
 *	%PKRAM_A_MODE, %PKRAM_A_UID, %PKRAM_A_GID, %PKRAM_A_SIZE, %PKRAM_A_ALLOCATED,
 *	%PKRAM_A_NR_EXTENTS, %PKRAM_A_STATE, %PKRAM_A_GENERATION,
 *	%PKRAM_A_QUARANTINE.
 * @PKRAM_CMD_OBJECT_DAMAGE_NTF: event; Some of the memory of the object is not
 *	usable; sent once for each object. Has: %PKRAM_A_OBJECT_KEY,
 *	%PKRAM_A_OBJECT_ID, %PKRAM_A_NAME, %PKRAM_A_MODE, %PKRAM_A_UID, %PKRAM_A_GID,
 *	%PKRAM_A_SIZE, %PKRAM_A_ALLOCATED, %PKRAM_A_NR_EXTENTS, %PKRAM_A_STATE,
 *	%PKRAM_A_GENERATION, %PKRAM_A_QUARANTINE, %PKRAM_A_REASON.
 * @PKRAM_CMD_PAGE_BAD_NTF: event; A memory error broke the page of 4 KiB at
 *	base. If an object has it, the event has the attributes of the object, and
 *	the offset of the page in it. Has: %PKRAM_A_BASE, %PKRAM_A_OBJECT_KEY,
 *	%PKRAM_A_OBJECT_ID, %PKRAM_A_NAME, %PKRAM_A_MODE, %PKRAM_A_UID, %PKRAM_A_GID,
 *	%PKRAM_A_SIZE, %PKRAM_A_ALLOCATED, %PKRAM_A_NR_EXTENTS, %PKRAM_A_STATE,
 *	%PKRAM_A_GENERATION, %PKRAM_A_QUARANTINE, %PKRAM_A_OFFSET.
 */
enum pkram_cmd {
	PKRAM_CMD_POOL_GET = 1,
	PKRAM_CMD_REGION_GET,
	PKRAM_CMD_POOL_GROW,
	PKRAM_CMD_POOL_ADOPT,
	PKRAM_CMD_POOL_SHRINK,
	PKRAM_CMD_OBJECT_GET,
	PKRAM_CMD_OBJECT_DISCARD,
	PKRAM_CMD_HANDOVER_GET,
	PKRAM_CMD_DMA_TABLE_GET,
	PKRAM_CMD_DMA_TABLE_REMOVE,
	PKRAM_CMD_COUNTERS_GET,
	PKRAM_CMD_POOL_GROW_NTF,
	PKRAM_CMD_POOL_ADOPT_NTF,
	PKRAM_CMD_POOL_SHRINK_NTF,
	PKRAM_CMD_REGION_QUARANTINE_NTF,
	PKRAM_CMD_HANDOVER_NTF,
	PKRAM_CMD_KEXEC_REFUSE_NTF,
	PKRAM_CMD_OBJECT_CREATE_NTF,
	PKRAM_CMD_OBJECT_REMOVE_NTF,
	PKRAM_CMD_OBJECT_RENAME_NTF,
	PKRAM_CMD_OBJECT_CHANGE_NTF,
	PKRAM_CMD_OBJECT_LABEL_NTF,
	PKRAM_CMD_OBJECT_CLAIM_NTF,
	PKRAM_CMD_OBJECT_RELEASE_NTF,
	PKRAM_CMD_OBJECT_SEAL_NTF,
	PKRAM_CMD_OBJECT_UNSEAL_NTF,
	PKRAM_CMD_OBJECT_RESUME_NTF,
	PKRAM_CMD_OBJECT_QUARANTINE_NTF,
	PKRAM_CMD_OBJECT_DISCARD_NTF,
	PKRAM_CMD_OBJECT_DAMAGE_NTF,
	PKRAM_CMD_PAGE_BAD_NTF,

	__PKRAM_CMD_MAX
};

#define PKRAM_CMD_MAX (__PKRAM_CMD_MAX - 1)

#define PKRAM_GENL_MCGRP_EVENTS	"events"

#endif /* _UAPI_LINUX_PKRAM_NETLINK_H */
