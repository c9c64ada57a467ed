/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The preserved format, version 1: what one kernel leaves to the next.
 *
 * This header is the contract; docs/format.md says it in prose. Little-endian,
 * fixed width, no pointers, nothing that depends on a kernel's version or
 * configuration. Whatever is read through it may hold any bytes at all.
 */
#ifndef _PKRAM_FORMAT_H
#define _PKRAM_FORMAT_H

#include "core/pure.h"

#define PKRAM_UNIT_SHIFT	21
#define PKRAM_UNIT		BIT(PKRAM_UNIT_SHIFT)
#define PKRAM_GIB_SHIFT		30
#define PKRAM_GIB		BIT(PKRAM_GIB_SHIFT)
#define PKRAM_GIB_UNITS		(1U << (PKRAM_GIB_SHIFT - PKRAM_UNIT_SHIFT))

#define PKRAM_FORMAT_VERSION	1
#define PKRAM_REGION_MAGIC	0x67526b70	/* "pkRg" */
#define PKRAM_RECORD_MAGIC	0x63526b70	/* "pkRc" */
#define PKRAM_CRC_SEED		(~0U)

/* Feature bits that this code knows. */
#define PKRAM_COMPAT_KNOWN	0ULL
#define PKRAM_RO_COMPAT_KNOWN	0ULL
#define PKRAM_INCOMPAT_KNOWN	0ULL

#define PKRAM_REGION_MAX_GIB	2048
#define PKRAM_REGION_MAX_META	832
#define PKRAM_NAME_MAX		255
#define PKRAM_XATTR_AREA_MAX	65536		/* bytes of labels per object */
#define PKRAM_ROOT_ID		1
#define PKRAM_ID_MAX		((1ULL << 63) - 1)

/*
 * Unit 0 of every region, the head:
 *	0x000000	header, slot A
 *	0x001000	header, slot B
 *	0x040000	unit map, copy A
 *	0x100000	unit map, copy B
 */
#define PKRAM_HEADER_SLOT	4096
#define PKRAM_HEAD_MAP_A	0x040000
#define PKRAM_HEAD_MAP_B	0x100000

/**
 * struct pkram_region_ser - region header, one 4 KiB slot of two
 * @tag: %PKRAM_REGION_MAGIC | (u64)crc << 32, stored last; CRC32C of the
 *	slot's 4096 bytes with @tag as zero. In every format version. Every
 *	CRC32C here starts from %PKRAM_CRC_SEED and is not inverted at the end.
 * @seq: the valid slot with the higher number counts
 * @version: format version
 * @index: of the region in the pool, for people
 * @compat: features that may be ignored
 * @ro_compat: features that allow reading if unknown
 * @incompat: features that forbid everything if unknown
 * @pool_uuid: the pool
 * @region_uuid: the region; its first eight bytes as le64 are the region id
 *	by which extents name it
 * @base: physical address in bytes, GiB aligned
 * @nr_gib: GiB from the first to the last present one
 * @nr_meta: number of entries of @meta
 * @created: seconds since the epoch
 * @present: bit n: GiB n of the span belongs to the region. Bit 0 is set.
 * @meta: units that hold records: unit number | %PKRAM_META_LARGE
 */
struct pkram_region_ser {
	__le64 tag;
	__le64 seq;
	__le32 version;
	__le32 index;
	__le64 compat;
	__le64 ro_compat;
	__le64 incompat;
	__u8 pool_uuid[16];
	__u8 region_uuid[16];
	__le64 base;
	__le32 nr_gib;
	__le32 nr_meta;
	__le64 created;
	__u8 reserved[408];
	__le64 present[PKRAM_REGION_MAX_GIB / 64];
	__le32 meta[PKRAM_REGION_MAX_META];
};

#define PKRAM_META_LARGE	0x80000000U

/*
 * The unit map: two bits for each unit of the region, in self-checking words
 * of 16 units: low 32 bits the states, unit n of the word in bits 2n and 2n+1;
 * high 32 bits a CRC32C of {region id, word index, states}. Both copies are
 * written, A first; a word whose A fails its check is read from B.
 *
 * Extents say who owns a unit. The map says whether the owner may see the
 * bytes, and, when a record is lost, which units were its.
 */
#define PKRAM_MAP_WORD_UNITS	16
#define PKRAM_GIB_MAP_WORDS	(PKRAM_GIB_UNITS / PKRAM_MAP_WORD_UNITS)

enum pkram_unit_state {
	PKRAM_UNIT_FREE = 0,
	PKRAM_UNIT_STALE = 1,	/* owned; shows zeroes; holds old bytes */
	PKRAM_UNIT_WRITTEN = 2,	/* owned; its bytes are the owner's */
	PKRAM_UNIT_META = 3,	/* head, or holds records */
};

/*
 * A unit of small records holds 128 pairs of 8 KiB slots; one of large
 * records holds one pair of 1 MiB slots. Slot A of a pair comes first.
 */
#define PKRAM_SMALL_SLOT	8192
#define PKRAM_LARGE_SLOT	0x100000U
#define PKRAM_SMALL_PAIRS	(PKRAM_UNIT / (2 * PKRAM_SMALL_SLOT))

enum pkram_record_kind {
	PKRAM_KIND_FREE = 1,	/* the pair holds nothing */
	PKRAM_KIND_FILE = 2,
	PKRAM_KIND_DIR = 3,
	PKRAM_KIND_DMA_TABLE = 4,	/* what a VFIO container maps */
};

struct pkram_time_ser {
	__le64 sec;		/* signed */
	__le32 nsec;
	__le32 reserved;
};

/**
 * struct pkram_seal_ser - claim and seal of an object
 * @state: &enum pkram_seal_state
 * @reserved: zero
 * @generation: number of seals so far
 * @cookie: of the seal, else zero
 * @vm_uuid: of the seal, else zero
 */
struct pkram_seal_ser {
	__le32 state;
	__le32 reserved;
	__le64 generation;
	__u8 cookie[16];
	__u8 vm_uuid[16];
};

enum pkram_seal_state {
	PKRAM_SEAL_NONE = 0,
	PKRAM_SEAL_RUNNING = 1,	/* claimed; no saved state belongs to it */
	PKRAM_SEAL_SEALED = 2,
};

/**
 * struct pkram_extent_ser - a run of units of an object
 * @region_id: region
 * @obj_unit: offset in the object, in units
 * @region_unit: offset in the region, in units
 * @nr_units: length, not 0
 * @flags: zero in version 1
 */
struct pkram_extent_ser {
	__le64 region_id;
	__le32 obj_unit;
	__le32 region_unit;
	__le32 nr_units;
	__le32 flags;
};

/**
 * struct pkram_entry_ser - a mapping of a container: what a device finds where
 * @iova: address that the device uses, page-aligned
 * @size: in bytes, page-aligned, not 0
 * @object: id of a file, which may be gone
 * @offset: in the file, page-aligned
 * @prot: %PKRAM_ENTRY_READ, %PKRAM_ENTRY_WRITE, as the device sees it; not 0
 * @flags: zero in version 1
 */
struct pkram_entry_ser {
	__le64 iova;
	__le64 size;
	__le64 object;
	__le64 offset;
	__le32 prot;
	__le32 flags;
};

#define PKRAM_ENTRY_READ	1
#define PKRAM_ENTRY_WRITE	2
#define PKRAM_ENTRY_PAGE	4096

enum pkram_dma_table_state {
	PKRAM_DMA_TABLE_RUNNING = 1,	/* mappings have user addresses */
	PKRAM_DMA_TABLE_SUSPENDED = 2,	/* all user addresses were given up */
};

/**
 * struct pkram_record_ser - one slot of an object's record
 * @tag: %PKRAM_RECORD_MAGIC | (u64)crc << 32, stored last; CRC32C, seeded with
 *	pkram_pool_seed(), of @len bytes with @tag as zero
 * @seq: the valid slot with the higher number counts
 * @len: bytes used: this struct, labels (padded to 8), extents
 * @kind: &enum pkram_record_kind
 * @flags: zero in version 1
 * @id: object id, never used twice in a pool; also the inode number
 * @parent: id of the directory; 0 for the root
 * @replaces: id of the object that this one took the name of (rename over an
 *	existing name): that record is void if it has the same parent and name
 * @size: file: bytes; directory: 0
 * @mode: as st_mode
 * @uid: owner
 * @gid: group
 * @name_len: bytes of @name, 1 to 255; 0 for the root
 * @reserved0: zero
 * @atime: times
 * @mtime: times
 * @ctime: times
 * @btime: times
 * @seal: claim and seal
 * @xattr_len: bytes of labels, without padding
 * @nr_extents: number of extents, sorted by @obj_unit, not overlapping; of a
 *	DMA table: of entries, sorted by @iova, not overlapping
 * @table_state: DMA table: &enum pkram_dma_table_state; others: zero
 * @reserved: zero
 * @name: not terminated, zero padded
 * @data: labels, then extents or entries. A label: {le16 name_len, le16
 *	value_len, name without "user.", value}, packed.
 *
 * A DMA table has no parent, mode, size, seal or labels, and replaces nothing.
 */
struct pkram_record_ser {
	__le64 tag;
	__le64 seq;
	__le32 len;
	__le16 kind;
	__le16 flags;
	__le64 id;
	__le64 parent;
	__le64 replaces;
	__le64 size;
	__le32 mode;
	__le32 uid;
	__le32 gid;
	__le16 name_len;
	__le16 reserved0;
	struct pkram_time_ser atime;
	struct pkram_time_ser mtime;
	struct pkram_time_ser ctime;
	struct pkram_time_ser btime;
	struct pkram_seal_ser seal;
	__le32 xattr_len;
	__le32 nr_extents;
	__le32 table_state;
	__u8 reserved[60];
	__u8 name[256];
	__u8 data[];
};

#define PKRAM_SMALL_DATA	(PKRAM_SMALL_SLOT - sizeof(struct pkram_record_ser))
#define PKRAM_LARGE_DATA	(PKRAM_LARGE_SLOT - sizeof(struct pkram_record_ser))

/* The same in the machine's terms */

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

#define PKRAM_MAX_ENTRIES	(PKRAM_LARGE_DATA / sizeof(struct pkram_entry_ser))

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

/**
 * pkram_map_get() - state of a unit
 * @head: unit 0 of the region
 * @region_id: region
 * @unit: unit in the region
 *
 * Return: &enum pkram_unit_state, or -EUCLEAN if both copies are damaged.
 */
int pkram_map_get(const void *head, u64 region_id, u32 unit);

/**
 * pkram_map_set() - set the state of a run of units
 * @head: unit 0 of the region
 * @region_id: region
 * @unit: first unit
 * @nr: number of units
 * @state: &enum pkram_unit_state
 *
 * A word of which both copies are damaged stays damaged, unless the run
 * covers it wholly. Context: the caller keeps others from writing the map of
 * this region. Return: 0; -EUCLEAN if a damaged word was met; -ERANGE if the
 * run does not fit the map, then nothing was written.
 */
int pkram_map_set(void *head, u64 region_id, u32 unit, u32 nr, int state);

/**
 * pkram_map_word() - read one word of the unit map
 * @head: unit 0 of the region
 * @region_id: region
 * @word: which word: unit / %PKRAM_MAP_WORD_UNITS
 * @states: out: two bits for each unit
 *
 * Return: 0, or -EUCLEAN if both copies are damaged.
 */
int pkram_map_word(const void *head, u64 region_id, u32 word, u32 *states);

/**
 * pkram_map_owned() - does the map say that a run of units is owned?
 * @head: unit 0 of the region
 * @region_id: region
 * @unit: first unit
 * @nr: number of units, within the region
 *
 * Return: true if every unit is known to be stale or written.
 */
bool pkram_map_owned(const void *head, u64 region_id, u32 unit, u32 nr);

/**
 * pkram_map_mirror() - make both copies of a GiB's words the same
 * @head: unit 0 of the region
 * @region_id: region
 * @gib: which GiB of the region
 *
 * To be called once at attach, so that a word damaged later is read from a
 * copy that is not out of date. Words damaged in both copies stay damaged.
 */
void pkram_map_mirror(void *head, u64 region_id, u32 gib);

/**
 * pkram_map_init() - make all words of a GiB valid, every unit free
 * @head: unit 0 of the region
 * @region_id: region
 * @gib: which GiB of the region
 */
void pkram_map_init(void *head, u64 region_id, u32 gib);

/* Labels: an area of packed {le16 name_len, le16 value_len, name, value} */

/**
 * pkram_xattr_find() - look up a label
 * @area: valid area
 * @len: its length
 * @name: name without prefix
 * @value: out: where the value is, in @area
 *
 * Return: length of the value, or -ENODATA.
 */
int pkram_xattr_find(const u8 *area, u32 len, const char *name,
		     const u8 **value);

/**
 * pkram_xattr_next() - walk an area
 * @area: valid area
 * @len: its length
 * @pos: in/out: 0 to begin with
 * @name: out: not terminated
 * @name_len: out
 *
 * Return: true, or false at the end.
 */
bool pkram_xattr_next(const u8 *area, u32 len, u32 *pos, const char **name,
		      u32 *name_len);

/**
 * pkram_xattr_replace() - build a new area with one label set or removed
 * @area: valid area, may be NULL if @len is 0
 * @len: its length
 * @name: name without prefix, 1 to 255 bytes
 * @value: value, or NULL to remove
 * @value_len: its length, at most 65535
 * @out: out: the new area from pkram_alloc_mem(), NULL if empty
 * @out_len: out: its length
 *
 * Return: 0, -ENOMEM, -ENOSPC if it would exceed %PKRAM_XATTR_AREA_MAX,
 * -ENODATA if the label to remove is not there, -ERANGE name or value length.
 */
int pkram_xattr_replace(const u8 *area, u32 len, const char *name,
			const void *value, u32 value_len, u8 **out,
			u32 *out_len);

#endif /* _PKRAM_FORMAT_H */
