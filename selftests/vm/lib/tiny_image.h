/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A kexec image that is loaded at once, and is not booted: little more than the header of the
 * next kernel's image. A real one is copied page by page, some ten thousand pages. The
 * scenario needs NEXT_FILES.
 */
#ifndef PKRAM_VM_TINY_IMAGE_H
#define PKRAM_VM_TINY_IMAGE_H

/* Write the file that tiny_image_load() loads. Return: 0 or -1 */
int tiny_image_make(void);

/* Load it by kexec_file_load(2). Return: 0 or -errno */
int tiny_image_load(void);

/* Unload any image. Return: 0 or -errno */
int tiny_image_unload(void);

#endif
