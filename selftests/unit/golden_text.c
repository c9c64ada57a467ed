// SPDX-License-Identifier: GPL-2.0
#include "golden_text.h"

#define LINE_BYTES	32

static bool word_zero(const u8 *p)
{
	u64 v;

	memcpy(&v, p, 8);
	return !v;
}

void golden_print(FILE *out, const u8 *mem, size_t len)
{
	size_t off, n, i;

	for (off = 0; off < len; off += n) {
		n = 8;
		if (word_zero(mem + off))
			continue;
		while (n < LINE_BYTES && off + n < len &&
		       !word_zero(mem + off + n))
			n += 8;
		fprintf(out, "%06zx ", off);
		for (i = 0; i < n; i++)
			fprintf(out, "%02x", mem[off + i]);
		fprintf(out, "\n");
	}
}

bool golden_parse(FILE *in, u8 *mem, size_t len)
{
	char line[128], hex[2 * LINE_BYTES + 1];
	unsigned int byte;
	size_t off, i;

	while (fgets(line, sizeof(line), in)) {
		if (*line == '#' || *line == '\n')
			continue;
		if (sscanf(line, "%zx %64s", &off, hex) != 2)
			return false;
		for (i = 0; hex[2 * i]; i++) {
			if (sscanf(hex + 2 * i, "%2x", &byte) != 1 ||
			    !hex[2 * i + 1] || off + i >= len)
				return false;
			mem[off + i] = byte;
		}
	}
	return true;
}
