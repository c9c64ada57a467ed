// SPDX-License-Identifier: GPL-2.0
/*
 * The disks that the runner adds to a VM: they are found by their serial numbers
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "init.h"
#include "vm.h"

/*
 * Find the disk whose serial number begins with @id and a colon: its path, and the
 * number after the colon, which is -1 if there is no such disk
 */
static long long find_disk(const char *id, char *path, size_t size)
{
	long long number = -1;
	struct dirent *d;
	char *serial;
	DIR *dir;

	dir = opendir("/sys/block");
	while (dir && number < 0 && (d = readdir(dir))) {
		snprintf(path, size, "/sys/block/%s/serial", d->d_name);
		serial = vm_read_file(path);
		if (serial && !strncmp(serial, id, strlen(id)) && serial[strlen(id)] == ':') {
			number = atoll(serial + strlen(id) + 1);
			snprintf(path, size, "/dev/%s", d->d_name);
		}
		free(serial);
	}
	if (dir)
		closedir(dir);
	return number;
}

void disk_mount_guest(void)
{
	char path[512];

	if (find_disk("guest", path, sizeof(path)) < 0)
		return;
	if (mount(path, "/guest", "squashfs", MS_RDONLY, NULL))
		give_up("cannot mount the disk with the guests");
}

/* The number in the disk's serial number is the length in bytes. */
void disk_copy(const char *id, const char *to)
{
	static char buf[1 << 20];
	long long len;
	char path[512];
	ssize_t n;
	int in, out;

	len = find_disk(id, path, sizeof(path));
	if (len < 0)
		give_up("the disk with the next kernel or initrd is not there");
	in = open(path, O_RDONLY | O_CLOEXEC);
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (in < 0 || out < 0)
		give_up(to);
	/* A serial number that was cut off would name a shorter file. */
	if (lseek(in, 0, SEEK_END) - len >= 512 || lseek(in, 0, SEEK_SET))
		give_up("the disk is longer than its serial number says");
	while (len > 0) {
		n = read(in, buf, len < (long long)sizeof(buf) ? len : (long long)sizeof(buf));
		if (n <= 0 || write(out, buf, n) != n)
			give_up(to);
		len -= n;
	}
	close(in);
	close(out);
}
