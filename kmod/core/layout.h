/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The preserved format, version 1: the data that one kernel leaves to the next.
 *
 * This header is the contract; docs/format.md describes it in prose.
 * Little-endian, fixed width, no pointers, no dependency on a kernel's version or
 * configuration. Readers must accept any bytes.
 */
#ifndef _PKRAM_LAYOUT_H
#define _PKRAM_LAYOUT_H

#include "core/pure.h"

#define PKRAM_UNIT_SHIFT	21
#define PKRAM_UNIT		BIT(PKRAM_UNIT_SHIFT)
#define PKRAM_GIB_SHIFT		30
#define PKRAM_GIB		BIT(PKRAM_GIB_SHIFT)
#define PKRAM_GIB_UNITS		(1U << (PKRAM_GIB_SHIFT - PKRAM_UNIT_SHIFT))

#define PKRAM_FORMAT_VERSION	1
#define PKRAM_REGION_MAGIC	0x67526b70	/* "pkRg" */
#define PKRAM_RECORD_MAGIC	0x63526b70	/* "pkRc" */
#define PKRAM_BAD_MAGIC		0x62526b70	/* "pkRb" */
#define PKRAM_TAG_VOID		0ULL		/* of a slot that is being written */
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
 *	0x010000	list of bad pages, slot A
 *	0x020000	list of bad pages, slot B
 *	0x040000	unit map, copy A
 *	0x100000	unit map, copy B
 */
#define PKRAM_HEADER_SLOT	4096
#define PKRAM_HEAD_BAD_A	0x010000
#define PKRAM_HEAD_BAD_B	0x020000
#define PKRAM_BAD_SLOT		0x010000U
#define PKRAM_HEAD_MAP_A	0x040000
#define PKRAM_HEAD_MAP_B	0x100000

/**
 * struct pkram_region_ser - region header, one 4 KiB slot of two
 * @tag: %PKRAM_REGION_MAGIC | (u64)crc << 32, stored last; CRC32C of the
 *	slot's 4096 bytes with @tag as zero. In every format version. Every
 *	CRC32C here starts from %PKRAM_CRC_SEED and is not inverted at the end.
 * @seq: of two valid slots the one with the higher number is used
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
 * @pool_key: a random number of the pool, the same in all its headers, and never told
 *	to user space, which knows the UUIDs: a program that can write into an object
 *	cannot forge a header
 * @set_seq: rises each time a region joins or leaves the pool; the headers of all regions
 *	are written then, that of a new region first
 * @nr_regions: number of regions since then, in the header with the highest @set_seq;
 *	0: not known
 * @present: bit n: GiB n of the span belongs to the region. Bit 0 is set.
 * @meta: units that contain records: unit number | %PKRAM_META_LARGE
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
	__u8 pool_key[16];
	__le64 set_seq;
	__le32 nr_regions;
	__u8 reserved[380];
	__le64 present[PKRAM_REGION_MAX_GIB / 64];
	__le32 meta[PKRAM_REGION_MAX_META];
};

#define PKRAM_META_LARGE	0x80000000U

/**
 * struct pkram_bad_ser - list of the bad pages of a region, one slot of two
 * @tag: %PKRAM_BAD_MAGIC | (u64)crc << 32, stored last; CRC32C of the first @len bytes
 *	with @tag as zero
 * @seq: of two valid slots the one with the higher number is used
 * @base: physical address of the region
 * @len: bytes used: this struct and entries, padded with zeroes to 8
 * @nr: number of entries
 * @pool_key: of the pool, as in the header: a program that can write into an object
 *	cannot forge a list
 * @entry: pages of 4 KiB by their number in the region, rising. With
 *	%PKRAM_BAD_WHOLE_UNIT: the first page of a unit of which all pages count as bad.
 */
struct pkram_bad_ser {
	__le64 tag;
	__le64 seq;
	__le64 base;
	__le32 len;
	__le32 nr;
	__u8 pool_key[16];
	__le32 entry[];
};

#define PKRAM_BAD_WHOLE_UNIT	0x80000000U
#define PKRAM_BAD_MAX		((PKRAM_BAD_SLOT - sizeof(struct pkram_bad_ser)) / 4)
#define PKRAM_BAD_PAGE		4096
#define PKRAM_UNIT_PAGES	(1U << (PKRAM_UNIT_SHIFT - 12))
#define PKRAM_REGION_MAX_PAGES	(PKRAM_REGION_MAX_GIB * PKRAM_GIB_UNITS * PKRAM_UNIT_PAGES)

/*
 * The unit map: two bits for each unit of the region, in words of 16 units with a
 * checksum. The low 32 bits are the states, unit n of the word in bits 2n and
 * 2n+1; the high 32 bits are a CRC32C of {region id, word index, states}. Both
 * copies are written, A first; if the check of a word of A fails, it is read from
 * B.
 *
 * Extents record the owner of a unit. The map records whether the owner may see
 * the bytes, and, if a record is lost, which units it owned.
 */
#define PKRAM_MAP_WORD_UNITS	16
#define PKRAM_GIB_MAP_WORDS	(PKRAM_GIB_UNITS / PKRAM_MAP_WORD_UNITS)
#define PKRAM_MAP_WORDS_MAX	(PKRAM_REGION_MAX_GIB * PKRAM_GIB_MAP_WORDS)

enum pkram_unit_state {
	PKRAM_UNIT_FREE = 0,
	PKRAM_UNIT_STALE = 1,	/* owned; reads as zeroes; contains old bytes */
	PKRAM_UNIT_WRITTEN = 2,	/* owned; contains the owner's data */
	PKRAM_UNIT_META = 3,	/* head, or contains records */
};

/*
 * A unit of small records contains 128 pairs of 8 KiB slots; a unit of large
 * records contains one pair of 1 MiB slots. Slot A of a pair comes first.
 */
#define PKRAM_SMALL_SLOT	8192
#define PKRAM_LARGE_SLOT	0x100000U
#define PKRAM_SMALL_PAIRS	(PKRAM_UNIT / (2 * PKRAM_SMALL_SLOT))

enum pkram_record_kind {
	PKRAM_KIND_FREE = 1,	/* the pair is free */
	PKRAM_KIND_FILE = 2,
	PKRAM_KIND_DIR = 3,
	PKRAM_KIND_DMA_TABLE = 4,	/* preserved mappings of a VFIO container */
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
 * struct pkram_entry_ser - an entry of a DMA table: what a range of IOVA maps
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
 * @seq: of two valid slots the one with the higher number is used
 * @len: bytes used: this struct, labels (padded to 8), extents
 * @kind: &enum pkram_record_kind
 * @flags: zero in version 1
 * @id: object id, never used twice in a pool; also the inode number
 * @parent: id of the directory; 0 for the root
 * @replaces: id of the object whose name this one has taken (rename over an
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
#define PKRAM_MAX_ENTRIES	(PKRAM_LARGE_DATA / sizeof(struct pkram_entry_ser))

/*
 * Sizes and offsets are part of the contract. Record and region header have their
 * numbers at the same offset.
 */
static_assert(sizeof(struct pkram_region_ser) == PKRAM_HEADER_SLOT);
static_assert(offsetof(struct pkram_region_ser, seq) == 8);
static_assert(offsetof(struct pkram_region_ser, set_seq) == 120);
static_assert(offsetof(struct pkram_region_ser, present) == 512);
static_assert(offsetof(struct pkram_region_ser, meta) == 768);
static_assert(sizeof(struct pkram_bad_ser) == 48);
static_assert(PKRAM_HEAD_BAD_A + PKRAM_BAD_SLOT <= PKRAM_HEAD_BAD_B);
static_assert(PKRAM_HEAD_BAD_B + PKRAM_BAD_SLOT <= PKRAM_HEAD_MAP_A);
static_assert(PKRAM_REGION_MAX_PAGES <= PKRAM_BAD_WHOLE_UNIT);
static_assert(sizeof(struct pkram_time_ser) == 16);
static_assert(sizeof(struct pkram_seal_ser) == 48);
static_assert(sizeof(struct pkram_extent_ser) == 24);
static_assert(sizeof(struct pkram_entry_ser) == 40);
static_assert(sizeof(struct pkram_record_ser) == 512);
static_assert(offsetof(struct pkram_record_ser, seq) == 8);
static_assert(offsetof(struct pkram_record_ser, seal) == 136);
static_assert(offsetof(struct pkram_record_ser, table_state) == 192);
static_assert(offsetof(struct pkram_record_ser, name) == 256);
static_assert(PKRAM_HEAD_MAP_A + PKRAM_MAP_WORDS_MAX * 8 <= PKRAM_HEAD_MAP_B);
static_assert(PKRAM_HEAD_MAP_B + PKRAM_MAP_WORDS_MAX * 8 <= PKRAM_UNIT);

#endif /* _PKRAM_LAYOUT_H */
