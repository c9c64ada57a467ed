// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The manifest of an exported object. docs/export.md specifies it.
 *
 * It grows by frames while the object is exported. The checksum of each frame also covers
 * all preceding bytes, so that an incomplete frame is detected after a crash, and a frame
 * is valid only in its own place.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "crc32c.h"
#include "manifest.h"

#define MAGIC		"pkramimg"
#define VERSION		1U
#define FRAME_MAGIC	0x4d466b70U	/* "pkFM" */
#define HEADER_FIXED	80U
#define FRAME_FIXED	16U
#define LABEL_FIXED	8U
#define ENTRY		8U
#define CRC		4U
#define NAME_LEN_MAX	255U

/* All numbers are little-endian. */

static void put32(uint8_t *p, uint32_t v)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		p[i] = v >> 8 * i;
}

static void put64(uint8_t *p, uint64_t v)
{
	put32(p, v);
	put32(p + 4, v >> 32);
}

static uint32_t get32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t get64(const uint8_t *p)
{
	return get32(p) | (uint64_t)get32(p + 4) << 32;
}

/* Append the checksum after @len bytes; later checksums do not cover it. */
static void seal(struct pkram_manifest *m, uint8_t *buf, size_t len)
{
	m->crc = pkram_crc32c(m->crc, buf, len);
	put32(buf + len, ~m->crc);
	m->len += len + CRC;
}

static bool name_ok(const void *name, size_t len)
{
	return len && len <= NAME_LEN_MAX && !memchr(name, 0, len);
}

/* Check that a name has no directory part */
static bool object_name_ok(const char *name, size_t len)
{
	return name_ok(name, len) && !memchr(name, '/', len) &&
	       !(len == 1 && !memcmp(name, ".", 1)) &&
	       !(len == 2 && !memcmp(name, "..", 2));
}

static bool sizes_ok(const struct pkram_manifest *m)
{
	return m->chunk_size >= PKRAM_CHUNK_MIN &&
	       m->chunk_size <= PKRAM_CHUNK_MAX &&
	       !(m->chunk_size & (m->chunk_size - 1)) && m->size <= INT64_MAX &&
	       !(m->mode & ~07777U) && m->mtime_nsec < 1000000000U;
}

static uint64_t count_chunks(const struct pkram_manifest *m)
{
	return m->size / m->chunk_size + !!(m->size % m->chunk_size);
}

uint32_t pkram_manifest_chunk_len(const struct pkram_manifest *m, uint64_t i)
{
	uint64_t left = m->size - i * m->chunk_size;

	return left < m->chunk_size ? left : m->chunk_size;
}

/* Encoding */

static size_t header_len(const struct pkram_manifest *m)
{
	size_t len = HEADER_FIXED + strlen(m->name);
	uint32_t i;

	for (i = 0; i < m->nr_labels; i++)
		len += LABEL_FIXED + strlen(m->labels[i].name) +
		       m->labels[i].len;
	return len + CRC;
}

int pkram_manifest_header(struct pkram_manifest *m, uint8_t **buf, size_t *len)
{
	size_t name_len = strlen(m->name);
	uint8_t *p;
	uint32_t i;

	if (!object_name_ok(m->name, name_len) || !sizes_ok(m))
		return -EINVAL;
	*len = header_len(m);
	if (*len > PKRAM_HEADER_MAX)
		return -E2BIG;
	p = calloc(1, *len);
	if (!p)
		return -ENOMEM;
	*buf = p;
	memcpy(p, MAGIC, 8);
	put32(p + 8, VERSION);
	put32(p + 12, *len);
	put64(p + 16, m->size);
	put64(p + 24, m->allocated);
	put64(p + 32, m->mtime);
	put32(p + 40, m->mtime_nsec);
	put32(p + 44, m->chunk_size);
	put32(p + 48, m->mode);
	put32(p + 52, m->uid);
	put32(p + 56, m->gid);
	put32(p + 60, name_len);
	put32(p + 64, m->nr_labels);
	p += HEADER_FIXED;
	memcpy(p, m->name, name_len);
	p += name_len;
	for (i = 0; i < m->nr_labels; i++) {
		const struct pkram_label *l = &m->labels[i];

		name_len = strlen(l->name);
		put32(p, name_len);
		put32(p + 4, l->len);
		memcpy(p + LABEL_FIXED, l->name, name_len);
		p += LABEL_FIXED + name_len;
		if (l->len)
			memcpy(p, l->value, l->len);
		p += l->len;
	}
	m->nr_chunks = count_chunks(m);
	m->nr_known = 0;
	m->complete = false;
	m->len = 0;
	m->crc = ~0U;
	seal(m, *buf, *len - CRC);
	return 0;
}

int pkram_manifest_frame(struct pkram_manifest *m, uint64_t end, uint8_t **buf,
			 size_t *len)
{
	uint64_t i, count = end - m->nr_known;
	uint8_t *p;

	*len = FRAME_FIXED + count * ENTRY + CRC;
	p = malloc(*len);
	if (!p)
		return -ENOMEM;
	*buf = p;
	put32(p, FRAME_MAGIC);
	put32(p + 4, count);
	put64(p + 8, m->nr_known);
	p += FRAME_FIXED;
	for (i = m->nr_known; i < end; i++, p += ENTRY) {
		put32(p, m->chunks[i].kind);
		put32(p + 4, m->chunks[i].crc);
	}
	seal(m, *buf, *len - CRC);
	m->nr_known = end;
	m->complete = !count;
	return 0;
}

/* Decoding */

static int decode_label(struct pkram_label *l, const uint8_t **p,
			const uint8_t *end)
{
	uint32_t name_len, len;

	if ((size_t)(end - *p) < LABEL_FIXED)
		return -EBADMSG;
	name_len = get32(*p);
	len = get32(*p + 4);
	*p += LABEL_FIXED;
	if ((uint64_t)name_len + len > (size_t)(end - *p) ||
	    !name_ok(*p, name_len))
		return -EBADMSG;
	l->len = len;
	l->name = strndup((const char *)*p, name_len);
	/* malloc(0) may be NULL */
	l->value = malloc(len + 1);
	if (!l->name || !l->value)
		return -ENOMEM;
	memcpy(l->value, *p + name_len, len);
	*p += name_len + len;
	return 0;
}

static int decode_names(struct pkram_manifest *m, const uint8_t *p,
			const uint8_t *end, uint32_t name_len, uint32_t nr)
{
	int err;

	if (name_len > (size_t)(end - p) ||
	    !object_name_ok((const char *)p, name_len) ||
	    nr > (size_t)(end - p) / LABEL_FIXED)
		return -EBADMSG;
	m->name = strndup((const char *)p, name_len);
	m->labels = calloc(nr + 1, sizeof(*m->labels));
	if (!m->name || !m->labels)
		return -ENOMEM;
	p += name_len;
	while (m->nr_labels < nr) {
		err = decode_label(&m->labels[m->nr_labels++], &p, end);
		if (err)
			return err;
	}
	return p == end ? 0 : -EBADMSG;
}

static int decode_header(struct pkram_manifest *m, const uint8_t *p, size_t len)
{
	static const uint8_t zero[HEADER_FIXED - 68];
	uint32_t header;

	if (len < HEADER_FIXED + CRC || memcmp(p, MAGIC, 8))
		return -EBADMSG;
	if (get32(p + 8) != VERSION)
		return -EOPNOTSUPP;
	header = get32(p + 12);
	if (header < HEADER_FIXED + CRC || header > PKRAM_HEADER_MAX ||
	    header > len)
		return -EBADMSG;
	m->crc = pkram_crc32c(~0U, p, header - CRC);
	if (get32(p + header - CRC) != ~m->crc)
		return -EBADMSG;
	m->len = header;
	m->size = get64(p + 16);
	m->allocated = get64(p + 24);
	m->mtime = get64(p + 32);
	m->mtime_nsec = get32(p + 40);
	m->chunk_size = get32(p + 44);
	m->mode = get32(p + 48);
	m->uid = get32(p + 52);
	m->gid = get32(p + 56);
	if (!sizes_ok(m) || memcmp(p + 68, zero, sizeof(zero)))
		return -EBADMSG;
	m->nr_chunks = count_chunks(m);
	return decode_names(m, p + HEADER_FIXED, p + header - CRC, get32(p + 60),
			    get32(p + 64));
}

/* Decode one more frame at @m->len; return whether it is valid */
static bool decode_frame(struct pkram_manifest *m, const uint8_t *buf,
			 size_t len, uint64_t limit)
{
	const uint8_t *p = buf + m->len;
	uint64_t count, i;
	uint32_t crc;
	size_t n;

	len -= m->len;
	if (len < FRAME_FIXED + CRC || get32(p) != FRAME_MAGIC ||
	    get64(p + 8) != m->nr_known)
		return false;
	count = get32(p + 4);
	if (count > (len - FRAME_FIXED - CRC) / ENTRY ||
	    count > m->nr_chunks - m->nr_known || m->nr_known + count > limit)
		return false;
	/* Only the last frame is empty, and it must come after all chunks. */
	if (!count && m->nr_known != m->nr_chunks)
		return false;
	n = FRAME_FIXED + count * ENTRY;
	crc = pkram_crc32c(m->crc, p, n);
	if (get32(p + n) != ~crc)
		return false;
	p += FRAME_FIXED;
	for (i = 0; i < count; i++, p += ENTRY) {
		struct pkram_chunk *c = &m->chunks[m->nr_known + i];

		c->kind = get32(p);
		c->crc = get32(p + 4);
		if (c->kind != PKRAM_CHUNK_DATA &&
		    (c->kind != PKRAM_CHUNK_ZERO || c->crc))
			return false;
	}
	m->crc = crc;
	m->len += n + CRC;
	m->nr_known += count;
	m->complete = !count;
	return true;
}

int pkram_manifest_decode(struct pkram_manifest *m, const uint8_t *buf,
			  size_t len, uint64_t limit)
{
	int err;

	memset(m, 0, sizeof(*m));
	err = decode_header(m, buf, len);
	if (err)
		return err;
	/* The size may be any number; allocate only for entries that the file has. */
	m->chunks = calloc((len - m->len) / ENTRY + 1, sizeof(*m->chunks));
	if (!m->chunks)
		return -ENOMEM;
	while (!m->complete && decode_frame(m, buf, len, limit))
		;
	return 0;
}

void pkram_manifest_clear(struct pkram_manifest *m)
{
	uint32_t i;

	for (i = 0; i < m->nr_labels; i++) {
		free(m->labels[i].name);
		free(m->labels[i].value);
	}
	free(m->labels);
	free(m->name);
	free(m->chunks);
	memset(m, 0, sizeof(*m));
}
