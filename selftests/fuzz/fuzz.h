/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the fuzz targets share: each has LLVMFuzzerTestOneInput(), which libFuzzer
 * calls, and replay.c with each file of a corpus.
 */
#ifndef _PKRAM_FUZZ_H
#define _PKRAM_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold for each input */
#define REQUIRE(cond)							\
	do {								\
		if (!(cond)) {						\
			fprintf(stderr, "%s:%d: %s does not hold\n",	\
				__FILE__, __LINE__, #cond);		\
			abort();					\
		}							\
	} while (0)

/* An input, read byte by byte; zeroes follow its end */
struct fuzz_input {
	const uint8_t *p;
	size_t left;
};

static inline uint8_t fuzz_byte(struct fuzz_input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->p++;
}

static inline uint32_t fuzz_below(struct fuzz_input *in, uint32_t n)
{
	uint32_t v = fuzz_byte(in);

	if (n > 256)
		v |= (uint32_t)fuzz_byte(in) << 8;
	return v % n;
}

#endif /* _PKRAM_FUZZ_H */
