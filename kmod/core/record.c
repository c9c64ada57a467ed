// SPDX-License-Identifier: GPL-2.0
/* Records: see record.h. */
#include "core/label.h"
#include "core/record.h"

#define NSEC_PER_SECOND		1000000000U

static bool record_is_zero(const u8 *p, size_t n)
{
	while (n--)
		if (*p++)
			return false;
	return true;
}

u32 pkram_pool_seed(const u8 pool_uuid[16])
{
	return pkram_crc32c(PKRAM_CRC_SEED, pool_uuid, 16);
}

static void record_encode_time(struct pkram_time_ser *ser, const struct pkram_time *t)
{
	ser->sec = cpu_to_le64((u64)t->sec);
	ser->nsec = cpu_to_le32(t->nsec);
}

static void record_decode_time(struct pkram_time *t, const struct pkram_time_ser *ser)
{
	t->sec = (s64)le64_to_cpu(ser->sec);
	t->nsec = le32_to_cpu(ser->nsec);
}

static void record_encode_extents(struct pkram_extent_ser *ser,
				  const struct pkram_record *r)
{
	u32 i;

	for (i = 0; i < r->nr_extents; i++, ser++) {
		ser->region_id = cpu_to_le64(r->extents[i].region_id);
		ser->obj_unit = cpu_to_le32(r->extents[i].obj_unit);
		ser->region_unit = cpu_to_le32(r->extents[i].region_unit);
		ser->nr_units = cpu_to_le32(r->extents[i].nr_units);
	}
}

static void record_encode_entries(struct pkram_entry_ser *ser,
				  const struct pkram_record *r)
{
	u32 i;

	for (i = 0; i < r->nr_entries; i++, ser++) {
		ser->iova = cpu_to_le64(r->entries[i].iova);
		ser->size = cpu_to_le64(r->entries[i].size);
		ser->object = cpu_to_le64(r->entries[i].object);
		ser->offset = cpu_to_le64(r->entries[i].offset);
		ser->prot = cpu_to_le32(r->entries[i].prot);
	}
}

size_t pkram_record_encode(void *buf, const struct pkram_record *r,
			   u32 pool_seed)
{
	struct pkram_record_ser *ser = buf;
	size_t len = pkram_record_len(r);

	memset(buf, 0, len);
	ser->seq = cpu_to_le64(r->seq);
	ser->len = cpu_to_le32((u32)len);
	ser->kind = cpu_to_le16(r->kind);
	ser->id = cpu_to_le64(r->id);
	ser->parent = cpu_to_le64(r->parent);
	ser->replaces = cpu_to_le64(r->replaces);
	ser->size = cpu_to_le64(r->size);
	ser->mode = cpu_to_le32(r->mode);
	ser->uid = cpu_to_le32(r->uid);
	ser->gid = cpu_to_le32(r->gid);
	ser->name_len = cpu_to_le16(r->name_len);
	record_encode_time(&ser->atime, &r->atime);
	record_encode_time(&ser->mtime, &r->mtime);
	record_encode_time(&ser->ctime, &r->ctime);
	record_encode_time(&ser->btime, &r->btime);
	ser->seal.state = cpu_to_le32(r->seal.state);
	ser->seal.generation = cpu_to_le64(r->seal.generation);
	memcpy(ser->seal.cookie, r->seal.cookie, sizeof(ser->seal.cookie));
	memcpy(ser->seal.vm_uuid, r->seal.vm_uuid, sizeof(ser->seal.vm_uuid));
	ser->xattr_len = cpu_to_le32(r->xattr_len);
	ser->nr_extents = cpu_to_le32(r->nr_extents + r->nr_entries);
	ser->table_state = cpu_to_le32(r->table_state);
	memcpy(ser->name, r->name, min_t(u32, r->name_len, PKRAM_NAME_MAX));
	if (r->xattr_len)
		memcpy(ser->data, r->xattrs, r->xattr_len);
	/* One of the two arrays is empty. */
	record_encode_extents(buf + sizeof(*ser) + ALIGN((size_t)r->xattr_len, 8), r);
	record_encode_entries(buf + sizeof(*ser), r);
	ser->tag = cpu_to_le64(pkram_tag(PKRAM_RECORD_MAGIC,
					 pkram_crc32c(pool_seed, buf, len)));
	return len;
}

/* CRC of a slot, read through a small buffer, with the tag as zero */
static u32 record_crc(u32 pool_seed, const void *slot, u32 len)
{
	u32 crc = pool_seed, off, n;
	__le64 buf[32];

	for (off = 0; off < len; off += n) {
		n = min_t(u32, len - off, sizeof(buf));
		pkram_slot_copy(buf, slot + off, n);
		if (!off)
			buf[0] = 0;
		crc = pkram_crc32c(crc, buf, n);
	}
	return crc;
}

/* The length of a slot that may be valid, else 0 */
static u32 record_slot_len(const void *slot, u32 slot_size, u64 tag)
{
	u32 len = (u32)le64_to_cpu(pkram_load64(slot +
				offsetof(struct pkram_record_ser, len)));

	if ((u32)tag != PKRAM_RECORD_MAGIC || len < sizeof(struct pkram_record_ser) ||
	    len > slot_size || len % 8)
		return 0;
	return len;
}

/*
 * Make a private copy of a slot with its tag cleared; @out is NULL if the slot is
 * not valid.
 * Return: 0 or -ENOMEM.
 */
static int record_slot_copy(const void *slot, u32 slot_size, u32 pool_seed,
			    struct pkram_record_ser **out)
{
	u64 tag = le64_to_cpu(pkram_load64(slot));
	u32 len = record_slot_len(slot, slot_size, tag);
	struct pkram_record_ser *ser;

	*out = NULL;
	if (!len)
		return 0;
	ser = pkram_alloc_mem(len);
	if (!ser)
		return -ENOMEM;
	pkram_slot_copy((void *)ser, slot, len);
	ser->tag = 0;
	if (le32_to_cpu(ser->len) != len ||
	    tag != pkram_tag(PKRAM_RECORD_MAGIC,
			     pkram_crc32c(pool_seed, ser, len))) {
		pkram_free_mem(ser);
		return 0;
	}
	*out = ser;
	return 0;
}

static bool record_slots_differ(const struct pkram_record_ser *a,
				const struct pkram_record_ser *b)
{
	return !a || !b || a->len != b->len ||
	       memcmp(a, b, le32_to_cpu(a->len));
}

static enum pkram_bad record_decode_fixed(struct pkram_record *r,
					  const struct pkram_record_ser *ser)
{
	r->seq = le64_to_cpu(ser->seq);
	r->kind = le16_to_cpu(ser->kind);
	r->id = le64_to_cpu(ser->id);
	r->parent = le64_to_cpu(ser->parent);
	r->replaces = le64_to_cpu(ser->replaces);
	r->size = le64_to_cpu(ser->size);
	r->mode = le32_to_cpu(ser->mode);
	r->uid = le32_to_cpu(ser->uid);
	r->gid = le32_to_cpu(ser->gid);
	record_decode_time(&r->atime, &ser->atime);
	record_decode_time(&r->mtime, &ser->mtime);
	record_decode_time(&r->ctime, &ser->ctime);
	record_decode_time(&r->btime, &ser->btime);
	r->seal.state = le32_to_cpu(ser->seal.state);
	r->seal.generation = le64_to_cpu(ser->seal.generation);
	memcpy(r->seal.cookie, ser->seal.cookie, sizeof(r->seal.cookie));
	memcpy(r->seal.vm_uuid, ser->seal.vm_uuid, sizeof(r->seal.vm_uuid));
	r->table_state = le32_to_cpu(ser->table_state);
	r->name_len = le16_to_cpu(ser->name_len);
	if (r->name_len > PKRAM_NAME_MAX) {
		r->name_len = 0;
		return PKRAM_BAD_NAME;
	}
	memcpy(r->name, ser->name, r->name_len);
	return le16_to_cpu(ser->flags) ? PKRAM_BAD_FIELD : PKRAM_OK;
}

/* Check that entries fill the label area exactly and that names are C strings. */
static bool record_xattrs_ok(const u8 *area, u32 len)
{
	const char *name;
	u32 pos = 0, name_len;

	while (pkram_xattr_next(area, len, &pos, &name, &name_len))
		if (memchr(name, 0, name_len))
			return false;
	return pos == len;
}

static int record_decode_xattrs(struct pkram_record *r,
				const struct pkram_record_ser *ser, u32 len)
{
	if (!len)
		return PKRAM_OK;
	if (len > PKRAM_XATTR_AREA_MAX || !record_xattrs_ok(ser->data, len))
		return PKRAM_BAD_XATTR;
	r->xattrs = pkram_alloc_mem(len);
	if (!r->xattrs)
		return -ENOMEM;
	memcpy(r->xattrs, ser->data, len);
	r->xattr_len = len;
	return PKRAM_OK;
}

static int record_decode_extents(struct pkram_record *r,
				 const struct pkram_extent_ser *ser, u32 nr)
{
	enum pkram_bad bad = PKRAM_OK;
	struct pkram_extent *e;
	u32 i, end, next = 0;

	if (!nr)
		return PKRAM_OK;
	r->extents = pkram_alloc_mem((size_t)nr * sizeof(*e));
	if (!r->extents)
		return -ENOMEM;
	r->nr_extents = nr;
	for (i = 0, e = r->extents; i < nr; i++, e++, ser++) {
		e->region_id = le64_to_cpu(ser->region_id);
		e->obj_unit = le32_to_cpu(ser->obj_unit);
		e->region_unit = le32_to_cpu(ser->region_unit);
		e->nr_units = le32_to_cpu(ser->nr_units);
		if (!e->nr_units || ser->flags || e->obj_unit < next ||
		    check_add_overflow(e->obj_unit, e->nr_units, &next) ||
		    check_add_overflow(e->region_unit, e->nr_units, &end))
			bad = PKRAM_BAD_EXTENT;
	}
	return bad;
}

bool pkram_entry_ok(const struct pkram_entry *e, u64 from, u64 *next)
{
	u64 end;

	if (e->iova < from || !e->size ||
	    (e->iova | e->size | e->offset) % PKRAM_ENTRY_PAGE)
		return false;
	/* It may end with the last byte of the address space. */
	if (check_add_overflow(e->iova, e->size - 1, &end) ||
	    check_add_overflow(e->offset, e->size, &end) || end > PKRAM_ID_MAX)
		return false;
	if (e->object <= PKRAM_ROOT_ID || e->object > PKRAM_ID_MAX)
		return false;
	*next = e->iova + e->size;
	return e->prot && !(e->prot & ~(PKRAM_ENTRY_READ | PKRAM_ENTRY_WRITE));
}

/* A DMA table has entries instead of labels and extents. */
static int record_decode_entries(struct pkram_record *r,
				 const struct pkram_record_ser *ser)
{
	const struct pkram_entry_ser *in = (void *)ser->data;
	u64 room = le32_to_cpu(ser->len) - sizeof(*ser);
	u32 nr = le32_to_cpu(ser->nr_extents), i;
	int bad = PKRAM_OK;
	struct pkram_entry *e;
	u64 next = 0;

	if (ser->xattr_len || (u64)nr * sizeof(*in) != room)
		return PKRAM_BAD_FIELD;
	if (!nr)
		return PKRAM_OK;
	r->entries = pkram_alloc_mem((size_t)nr * sizeof(*e));
	if (!r->entries)
		return -ENOMEM;
	r->nr_entries = nr;
	for (i = 0, e = r->entries; i < nr; i++, e++, in++) {
		e->iova = le64_to_cpu(in->iova);
		e->size = le64_to_cpu(in->size);
		e->object = le64_to_cpu(in->object);
		e->offset = le64_to_cpu(in->offset);
		e->prot = le32_to_cpu(in->prot);
		/* No entry can follow one that ends with the last byte. */
		if (in->flags || (i && !next) || !pkram_entry_ok(e, next, &next))
			bad = PKRAM_BAD_ENTRY;
	}
	return bad;
}

/* Decode labels and extents, the part of variable length. */
static int record_decode_data(struct pkram_record *r,
			      const struct pkram_record_ser *ser)
{
	u64 room = le32_to_cpu(ser->len) - sizeof(*ser);
	u32 xattr_len = le32_to_cpu(ser->xattr_len);
	u32 nr = le32_to_cpu(ser->nr_extents);
	u64 ext_off = ALIGN((u64)xattr_len, 8);
	int bad, ret;

	if (ext_off > room ||
	    (u64)nr * sizeof(struct pkram_extent_ser) != room - ext_off)
		return PKRAM_BAD_FIELD;
	bad = record_decode_extents(r, (void *)ser->data + ext_off, nr);
	if (bad < 0)
		return bad;
	r->extents_known = true;
	ret = record_decode_xattrs(r, ser, xattr_len);
	return ret < 0 || !bad ? ret : bad;
}

static bool record_times_ok(const struct pkram_record *r)
{
	return r->atime.nsec < NSEC_PER_SECOND &&
	       r->mtime.nsec < NSEC_PER_SECOND &&
	       r->ctime.nsec < NSEC_PER_SECOND &&
	       r->btime.nsec < NSEC_PER_SECOND;
}

static bool record_seal_ok(const struct pkram_record *r)
{
	const struct pkram_seal *s = &r->seal;
	bool cookie = !record_is_zero(s->cookie, sizeof(s->cookie));

	if (r->kind != PKRAM_KIND_FILE && s->state != PKRAM_SEAL_NONE)
		return false;
	if (r->kind == PKRAM_KIND_DMA_TABLE && s->generation)
		return false;
	switch (s->state) {
	case PKRAM_SEAL_NONE:
	case PKRAM_SEAL_RUNNING:
		return !cookie && record_is_zero(s->vm_uuid, sizeof(s->vm_uuid));
	case PKRAM_SEAL_SEALED:
		return cookie;
	}
	return false;
}

static bool record_table_state_ok(const struct pkram_record *r)
{
	if (r->kind != PKRAM_KIND_DMA_TABLE)
		return !r->table_state;
	return r->table_state == PKRAM_DMA_TABLE_RUNNING ||
	       r->table_state == PKRAM_DMA_TABLE_SUSPENDED;
}

bool pkram_name_ok(const char *name, u32 len)
{
	if (!len || len > PKRAM_NAME_MAX || memchr(name, 0, len) ||
	    memchr(name, '/', len))
		return false;
	return name[0] != '.' || (len > 1 && (len > 2 || name[1] != '.'));
}

static bool record_name_ok(const struct pkram_record *r)
{
	if (r->id == PKRAM_ROOT_ID)
		return !r->name_len;
	return pkram_name_ok(r->name, r->name_len);
}

static bool record_parent_ok(const struct pkram_record *r)
{
	if (r->id == PKRAM_ROOT_ID || r->kind == PKRAM_KIND_DMA_TABLE)
		return !r->parent && !r->replaces;
	return r->parent && r->parent <= PKRAM_ID_MAX && r->parent != r->id;
}

static bool record_kind_ok(const struct pkram_record *r)
{
	u32 type = r->kind == PKRAM_KIND_DIR ? S_IFDIR : S_IFREG;

	if (r->id == PKRAM_ROOT_ID && r->kind != PKRAM_KIND_DIR)
		return false;
	if (r->kind == PKRAM_KIND_DMA_TABLE)
		return !r->mode;
	return (r->mode & ~07777U) == type;
}

static bool record_size_ok(const struct pkram_record *r)
{
	if (r->kind != PKRAM_KIND_FILE)
		return !r->size && !r->nr_extents;
	return r->size <= (~0ULL >> 1);
}

static enum pkram_bad record_check(const struct pkram_record *r)
{
	if (!r->id || r->id > PKRAM_ID_MAX || r->replaces > PKRAM_ID_MAX ||
	    r->replaces == r->id || r->replaces == PKRAM_ROOT_ID)
		return PKRAM_BAD_FIELD;
	if (!record_kind_ok(r) || !record_times_ok(r) || !record_seal_ok(r) ||
	    !record_table_state_ok(r))
		return PKRAM_BAD_FIELD;
	if (!record_parent_ok(r))
		return PKRAM_BAD_PARENT;
	if (!record_name_ok(r))
		return PKRAM_BAD_NAME;
	return record_size_ok(r) ? PKRAM_OK : PKRAM_BAD_SIZE;
}

/* Does a kind own no units, whatever else may be wrong with the record? */
static bool record_owns_nothing(u16 kind)
{
	return kind == PKRAM_KIND_DIR || kind == PKRAM_KIND_DMA_TABLE;
}

/* Return the first error of a slot whose checksum is right, or -ENOMEM. */
static int record_decode(struct pkram_record *r,
			 const struct pkram_record_ser *ser)
{
	enum pkram_bad bad = record_decode_fixed(r, ser);
	int ret;

	/* Nothing else of it is used. */
	if (r->kind == PKRAM_KIND_FREE)
		return PKRAM_OK;
	r->extents_known = record_owns_nothing(r->kind);
	if (r->kind == PKRAM_KIND_DMA_TABLE)
		ret = record_decode_entries(r, ser);
	else if (r->kind == PKRAM_KIND_FILE || r->kind == PKRAM_KIND_DIR)
		ret = record_decode_data(r, ser);
	else
		ret = PKRAM_BAD_KIND;
	if (ret < 0)
		return ret;
	if (!bad)
		bad = ret;
	return bad ? bad : record_check(r);
}

int pkram_record_read(const void *a, u32 slot_size, u32 pool_seed,
		      struct pkram_record *r, int *cur, bool *mirror)
{
	struct pkram_record_ser *ser[2] = { NULL, NULL };
	bool same_seq;
	int ret;

	memset(r, 0, sizeof(*r));
	*cur = 0;
	*mirror = true;
	ret = record_slot_copy(a, slot_size, pool_seed, &ser[0]);
	if (!ret)
		ret = record_slot_copy(a + slot_size, slot_size, pool_seed,
				       &ser[1]);
	if (ret)
		goto out;
	if (!ser[0] && !ser[1]) {
		ret = PKRAM_BAD_CHECKSUM;
		goto out;
	}
	same_seq = ser[0] && ser[1] && ser[0]->seq == ser[1]->seq;
	*cur = ser[1] && (!ser[0] || le64_to_cpu(ser[1]->seq) >
					 le64_to_cpu(ser[0]->seq));
	*mirror = record_slots_differ(ser[0], ser[1]);
	ret = record_decode(r, ser[*cur]);
	/* A writer never leaves two contents with one number: use neither. */
	if (same_seq && *mirror) {
		r->extents_known = record_owns_nothing(r->kind) &&
				   ser[0]->kind == ser[1]->kind;
		ret = ret ?: PKRAM_BAD_FIELD;
	}
	if (ret < 0)
		pkram_record_release(r);
out:
	pkram_free_mem(ser[0]);
	pkram_free_mem(ser[1]);
	return ret;
}

/* A slot as it is in preserved memory; @len 0: not valid */
struct record_slot {
	void *at;
	u64 seq;
	u32 len;
};

static struct record_slot record_look(void *at, u32 slot_size, u32 pool_seed)
{
	u64 tag = le64_to_cpu(pkram_load64(at));
	struct record_slot s = {
		.at = at,
		.seq = pkram_slot_seq(at),
		.len = record_slot_len(at, slot_size, tag),
	};

	if (s.len && tag != pkram_tag(PKRAM_RECORD_MAGIC,
				      record_crc(pool_seed, at, s.len)))
		s.len = 0;
	if (!s.len)
		s.seq = 0;
	return s;
}

u64 pkram_record_last_seq(const void *a, u32 slot_size, u32 pool_seed, int *cur)
{
	struct record_slot x = record_look((void *)a, slot_size, pool_seed);
	struct record_slot y = record_look((void *)a + slot_size, slot_size, pool_seed);

	*cur = y.len && (!x.len || y.seq > x.seq);
	return max(x.seq, y.seq);
}

void pkram_record_mirror(void *a, u32 slot_size, u32 pool_seed, void *buf)
{
	struct record_slot from = record_look(a, slot_size, pool_seed);
	struct record_slot to = record_look(a + slot_size, slot_size, pool_seed);

	if (to.len && (!from.len || to.seq > from.seq))
		swap(from, to);
	if (!from.len || (to.len && to.seq == from.seq))
		return;
	pkram_slot_copy(buf, from.at, from.len);
	/* A bit may have flipped in between. */
	if (le64_to_cpu(*(__le64 *)buf) !=
	    pkram_tag(PKRAM_RECORD_MAGIC, record_crc(pool_seed, buf, from.len)))
		return;
	pkram_slot_write(to.at, buf, from.len);
}

void pkram_record_release(struct pkram_record *r)
{
	pkram_free_mem(r->xattrs);
	pkram_free_mem(r->extents);
	pkram_free_mem(r->entries);
	r->xattrs = NULL;
	r->extents = NULL;
	r->entries = NULL;
	r->xattr_len = 0;
	r->nr_extents = 0;
	r->nr_entries = 0;
}
