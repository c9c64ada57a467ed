// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tiny_image.h"
#include "vm.h"

#define IMAGE		"/run/image"
#define SETUP_SECTS	0x1f1	/* Documentation/arch/x86/boot.rst */
#define INIT_SIZE	0x260

int tiny_image_make(void)
{
	static uint8_t image[64 * KIB];
	uint32_t init_size = 2 * 4096;
	int in = open(vm_next_kernel(), O_RDONLY | O_CLOEXEC), out = -1;
	size_t setup, len;
	int err = -1;

	if (in < 0 || read(in, image, sizeof(image)) != sizeof(image))
		goto out;
	setup = (image[SETUP_SECTS] + 1) * 512;
	len = setup + init_size;
	if (len > sizeof(image))
		goto out;
	memcpy(image + INIT_SIZE, &init_size, sizeof(init_size));
	memset(image + setup, 0xf4, init_size);
	out = open(IMAGE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (out >= 0 && write(out, image, len) == (ssize_t)len)
		err = 0;
out:
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return err;
}

static int load(int kernel, unsigned long flags)
{
	static const char cmdline[] = "none";

	return syscall(SYS_kexec_file_load, kernel, -1, sizeof(cmdline), cmdline,
		       KEXEC_FILE_NO_INITRAMFS | flags) ? -errno : 0;
}

int tiny_image_load(void)
{
	int kernel = open(IMAGE, O_RDONLY | O_CLOEXEC), err;

	if (kernel < 0)
		return -errno;
	err = load(kernel, 0);
	close(kernel);
	return err;
}

int tiny_image_unload(void)
{
	return load(-1, KEXEC_FILE_UNLOAD);
}
