/* SPDX-License-Identifier: GPL-2.0 */
/* References to an open of a file, for pkram_vfio.ko. Exported. */
#ifndef _PKRAM_STORE_OPEN_REF_H
#define _PKRAM_STORE_OPEN_REF_H

struct pkram_open;

/** pkram_open_put() - Drop a reference. Context: may sleep. */
void pkram_open_put(struct pkram_open *open);

/** pkram_open_object() - Get a pointer that identifies the object, only for comparison */
const void *pkram_open_object(const struct pkram_open *open);

#endif /* _PKRAM_STORE_OPEN_REF_H */
