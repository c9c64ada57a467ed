/* SPDX-License-Identifier: GPL-2.0 */
/* The control plane: generic netlink family "pkram"; see uapi/pkram.yaml */
#ifndef _PKRAM_GENL_H
#define _PKRAM_GENL_H

/** pkram_genl_init() - Register the family; 0 or negative errno */
int pkram_genl_init(void);
/** pkram_genl_exit() - Unregister it; no request runs after */
void pkram_genl_exit(void);

#endif /* _PKRAM_GENL_H */
