// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "guests_d.h"

int guests_d_define(const char *name, const char *more)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), GUESTS "/%s.conf", name);
	if (vm_run(NULL, "mkdir -p " GUESTS " /run/qemu"))
		return -EIO;
	f = fopen(path, "w");
	if (!f)
		return -errno;
	fprintf(f, "uuid = 5aef9d40-6ae8-4e0a-9b0a-5d0ac0f5f0a%c\n",
		name[strlen(name) - 1]);
	fprintf(f, "-nodefaults -no-user-config -display none -no-reboot -L " GUEST_DIR "/roms\n"
		"-machine q35,memory-backend=ram0 -m " SIZE ",slots=1,maxmem=1G\n"
		"-object memory-backend-pkram,id=ram0,size=" SIZE ",name=%s\n", name);
	fprintf(f, "-accel %s -cpu " GUEST_CPU " -bios " GUEST_DIR "/tiny.bin\n", qemu_accel());
	fprintf(f, "-qmp unix:/run/qemu/%s.qmp,server=on,wait=off\n", name);
	fprintf(f, "-chardev file,id=port0,path=/run/qemu/%s.port0 -serial chardev:port0\n", name);
	fprintf(f, "-chardev socket,id=port1,path=/run/qemu/%s.port1,server=on,wait=off,", name);
	fprintf(f, "logfile=/run/qemu/%s.port1.log -serial chardev:port1\n%s\n", name, more);
	return fclose(f) ? -EIO : 0;
}

struct qemu *guests_d_find(const char *name)
{
	return vm_run(NULL, "cp /run/pkram/%s/pid /run/qemu/%s.pid", name, name) ? NULL :
	       qemu_find(name);
}
