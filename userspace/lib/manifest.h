/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The manifest of an exported object, docs/export.md: what the object is, and a
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

/* What a chunk is: as it stands in the file */
enum pkram_chunk_kind {
	PKRAM_CHUNK_UNKNOWN,	/* never in the file */
	PKRAM_CHUNK_DATA,
	PKRAM_CHUNK_ZERO,
};

struct pkram_chunk {
	uint32_t kind;
	uint32_t crc;		/* of data; 0 of a zero chunk */
};

struct pkram_label {
	char *name;		/* with "user." */
	void *value;
	uint32_t len;
};

/**
 * struct pkram_manifest - a manifest, or the part of it that is there so far
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
 * @nr_chunks: what @size and @chunk_size come to
 * @chunks: the first @nr_known are valid; room for more is the encoder's business
 * @nr_known: chunks that the manifest vouches for, from the first on
 * @complete: the end is there
 * @len: bytes of the file that are good
 * @crc: of all so far, but for the checksums
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

/* Bytes of chunk @i */
uint32_t pkram_manifest_chunk_len(const struct pkram_manifest *m, uint64_t i);

/**
 * pkram_manifest_header() - Encode the header of a manifest
 * @m: name to labels are set; all that follows is set here, but for @m->chunks
 * @buf: out: the bytes, to be freed
 * @len: out: how many
 *
 * Return: 0; -EINVAL: what no manifest can say; -E2BIG: too many labels; -ENOMEM.
 */
int pkram_manifest_header(struct pkram_manifest *m, uint8_t **buf, size_t *len);

/**
 * pkram_manifest_frame() - Encode the checksums of more chunks
 * @m: the manifest; the chunks are set
 * @end: all before this chunk are vouched for; the number of chunks that are known
 *	already ends the manifest
 * @buf: out: the bytes, to be freed
 * @len: out: how many
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
 * @limit: take no frame that goes beyond this chunk
 *
 * Success says that the header is good; @m->complete and @m->len == @len say that
 * the rest is. Every byte is distrusted.
 *
 * Return: 0; -EBADMSG: the header is damaged; -EOPNOTSUPP: a later version;
 * -ENOMEM.
 */
int pkram_manifest_decode(struct pkram_manifest *m, const uint8_t *buf,
			  size_t len, uint64_t limit);

void pkram_manifest_clear(struct pkram_manifest *m);

#endif /* _PKRAM_MANIFEST_H */
