/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * User-space interface of pkram, RAM that survives kexec.
 *
 * A generic netlink family controls the pool as a whole; ioctls on a file of pkramfs
 * control that file. Every refusal over netlink has an extended-ack text that says
 * what is wrong and what to do.
 */
#ifndef _UAPI_LINUX_PKRAM_H
#define _UAPI_LINUX_PKRAM_H

#include <linux/ioctl.h>
#include <linux/pkram_netlink.h>
#include <linux/types.h>

#define PKRAM_FS_NAME		"pkramfs"
#define PKRAM_FS_MAGIC		0x706b726d	/* "pkrm" */

#define PKRAM_UNIT_SIZE		(1ULL << 21)	/* unit of allocation */
#define PKRAM_GIB_SIZE		(1ULL << 30)	/* unit of growing and shrinking */

/*
 * Generic netlink: commands and attributes are in linux/pkram_netlink.h, which is
 * generated from pkram.yaml.
 *
 * The family is in the initial network namespace. Commands that change something,
 * OBJECT_GET, DMA_TABLE_GET and the events need CAP_SYS_ADMIN in the initial user
 * namespace. A command refuses attributes that it does not name.
 *
 * A dump during which regions were added, removed or attached has NLM_F_DUMP_INTR:
 * it must be requested again.
 *
 * Events go to the multicast group %PKRAM_GENL_MCGRP_EVENTS. Those of objects come
 * in the order in which the changes were committed. A listener that is too slow
 * gets ENOBUFS and must list again.
 */

/**
 * enum pkram_state - what an object is doing
 * @PKRAM_STATE_IDLE: an ordinary file
 * @PKRAM_STATE_CLAIMED: one open file uses it as guest RAM
 * @PKRAM_STATE_SEALED: saved; waits for the resume
 * @PKRAM_STATE_RUNNING: the claim ended without a seal:
 *	the content is what the guest left; no saved state belongs to it
 */
enum pkram_state {
	PKRAM_STATE_IDLE,
	PKRAM_STATE_CLAIMED,
	PKRAM_STATE_SEALED,
	PKRAM_STATE_RUNNING,
};

/**
 * enum pkram_handover_mode - how the next kernel learns of the regions
 * @PKRAM_HANDOVER_NONE: there is no region
 * @PKRAM_HANDOVER_E820: by the memory map that kexec_file_load(2) passes on
 * @PKRAM_HANDOVER_MEMMAP: by words on the next kernel's command line, which
 *	%PKRAM_A_CMDLINE has; without them the next kernel uses the memory
 */
enum pkram_handover_mode {
	PKRAM_HANDOVER_NONE,
	PKRAM_HANDOVER_E820,
	PKRAM_HANDOVER_MEMMAP,
};

/*
 * open(2) of a regular file of pkramfs for writing with O_EXCL, but without O_CREAT,
 * is exclusive: EBUSY while the file is open for writing elsewhere, and while it lasts,
 * every other open for writing is EBUSY. A sealed file can be opened for writing in no
 * other way. While an open has a claim, any other open for writing is EBUSY.
 */

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
 * @nr_bad_pages: out: number of 4K pages that memory errors broke, see
 *	PKRAM_IOC_BAD
 * @cookie: out: of the seal, to the file's owner and to CAP_FOWNER, else zero
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
	__u64 nr_bad_pages;
	__u8 cookie[16];
};

/**
 * struct pkram_ioc_leaves - PKRAM_IOC_LEAVES: page-table leaves that map the
 *	file
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
 * struct pkram_ioc_claim - PKRAM_IOC_CLAIM: claim the object
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
#define PKRAM_CLAIM_UNSEAL	(1U << 1)	/* even if sealed: give the seal up */

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
 * @offset: in: start of the range, in bytes; may be beyond the end of the file,
 *	whose size stays
 * @bytes: in: length of the range
 * @node: in: this node's memory first
 * @reserved: in: 0
 *
 * Memory that the range has stays. ENOSPC: not enough memory; nothing was
 * taken.
 *
 * With %PKRAM_ALLOC_SPARSE nothing is taken, and the file becomes as long as
 * the end of the range if it is shorter. @node must be 0.
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
#define PKRAM_ALLOC_SPARSE	(1U << 1)	/* no memory: only the size */

/**
 * struct pkram_ioc_bad - PKRAM_IOC_BAD: find a part that memory errors broke
 * @size: in: size of this struct
 * @flags: in: 0
 * @offset: in: look from there on; out: where the bad part begins
 * @bytes: out: its length
 *
 * ENODATA: there is none. Reading a bad page is EIO, a mapping gets SIGBUS.
 */
struct pkram_ioc_bad {
	__u32 size;
	__u32 flags;
	__u64 offset;
	__u64 bytes;
};

/**
 * struct pkram_resume_one - an object of PKRAM_IOC_RESUME_ALL
 * @fd: open file that has the claim
 * @reserved: 0
 * @cookie: of the seal
 */
struct pkram_resume_one {
	__s32 fd;
	__u32 reserved;
	__u8 cookie[16];
};

#define PKRAM_RESUME_MAX	64	/* objects at a time */

/**
 * struct pkram_ioc_resume_all - PKRAM_IOC_RESUME_ALL: consume several seals, or
 *	none
 * @size: in: size of this struct
 * @flags: in: 0
 * @nr: in: number of objects, up to %PKRAM_RESUME_MAX
 * @reserved: in: 0
 * @objects: in: address of an array of &struct pkram_resume_one
 *
 * For a guest with several objects: no signal comes between. Errors are those
 * of PKRAM_IOC_RESUME for any of them; EBADF also: not a file of pkramfs.
 */
struct pkram_ioc_resume_all {
	__u32 size;
	__u32 flags;
	__u32 nr;
	__u32 reserved;
	__u64 objects;
};

#define PKRAM_IOC_MAGIC		0xb7
#define PKRAM_IOC_INFO		_IOWR(PKRAM_IOC_MAGIC, 0, struct pkram_ioc_info)
#define PKRAM_IOC_LEAVES	_IOWR(PKRAM_IOC_MAGIC, 1, struct pkram_ioc_leaves)
#define PKRAM_IOC_CLAIM		_IOWR(PKRAM_IOC_MAGIC, 2, struct pkram_ioc_claim)
#define PKRAM_IOC_SEAL		_IOWR(PKRAM_IOC_MAGIC, 3, struct pkram_ioc_seal)
#define PKRAM_IOC_RESUME	_IOWR(PKRAM_IOC_MAGIC, 4, struct pkram_ioc_seal)
#define PKRAM_IOC_ALLOC		_IOWR(PKRAM_IOC_MAGIC, 5, struct pkram_ioc_alloc)
#define PKRAM_IOC_BAD		_IOWR(PKRAM_IOC_MAGIC, 6, struct pkram_ioc_bad)
#define PKRAM_IOC_RESUME_ALL \
	_IOWR(PKRAM_IOC_MAGIC, 7, struct pkram_ioc_resume_all)

#endif /* _UAPI_LINUX_PKRAM_H */
