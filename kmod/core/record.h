/* SPDX-License-Identifier: GPL-2.0 */
/* Records: &struct pkram_record_ser in CPU byte order; reading, checking and encoding it. */
#ifndef _PKRAM_RECORD_H
#define _PKRAM_RECORD_H

#include "core/slot.h"

struct pkram_time {
	s64 sec;
	u32 nsec;
};

struct pkram_seal {
	u32 state;
	u64 generation;
	u8 cookie[16];
	u8 vm_uuid[16];
};

struct pkram_extent {
	u64 region_id;
	u32 obj_unit;
	u32 region_unit;
	u32 nr_units;
};

/** struct pkram_entry - fields as in &struct pkram_entry_ser */
struct pkram_entry {
	u64 iova;
	u64 size;
	u64 object;
	u64 offset;
	u32 prot;
};

/**
 * struct pkram_record - a decoded record
 * @xattrs: @xattr_len bytes in the format of the preserved area, or NULL
 * @extents: @nr_extents of them, or NULL
 * @entries: @nr_entries of them, or NULL: of a DMA table, which has no extents
 * @extents_known: false: it is bad, and may own units that @extents does not have
 *
 * The other fields are those of &struct pkram_record_ser. The three buffers are
 * from pkram_alloc_mem() and belong to the holder of the record.
 */
struct pkram_record {
	u64 seq;
	u64 id;
	u64 parent;
	u64 replaces;
	u64 size;
	u16 kind;
	u16 name_len;
	u32 mode;
	u32 uid;
	u32 gid;
	struct pkram_time atime;
	struct pkram_time mtime;
	struct pkram_time ctime;
	struct pkram_time btime;
	struct pkram_seal seal;
	char name[PKRAM_NAME_MAX + 1];
	u32 xattr_len;
	u32 nr_extents;
	u32 nr_entries;
	u32 table_state;
	bool extents_known;
	u8 *xattrs;
	struct pkram_extent *extents;
	struct pkram_entry *entries;
};

/** pkram_record_len() - Compute the length of an encoded record */
static inline size_t pkram_record_len(const struct pkram_record *r)
{
	return sizeof(struct pkram_record_ser) + ALIGN((size_t)r->xattr_len, 8) +
	       (size_t)r->nr_extents * sizeof(struct pkram_extent_ser) +
	       (size_t)r->nr_entries * sizeof(struct pkram_entry_ser);
}

/**
 * pkram_record_encode() - Encode a record into a slot's image
 * @buf: out: pkram_record_len() bytes, 8-byte aligned
 * @r: in
 * @pool_seed: pkram_pool_seed() of the pool
 *
 * Return: bytes used, a multiple of 8.
 */
size_t pkram_record_encode(void *buf, const struct pkram_record *r,
			   u32 pool_seed);

/**
 * pkram_record_read() - Decode a record from its two slots
 * @a: slot A; slot B follows at @a + @slot_size
 * @slot_size: bytes of a slot
 * @pool_seed: pkram_pool_seed() of the pool
 * @r: out; on %PKRAM_OK has buffers, see pkram_record_release(). On another
 *	verdict except %PKRAM_BAD_CHECKSUM the fixed fields, name and extents are
 *	set as far as they could be read; it must be released as well.
 * @cur: out: 0 or 1, the slot in use
 * @mirror: out: the other slot differs and should be written again
 *
 * Performs all checks that need no other record. Context: allocates memory.
 * Return: an &enum pkram_bad, or -ENOMEM.
 */
int pkram_record_read(const void *a, u32 slot_size, u32 pool_seed,
		      struct pkram_record *r, int *cur, bool *mirror);

/**
 * pkram_record_last_seq() - Find out what a new version must go on from
 * @a: slot A; slot B follows at @a + @slot_size
 * @slot_size: bytes of a slot
 * @pool_seed: pkram_pool_seed() of the pool
 * @cur: out: 0 or 1, the slot that counts; the other one is to be written first
 *
 * Return: the highest sequence number of the valid slots; 0 if there is none.
 */
u64 pkram_record_last_seq(const void *a, u32 slot_size, u32 pool_seed, int *cur);

/**
 * pkram_record_mirror() - Copy the slot that counts over the other one
 * @a: slot A; slot B follows at @a + @slot_size
 * @slot_size: bytes of a slot
 * @pool_seed: pkram_pool_seed() of the pool
 * @buf: room for a slot, 8-byte aligned
 *
 * The content may be bad, or of an unknown kind. Does nothing if no slot counts, or
 * if both are valid and have one number.
 */
void pkram_record_mirror(void *a, u32 slot_size, u32 pool_seed, void *buf);

/** pkram_record_release() - Free the buffers of a record */
void pkram_record_release(struct pkram_record *r);

/** pkram_name_ok() - Check whether an object other than the root may have this name */
bool pkram_name_ok(const char *name, u32 len);

/**
 * pkram_entry_ok() - Validate an entry of a DMA table
 * @e: the entry
 * @from: lowest IOVA that it may have
 * @next: out: lowest IOVA that the next entry may have, 0 if there can be none
 */
bool pkram_entry_ok(const struct pkram_entry *e, u64 from, u64 *next);

/** pkram_pool_seed() - Compute the seed of the checksums of a pool's records */
u32 pkram_pool_seed(const u8 pool_uuid[16]);

#endif /* _PKRAM_RECORD_H */
