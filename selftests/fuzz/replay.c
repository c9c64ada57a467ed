// SPDX-License-Identifier: GPL-2.0
/* Run a fuzz target with each file of a directory: replay DIRECTORY. Writes TAP. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include "fuzz.h"

static void run_file(const char *path)
{
	FILE *f = fopen(path, "re");
	uint8_t *data, *exact;
	size_t size;

	if (!f) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(1);
	}
	data = malloc(1 << 20);
	size = fread(data, 1, 1 << 20, f);
	fclose(f);
	/* So that a read beyond its end is seen */
	exact = malloc(size ? size : 1);
	memcpy(exact, data, size);
	free(data);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
}

int main(int argc, char **argv)
{
	unsigned int nr = 0;
	struct dirent *d;
	char path[4096];
	DIR *dir;

	if (argc != 2) {
		fprintf(stderr, "usage: replay DIRECTORY\n");
		return 2;
	}
	dir = opendir(argv[1]);
	if (!dir) {
		fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
		return 2;
	}
	printf("1..1\n");
	while ((d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", argv[1], d->d_name);
		/* Which one it was is seen when it crashes. */
		printf("# %s\n", d->d_name);
		fflush(stdout);
		run_file(path);
		nr++;
	}
	closedir(dir);
	printf("%sok 1 - replay of %u inputs\n", nr ? "" : "not ", nr);
	return !nr;
}
