/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * pkram: RAM that outlives the kernel. The interface to user space.
 *
 * Two doors: a generic netlink family for the pool as a whole, and ioctls on
 * a file of pkramfs for that one file. Every refusal over netlink carries an
 * extended-ack text that says what was wrong and what to do.
 */
#ifndef _UAPI_LINUX_PKRAM_H
#define _UAPI_LINUX_PKRAM_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define PKRAM_FS_NAME		"pkramfs"
#define PKRAM_FS_MAGIC		0x706b726d	/* "pkrm" */

#define PKRAM_UNIT_SIZE		(1ULL << 21)	/* unit of allocation */
#define PKRAM_GIB_SIZE		(1ULL << 30)	/* unit of growing and shrinking */

/* Generic netlink */

#define PKRAM_GENL_NAME		"pkram"
#define PKRAM_GENL_VERSION	1
#define PKRAM_GENL_MCGRP_EVENTS	"events"

/**
 * enum pkram_cmd - commands of the family "pkram"
 * @PKRAM_CMD_UNSPEC: never used
 * @PKRAM_CMD_POOL_GET: do; answer: %PKRAM_A_POOL_UUID and
 *	%PKRAM_A_FORMAT_VERSION (absent as long as there is no pool),
 *	%PKRAM_A_READ_ONLY, %PKRAM_A_NR_REGIONS, %PKRAM_A_NR_OBJECTS,
 *	%PKRAM_A_NR_QUARANTINED, %PKRAM_A_SIZE, %PKRAM_A_FREE, %PKRAM_A_META,
 *	%PKRAM_A_PENDING, %PKRAM_A_GIB_1G, %PKRAM_A_GIB_2M
 * @PKRAM_CMD_REGION_GET: dump; one message a region, by rising address:
 *	%PKRAM_A_BASE (for CAP_SYS_ADMIN), %PKRAM_A_GIB (from its first to its
 *	last one), %PKRAM_A_SIZE (what belongs to it of that),
 *	%PKRAM_A_REGION_UUID, %PKRAM_A_FORMAT_VERSION, %PKRAM_A_NODE,
 *	%PKRAM_A_READ_ONLY, %PKRAM_A_FREE, %PKRAM_A_META, %PKRAM_A_GIB_1G,
 *	%PKRAM_A_GIB_2M. Then one for each reserved range that holds no usable
 *	region: %PKRAM_A_BASE (as above), %PKRAM_A_SIZE, %PKRAM_A_QUARANTINE.
 * @PKRAM_CMD_POOL_GROW: do, admin; grow. In: %PKRAM_A_GIB (how many),
 *	optionally %PKRAM_A_NODE. Answer: %PKRAM_A_GIB (how many were got),
 *	a nest %PKRAM_A_TAKEN {%PKRAM_A_BASE, %PKRAM_A_SIZE} for each new
 *	region, a nest %PKRAM_A_REFUSED {%PKRAM_A_BASE, %PKRAM_A_SIZE,
 *	%PKRAM_A_ERRNO, %PKRAM_A_REASON} for each GiB that was tried in vain.
 *	Getting fewer than asked is no error; getting none is.
 * @PKRAM_CMD_POOL_ADOPT: do, admin. In: %PKRAM_A_BASE, %PKRAM_A_SIZE: a
 *	range that this kernel does not use as RAM (reserved at boot by
 *	memmap=SIZE$START). Attaches the region that is there; without one,
 *	makes a new one if the flag %PKRAM_A_FORMAT is given.
 * @PKRAM_CMD_POOL_SHRINK: do, admin; shrink. In: %PKRAM_A_GIB (how many),
 *	or %PKRAM_A_BASE and %PKRAM_A_SIZE (which). Answer as POOL_GROW, the
 *	nest %PKRAM_A_TAKEN being what was given back.
 * @PKRAM_CMD_OBJECT_GET: dump, admin; one message an object, without the root
 *	directory: %PKRAM_A_OBJECT_KEY, %PKRAM_A_OBJECT_ID, %PKRAM_A_NAME
 *	(absent if longer than PATH_MAX), %PKRAM_A_MODE, %PKRAM_A_UID,
 *	%PKRAM_A_GID, %PKRAM_A_SIZE, %PKRAM_A_ALLOCATED, %PKRAM_A_NR_EXTENTS,
 *	%PKRAM_A_STATE, %PKRAM_A_GENERATION, %PKRAM_A_QUARANTINE. An object
 *	that is there from begin to end is told once, whatever comes and goes,
 *	as it was at one moment.
 * @PKRAM_CMD_OBJECT_DISCARD: do, admin; remove a quarantined object or DMA table
 *	for good and free its space. In: %PKRAM_A_OBJECT_KEY. ENOENT: nothing has
 *	this key; EINVAL: it is not quarantined.
 * @PKRAM_CMD_HANDOVER_GET: do; answer: %PKRAM_A_HANDOVER_MODE,
 *	%PKRAM_A_CMDLINE (for CAP_SYS_ADMIN), %PKRAM_A_KEXEC_GUARD,
 *	%PKRAM_A_KEXEC_LOADED
 * @PKRAM_CMD_DMA_TABLE_GET: dump, admin; the DMA tables
 *	(linux/pkram_vfio.h): %PKRAM_A_OBJECT_KEY, %PKRAM_A_DMA_TABLE,
 *	%PKRAM_A_UID, %PKRAM_A_GID, %PKRAM_A_NR_ENTRIES, %PKRAM_A_SUSPENDED,
 *	%PKRAM_A_IN_USE, %PKRAM_A_QUARANTINE, and for each mapping, by rising
 *	address, a nest %PKRAM_A_ENTRY {%PKRAM_A_IOVA, %PKRAM_A_SIZE,
 *	%PKRAM_A_OBJECT_ID, %PKRAM_A_NAME (of the object; absent if that is
 *	gone), %PKRAM_A_OFFSET, %PKRAM_A_PROT}. Mappings that do not fit into
 *	one message follow in others of the same key.
 * @PKRAM_CMD_DMA_TABLE_REMOVE: do, admin; remove a DMA table for good. In:
 *	%PKRAM_A_OBJECT_KEY. ENOENT: no DMA table has this key; EBUSY: a VFIO
 *	container uses it; EUCLEAN: it is quarantined (OBJECT_DISCARD removes it).
 * @PKRAM_CMD_POOL_GROW_NTF: event; memory came from the system: %PKRAM_A_BASE,
 *	%PKRAM_A_SIZE
 * @PKRAM_CMD_POOL_ADOPT_NTF: event; reserved memory was attached or formatted:
 *	%PKRAM_A_BASE, %PKRAM_A_SIZE. All objects are to be listed anew.
 * @PKRAM_CMD_POOL_SHRINK_NTF: event; memory went back to the system:
 *	%PKRAM_A_BASE, %PKRAM_A_SIZE
 * @PKRAM_CMD_REGION_QUARANTINE_NTF: event; reserved memory holds no usable
 *	region: %PKRAM_A_BASE, %PKRAM_A_SIZE, %PKRAM_A_QUARANTINE
 * @PKRAM_CMD_HANDOVER_NTF: event; what keeps the next kernel off the regions
 *	was changed: %PKRAM_A_HANDOVER_MODE
 * @PKRAM_CMD_KEXEC_REFUSE_NTF: event; an image was refused that would have
 *	overwritten the pool: %PKRAM_A_REASON
 * @PKRAM_CMD_OBJECT_CREATE_NTF: event; a file or directory was made. As all
 *	events of objects it holds what OBJECT_GET tells of one, as it is after
 *	the change.
 * @PKRAM_CMD_OBJECT_REMOVE_NTF: event; it has no name any more; its memory is
 *	freed at the last close
 * @PKRAM_CMD_OBJECT_RENAME_NTF: event; also %PKRAM_A_OLD_NAME. Of a directory:
 *	the names of all that is in it have changed too.
 * @PKRAM_CMD_OBJECT_CHANGE_NTF: event; owner or permissions were changed, or
 *	the size other than by writing behind the end
 * @PKRAM_CMD_OBJECT_LABEL_NTF: event; a label was set or removed; also
 *	%PKRAM_A_LABEL
 * @PKRAM_CMD_OBJECT_CLAIM_NTF: event; an open file claimed it
 * @PKRAM_CMD_OBJECT_RELEASE_NTF: event; the claim ended with its open file
 * @PKRAM_CMD_OBJECT_SEAL_NTF: event; it was sealed
 * @PKRAM_CMD_OBJECT_UNSEAL_NTF: event; its seal was given up without a resume
 * @PKRAM_CMD_OBJECT_RESUME_NTF: event; its seal was consumed by a resume
 * @PKRAM_CMD_OBJECT_QUARANTINE_NTF: event; the loader refused it
 * @PKRAM_CMD_OBJECT_DISCARD_NTF: event; a quarantined one was removed for good
 * @PKRAM_CMD_OBJECT_DAMAGE_NTF: event; some of its memory is not usable; told
 *	once for each object; also %PKRAM_A_REASON
 *
 * Events go to the multicast group %PKRAM_GENL_MCGRP_EVENTS, which only admin
 * can join. Those of objects come in the order in which the changes were
 * committed. A listener that is too slow gets ENOBUFS and lists anew.
 *
 * A dump during which regions came, went or were attached has NLM_F_DUMP_INTR: it
 * is to be asked for again.
 *
 * "admin" is CAP_SYS_ADMIN in the initial user namespace; the family is in the
 * initial network namespace. A command refuses attributes it does not name.
 */
enum pkram_cmd {
	PKRAM_CMD_UNSPEC,
	PKRAM_CMD_POOL_GET,
	PKRAM_CMD_REGION_GET,
	PKRAM_CMD_POOL_GROW,
	PKRAM_CMD_POOL_ADOPT,
	PKRAM_CMD_POOL_SHRINK,
	PKRAM_CMD_OBJECT_GET,
	PKRAM_CMD_OBJECT_DISCARD,
	PKRAM_CMD_HANDOVER_GET,
	PKRAM_CMD_DMA_TABLE_GET,
	PKRAM_CMD_DMA_TABLE_REMOVE,
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
	__PKRAM_CMD_MAX
};

#define PKRAM_CMD_MAX (__PKRAM_CMD_MAX - 1)

/**
 * enum pkram_attr - attributes of the family "pkram", one space for all
 * @PKRAM_A_UNSPEC: never used
 * @PKRAM_A_PAD: alignment of 64-bit attributes
 * @PKRAM_A_GIB: u32, a number of GiB
 * @PKRAM_A_NODE: u32, NUMA node
 * @PKRAM_A_BASE: u64, physical address in bytes
 * @PKRAM_A_SIZE: u64, bytes
 * @PKRAM_A_FORMAT: flag
 * @PKRAM_A_TAKEN: nest, may stand several times
 * @PKRAM_A_REFUSED: nest, may stand several times
 * @PKRAM_A_ERRNO: u32, positive errno
 * @PKRAM_A_REASON: string, for people
 * @PKRAM_A_POOL_UUID: 16 bytes
 * @PKRAM_A_REGION_UUID: 16 bytes
 * @PKRAM_A_FORMAT_VERSION: u32
 * @PKRAM_A_READ_ONLY: flag; the pool or region may not be changed
 * @PKRAM_A_NR_REGIONS: u32
 * @PKRAM_A_NR_OBJECTS: u32, files and directories, without quarantined ones
 * @PKRAM_A_NR_QUARANTINED: u32, files, directories and DMA tables
 * @PKRAM_A_FREE: u64, bytes that can be allocated
 * @PKRAM_A_META: u64, bytes that hold metadata
 * @PKRAM_A_GIB_1G: u32, GiB that are sliced as one 1G folio
 * @PKRAM_A_GIB_2M: u32, GiB that are sliced as 2M folios
 * @PKRAM_A_OBJECT_ID: u64
 * @PKRAM_A_OBJECT_KEY: u64, names an object or a DMA table, quarantined
 *	ones included
 * @PKRAM_A_NAME: string, path from the root of the file system
 * @PKRAM_A_MODE: u32, as st_mode
 * @PKRAM_A_UID: u32
 * @PKRAM_A_GID: u32
 * @PKRAM_A_ALLOCATED: u64, bytes
 * @PKRAM_A_NR_EXTENTS: u32
 * @PKRAM_A_STATE: u32, &enum pkram_state
 * @PKRAM_A_GENERATION: u64, number of seals so far
 * @PKRAM_A_QUARANTINE: string, why the object is quarantined; absent if not
 * @PKRAM_A_HANDOVER_MODE: u32, &enum pkram_handover_mode
 * @PKRAM_A_CMDLINE: string, what the next kernel's command line must hold;
 *	absent if nothing
 * @PKRAM_A_KEXEC_GUARD: flag; kexec_load(2) is refused
 * @PKRAM_A_KEXEC_LOADED: flag; a kexec image is loaded
 * @PKRAM_A_PENDING: u64, bytes that were freed but are still pinned by
 *	somebody (O_DIRECT, io_uring, VFIO) and cannot be reused yet
 * @PKRAM_A_OLD_NAME: string, as %PKRAM_A_NAME, before a rename
 * @PKRAM_A_LABEL: string, name of a label, without "user."
 * @PKRAM_A_DMA_TABLE: string, name of a DMA table; absent if it was lost
 * @PKRAM_A_NR_ENTRIES: u32, mappings of a DMA table
 * @PKRAM_A_SUSPENDED: flag; its mappings have no user addresses
 * @PKRAM_A_IN_USE: flag; a VFIO container uses it
 * @PKRAM_A_ENTRY: nest, may stand several times
 * @PKRAM_A_IOVA: u64, address that devices use
 * @PKRAM_A_OFFSET: u64, bytes
 * @PKRAM_A_PROT: u32; 1: devices read there, 2: they write, 3: both
 */
enum pkram_attr {
	PKRAM_A_UNSPEC,
	PKRAM_A_PAD,
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
	__PKRAM_A_MAX
};

#define PKRAM_A_MAX (__PKRAM_A_MAX - 1)

/**
 * enum pkram_state - what an object is doing
 * @PKRAM_STATE_IDLE: an ordinary file
 * @PKRAM_STATE_CLAIMED: one open file uses it as guest RAM
 * @PKRAM_STATE_SEALED: its owner saved and went; waits for the resume
 * @PKRAM_STATE_RUNNING: it was claimed, and its owner went without a seal:
 *	the content is whatever the guest had; no saved state belongs to it
 */
enum pkram_state {
	PKRAM_STATE_IDLE,
	PKRAM_STATE_CLAIMED,
	PKRAM_STATE_SEALED,
	PKRAM_STATE_RUNNING,
};

/**
 * enum pkram_handover_mode - how the next kernel is kept off the regions
 * @PKRAM_HANDOVER_NONE: there is no region
 * @PKRAM_HANDOVER_E820: by the memory map that kexec_file_load(2) passes on
 * @PKRAM_HANDOVER_MEMMAP: by words on the next kernel's command line, which
 *	%PKRAM_A_CMDLINE names; without them the next kernel uses the memory
 */
enum pkram_handover_mode {
	PKRAM_HANDOVER_NONE,
	PKRAM_HANDOVER_E820,
	PKRAM_HANDOVER_MEMMAP,
};

/*
 * ioctls on a regular file of pkramfs.
 *
 * Every struct begins with its own size as the caller knows it. A larger
 * struct than the kernel's is accepted if what the kernel does not know is
 * zero (else E2BIG); a smaller one is filled as far as it goes.
 *
 *	EINVAL	size too small, unknown flag, reserved field not zero
 *	EBUSY	claimed or sealed by another
 *	ENODATA	no seal to resume
 *	ESTALE	the cookie is not that of the seal
 *	EPERM	not the claiming open file
 *	EBADF	file not open for writing
 *	ENOSPC	not enough memory in the pool, or on the node
 *	EUCLEAN	the object is damaged
 *	EROFS	the pool is attached read-only
 */

/**
 * struct pkram_ioc_info - PKRAM_IOC_INFO: what the object is
 * @size: in: size of this struct
 * @flags: in: 0
 * @object_id: out: number of the object, for its whole life
 * @bytes: out: size in bytes
 * @allocated: out: bytes of memory held
 * @generation: out: number of seals so far
 * @state: out: &enum pkram_state
 * @nr_extents: out: number of extents
 * @align: out: alignment in bytes that gives the largest leaves (1G or 2M)
 * @vm_uuid: out: of the seal, else zero
 * @pool_uuid: out: the pool
 */
struct pkram_ioc_info {
	__u32 size;
	__u32 flags;
	__u64 object_id;
	__u64 bytes;
	__u64 allocated;
	__u64 generation;
	__u32 state;
	__u32 nr_extents;
	__u64 align;
	__u8 vm_uuid[16];
	__u8 pool_uuid[16];
};

/**
 * struct pkram_ioc_leaves - PKRAM_IOC_LEAVES: page-table leaves that map the file
 * @size: in: size of this struct
 * @flags: in: 0
 * @leaves_4k: out: number of 4K leaves, over all mappings of all processes
 * @leaves_2m: out: number of 2M leaves
 * @leaves_1g: out: number of 1G leaves
 */
struct pkram_ioc_leaves {
	__u32 size;
	__u32 flags;
	__u64 leaves_4k;
	__u64 leaves_2m;
	__u64 leaves_1g;
};

/**
 * struct pkram_ioc_claim - PKRAM_IOC_CLAIM: become the one owner
 * @size: in: size of this struct
 * @flags: in: PKRAM_CLAIM_*
 * @vm_uuid: in: with %PKRAM_CLAIM_SEALED: must be that of the seal, unless
 *	zero
 * @bytes: in: with %PKRAM_CLAIM_SEALED: must be the object's size, unless 0
 * @generation: out: of the seal
 *
 * The claim belongs to the open file and ends with its last close.
 */
struct pkram_ioc_claim {
	__u32 size;
	__u32 flags;
	__u8 vm_uuid[16];
	__u64 bytes;
	__u64 generation;
};

#define PKRAM_CLAIM_SEALED	(1U << 0)	/* only if sealed (resume) */
#define PKRAM_CLAIM_DISCARD	(1U << 1)	/* even if sealed: drop the seal */

/**
 * struct pkram_ioc_seal - PKRAM_IOC_SEAL, PKRAM_IOC_RESUME
 * @size: in: size of this struct
 * @flags: in: SEAL: 0; RESUME: PKRAM_RESUME_*
 * @cookie: in: ties the object to one saved state; not all zero. SEAL writes
 *	it, RESUME compares it and consumes the seal.
 * @vm_uuid: in: SEAL: whose RAM this is; RESUME: ignored
 * @generation: out: SEAL: the new generation; RESUME: that of the seal
 */
struct pkram_ioc_seal {
	__u32 size;
	__u32 flags;
	__u8 cookie[16];
	__u8 vm_uuid[16];
	__u64 generation;
};

#define PKRAM_RESUME_CHECK	(1U << 0)	/* compare, but consume nothing */

/**
 * struct pkram_ioc_alloc - PKRAM_IOC_ALLOC: fill holes with a node's memory
 * @size: in: size of this struct
 * @flags: in: PKRAM_ALLOC_*
 * @offset: in: begin of the range, in bytes; may be behind the end of the file,
 *	whose size stays
 * @bytes: in: length of the range
 * @node: in: this node's memory first
 * @reserved: in: 0
 *
 * What has memory in the range keeps it. ENOSPC: not enough; nothing was taken.
 */
struct pkram_ioc_alloc {
	__u32 size;
	__u32 flags;
	__u64 offset;
	__u64 bytes;
	__u32 node;
	__u32 reserved;
};

#define PKRAM_ALLOC_STRICT	(1U << 0)	/* from no other node */

#define PKRAM_IOC_MAGIC		0xb7
#define PKRAM_IOC_INFO		_IOWR(PKRAM_IOC_MAGIC, 0, struct pkram_ioc_info)
#define PKRAM_IOC_LEAVES	_IOWR(PKRAM_IOC_MAGIC, 1, struct pkram_ioc_leaves)
#define PKRAM_IOC_CLAIM		_IOWR(PKRAM_IOC_MAGIC, 2, struct pkram_ioc_claim)
#define PKRAM_IOC_SEAL		_IOWR(PKRAM_IOC_MAGIC, 3, struct pkram_ioc_seal)
#define PKRAM_IOC_RESUME	_IOWR(PKRAM_IOC_MAGIC, 4, struct pkram_ioc_seal)
#define PKRAM_IOC_ALLOC		_IOWR(PKRAM_IOC_MAGIC, 5, struct pkram_ioc_alloc)

#endif /* _UAPI_LINUX_PKRAM_H */
