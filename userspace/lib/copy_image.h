/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libpkram: an exported image, for reading. */
#ifndef _PKRAM_COPY_IMAGE_H
#define _PKRAM_COPY_IMAGE_H

#include "copy.h"

/* An image and its complete manifest */
struct pkram_image {
	struct pkram_copy *copy;
	struct pkram_copy_file in;
	struct pkram_manifest m;
	uint64_t first_bad;		/* number of the first bad chunk, if stats.nr_bad */
};

/* Open an image. @manifest NULL: the file's own manifest. Must be closed, on failure too */
int pkram_image_open(struct pkram_copy *copy, struct pkram_image *image,
		     const char *file, const char *manifest);
void pkram_image_close(struct pkram_image *image);

/* Compare a chunk with the manifest; report it if it differs */
bool pkram_image_check(struct pkram_image *image, uint64_t chunk,
		       const struct pkram_chunk *is);

/* Return -EBADMSG, with a text that names the first damaged chunk */
int pkram_image_damaged(struct pkram_image *image);

/* Read and verify all chunks; -EBADMSG if any is damaged */
int pkram_image_verify(struct pkram_copy *copy, const char *file, const char *manifest);

#endif /* _PKRAM_COPY_IMAGE_H */
