// SPDX-License-Identifier: GPL-2.0
/*
 * Print the sample image as golden text. golden/v1.img.txt was made by this program when
 * version 1 was settled. Since then it is data that later code must be able to read, and
 * it is not generated again.
 */
#include "golden_text.h"
#include "image.h"

int main(void)
{
	static struct sample s;

	sample_init(&s);
	printf("# %s: GPL-2.0\n", "SPDX-License-Identifier");
	printf("# A pool of preserved format version 1: see golden_text.h, image.c\n");
	golden_print(stdout, s.im.mem[0], GOLDEN_LEN);
	sample_exit(&s);
	return 0;
}
