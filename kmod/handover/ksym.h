/* SPDX-License-Identifier: GPL-2.0 */
/* Data of the kernel that is not exported to modules. */
#ifndef _PKRAM_KSYM_H
#define _PKRAM_KSYM_H

/**
 * pkram_ksym_data() - Find a variable of the kernel that is not exported
 * @name: the symbol
 *
 * Only for data: a function found this way may lack what indirect calls need
 * (IBT), so functions are not returned. Needs CONFIG_KALLSYMS_ALL. Context: may
 * sleep.
 * Return: the address, or NULL if there is no such variable.
 */
void *pkram_ksym_data(const char *name);

#endif /* _PKRAM_KSYM_H */
