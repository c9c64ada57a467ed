/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Helpers for tests on a host with several NUMA nodes. Tests that include this are linked
 * with libpkram, as it includes <pkram.h>.
 */
#ifndef PKRAM_VM_NODES_H
#define PKRAM_VM_NODES_H

/* Return the free memory of the pool on this node in bytes; -1 if unknown */
long long nodes_free(int node);

#endif
