/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libpkram: an exported image, as the reader sees it. */
#ifndef _PKRAM_COPY_IMAGE_H
#define _PKRAM_COPY_IMAGE_H

#include "copy.h"

/* An image and its manifest, which is complete */
struct pkram_image {
	struct pkram_copy *copy;
	struct pkram_copy_file in;
	struct pkram_manifest m;
	uint64_t first_bad;		/* chunk, if stats.nr_bad */
};

/* @manifest NULL: the one beside it. To be closed, on failure too */
int pkram_image_open(struct pkram_copy *copy, struct pkram_image *image,
		     const char *file, const char *manifest);
void pkram_image_close(struct pkram_image *image);

/* Is the chunk what the manifest says? Else tell of it */
bool pkram_image_check(struct pkram_image *image, uint64_t chunk,
		       const struct pkram_chunk *is);

/* -EBADMSG, with a text that names the first of the damaged chunks */
int pkram_image_damaged(struct pkram_image *image);

/* Read all of it; -EBADMSG if any of it is damaged */
int pkram_image_verify(struct pkram_copy *copy, const char *file, const char *manifest);

#endif /* _PKRAM_COPY_IMAGE_H */
