/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Region headers and records: the structures of layout.h in the machine's own terms,
 * how they are read and checked, and how they are written.
 */
#ifndef _PKRAM_RECORD_H
#define _PKRAM_RECORD_H

#include "core/label.h"
#include "core/layout.h"
#include "core/unitmap.h"

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
 * @entries: @nr_entries of them, or NULL: of a container, which has no extents
 *
 * The other fields are those of &struct pkram_record_ser. The three buffers
 * are from pkram_alloc_mem() and belong to whoever holds the record.
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
	u8 *xattrs;
	struct pkram_extent *extents;
	struct pkram_entry *entries;
};

/**
 * struct pkram_header - a decoded region header
 *
 * The fields are those of &struct pkram_region_ser, but @region_id.
 */
struct pkram_header {
	u64 seq;
	u32 version;
	u32 index;
	u64 compat;
	u64 ro_compat;
	u64 incompat;
	u8 pool_uuid[16];
	u8 region_uuid[16];
	u64 region_id;
	u64 base;
	u32 nr_gib;
	u32 nr_meta;
	u64 created;
	u64 present[PKRAM_REGION_MAX_GIB / 64];
	u32 meta[PKRAM_REGION_MAX_META];
};

/**
 * enum pkram_bad - what is wrong with a piece of metadata
 *
 * pkram_bad_text() has the words.
 */
enum pkram_bad {
	PKRAM_OK = 0,
	PKRAM_BAD_CHECKSUM,	/* both slots fail their check */
	PKRAM_BAD_VERSION,	/* newer format */
	PKRAM_BAD_FEATURE,	/* unknown incompat bit */
	PKRAM_BAD_FIELD,	/* a field has an impossible value */
	PKRAM_BAD_NAME,
	PKRAM_BAD_SIZE,
	PKRAM_BAD_XATTR,
	PKRAM_BAD_EXTENT,	/* outside its region, or unsorted */
	PKRAM_BAD_REGION,	/* an extent names a region that is not there */
	PKRAM_BAD_OVERLAP,	/* shares memory with another object */
	PKRAM_BAD_DUP_ID,
	PKRAM_BAD_DUP_NAME,
	PKRAM_BAD_PARENT,	/* directory missing, not one, or a cycle */
	PKRAM_BAD_MAP,		/* the unit map is damaged where it matters */
	PKRAM_BAD_KIND,		/* a kind of record that this code does not know */
	PKRAM_BAD_ENTRY,	/* a mapping of a container is not possible */
	__PKRAM_BAD_MAX
};

const char *pkram_bad_text(enum pkram_bad bad);

/** pkram_tag() - Make the first word of a slot */
static inline u64 pkram_tag(u32 magic, u32 crc)
{
	return magic | (u64)crc << 32;
}

/**
 * pkram_slot_write() - write one slot so that a cut leaves it old, or void
 * @slot: destination, 8-byte aligned
 * @image: encoded content with its final tag
 * @len: bytes of @image, a multiple of 8
 *
 * The tag is made void first and stored last.
 */
void pkram_slot_write(void *slot, const void *image, size_t len);

/**
 * pkram_pair_commit() - write both slots of a pair, one after the other
 * @a: slot A
 * @b: slot B
 * @cur: 0 if A is what counts now, 1 if B
 * @image: encoded content with its final tag
 * @len: bytes of @image, a multiple of 8
 *
 * A cut at any store leaves the old content or the new. When it returns both
 * slots are the new content, so a later fault in one is repaired by the other.
 */
void pkram_pair_commit(void *a, void *b, int cur, const void *image,
		       size_t len);

/**
 * pkram_header_encode() - make a header slot's image
 * @ser: out
 * @h: in
 */
void pkram_header_encode(struct pkram_region_ser *ser,
			 const struct pkram_header *h);

/**
 * pkram_header_read() - decode the header of a region from its two slots
 * @head: unit 0 of the region, readable for two slots at least
 * @base: physical address where the region was found; must be the header's
 * @h: out
 * @cur: out: 0 or 1, the slot that counts
 * @mirror: out: the other slot differs and should be written again
 *
 * Return: %PKRAM_OK or what is wrong. With %PKRAM_BAD_VERSION and
 * %PKRAM_BAD_FEATURE @h is filled as far as every version has it.
 */
enum pkram_bad pkram_header_read(const void *head, u64 base,
				 struct pkram_header *h, int *cur,
				 bool *mirror);

/** pkram_record_len() - bytes that a record takes when encoded */
static inline size_t pkram_record_len(const struct pkram_record *r)
{
	return sizeof(struct pkram_record_ser) + ALIGN((size_t)r->xattr_len, 8) +
	       (size_t)r->nr_extents * sizeof(struct pkram_extent_ser) +
	       (size_t)r->nr_entries * sizeof(struct pkram_entry_ser);
}

/**
 * pkram_record_encode() - make a record slot's image
 * @buf: out: pkram_record_len() bytes, 8-byte aligned
 * @r: in
 * @pool_seed: pkram_pool_seed() of the pool
 *
 * Return: bytes used, a multiple of 8.
 */
size_t pkram_record_encode(void *buf, const struct pkram_record *r,
			   u32 pool_seed);

/**
 * pkram_record_read() - decode a record from its two slots
 * @a: slot A; slot B follows at @a + @slot_size
 * @slot_size: bytes of a slot
 * @pool_seed: pkram_pool_seed() of the pool
 * @r: out; on %PKRAM_OK holds buffers, see pkram_record_release(). On another
 *	verdict but %PKRAM_BAD_CHECKSUM the fixed fields, name and extents are
 *	filled as far as they could be read; release it all the same.
 * @cur: out: 0 or 1, the slot that counts
 * @mirror: out: the other slot differs and should be written again
 *
 * Checks all that one record alone can tell. Context: allocates memory.
 * Return: an &enum pkram_bad, or -ENOMEM.
 */
int pkram_record_read(const void *a, u32 slot_size, u32 pool_seed,
		      struct pkram_record *r, int *cur, bool *mirror);

/** pkram_record_release() - free the buffers of a record */
void pkram_record_release(struct pkram_record *r);

/** pkram_name_ok() - may an object, other than the root, have this name? */
bool pkram_name_ok(const char *name, u32 len);

/**
 * pkram_entry_ok() - can this be a mapping of a container?
 * @e: in question
 * @from: lowest IOVA that it may have
 * @next: out: lowest one that the next may have, 0 if there can be none
 */
bool pkram_entry_ok(const struct pkram_entry *e, u64 from, u64 *next);

/** pkram_pool_seed() - seed of the checksums of a pool's records */
u32 pkram_pool_seed(const u8 pool_uuid[16]);

/** pkram_region_id() - by what extents name a region */
u64 pkram_region_id(const u8 region_uuid[16]);

#endif /* _PKRAM_RECORD_H */
