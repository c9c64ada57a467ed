/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The manifest of an exported object, docs/export.md: the properties of the object and a
 * checksum for each chunk. Pure: bytes in, bytes out.
 */
#ifndef _PKRAM_MANIFEST_H
#define _PKRAM_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PKRAM_CHUNK_MIN		4096U
#define PKRAM_CHUNK_MAX		(64U << 20)
#define PKRAM_HEADER_MAX	(1U << 20)	/* labels included */

/* The kind of a chunk, as stored in the file */
enum pkram_chunk_kind {
	PKRAM_CHUNK_UNKNOWN,	/* never in the file */
	PKRAM_CHUNK_DATA,
	PKRAM_CHUNK_ZERO,
};

struct pkram_chunk {
	uint32_t kind;
	uint32_t crc;		/* of the data; 0 for a zero chunk */
};

struct pkram_label {
	char *name;		/* with "user." */
	void *value;
	uint32_t len;
};

/**
 * struct pkram_manifest - a manifest, or the part of it that exists so far
 * @name: of the object, without directories
 * @size: bytes
 * @allocated: bytes of memory that the object held
 * @mtime: seconds
 * @mtime_nsec: and nanoseconds
 * @chunk_size: bytes; the last chunk may be shorter
 * @mode: permissions
 * @uid: owner
 * @gid: group
 * @nr_labels: number of @labels
 * @labels: extended attributes
 * @nr_chunks: computed from @size and @chunk_size
 * @chunks: the first @nr_known are valid; the encoder must allocate the array
 * @nr_known: number of chunks that the manifest describes, from the first on
 * @complete: the end frame was read or written
 * @len: bytes of the file that are valid
 * @crc: of all bytes so far except the checksums
 */
struct pkram_manifest {
	char *name;
	uint64_t size;
	uint64_t allocated;
	int64_t mtime;
	uint32_t mtime_nsec;
	uint32_t chunk_size;
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	uint32_t nr_labels;
	struct pkram_label *labels;
	uint64_t nr_chunks;
	struct pkram_chunk *chunks;
	uint64_t nr_known;
	bool complete;
	size_t len;
	uint32_t crc;
};

/* Return the number of bytes of chunk @i */
uint32_t pkram_manifest_chunk_len(const struct pkram_manifest *m, uint64_t i);

/**
 * pkram_manifest_header() - Encode the header of a manifest
 * @m: name to labels are set; the function sets all members after them except @m->chunks
 * @buf: out: the bytes, to be freed
 * @len: out: number of bytes
 *
 * Return: 0; -EINVAL: a value that a manifest cannot represent; -E2BIG: too many labels;
 * -ENOMEM.
 */
int pkram_manifest_header(struct pkram_manifest *m, uint8_t **buf, size_t *len);

/**
 * pkram_manifest_frame() - Encode the checksums of more chunks
 * @m: the manifest; the chunks are set
 * @end: the frame describes all chunks before this one; if this is the number of chunks
 *	already known, the frame ends the manifest
 * @buf: out: the bytes, to be freed
 * @len: out: number of bytes
 *
 * Return: 0; -ENOMEM.
 */
int pkram_manifest_frame(struct pkram_manifest *m, uint64_t end, uint8_t **buf,
			 size_t *len);

/**
 * pkram_manifest_decode() - Decode a manifest up to its first damaged frame
 * @m: out: to be cleared by pkram_manifest_clear(), on failure too
 * @buf: the file
 * @len: its length
 * @limit: ignore frames that go beyond this chunk
 *
 * On success the header is valid. The manifest is valid as a whole if @m->complete is set
 * and @m->len equals @len. The bytes are not trusted.
 *
 * Return: 0; -EBADMSG: the header is damaged; -EOPNOTSUPP: a later version; -ENOMEM.
 */
int pkram_manifest_decode(struct pkram_manifest *m, const uint8_t *buf,
			  size_t len, uint64_t limit);

void pkram_manifest_clear(struct pkram_manifest *m);

#endif /* _PKRAM_MANIFEST_H */
