/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CRC32C (Castagnoli, reflected polynomial 0x82f63b78). Pure. */
#ifndef _PKRAM_CRC32C_H
#define _PKRAM_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/**
 * pkram_crc32c() - Continue a checksum, as the kernel's crc32c() does
 * @crc: register so far; nothing is inverted, neither before nor after
 * @p: bytes
 * @n: number of bytes
 *
 * Return: the register.
 */
uint32_t pkram_crc32c(uint32_t crc, const void *p, size_t n);

/* The same without the CPU's instruction, for tests and other CPUs */
uint32_t pkram_crc32c_table(uint32_t crc, const void *p, size_t n);

#endif /* _PKRAM_CRC32C_H */
