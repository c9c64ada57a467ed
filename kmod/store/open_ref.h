/* SPDX-License-Identifier: GPL-2.0 */
/* References to an open of a file, as pkram_vfio.ko may use them. Exported. */
#ifndef _PKRAM_STORE_OPEN_REF_H
#define _PKRAM_STORE_OPEN_REF_H

struct pkram_open;

/** pkram_open_put() - drop a reference. Context: may sleep. */
void pkram_open_put(struct pkram_open *open);

/** pkram_open_object() - get a pointer that stands for the object, to be compared only */
const void *pkram_open_object(const struct pkram_open *open);

#endif /* _PKRAM_STORE_OPEN_REF_H */
