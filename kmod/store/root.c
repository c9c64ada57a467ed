// SPDX-License-Identifier: GPL-2.0
/* The root directory: see root.h. */
#include <linux/fs.h>
#include "store/commit.h"
#include "store/objects.h"
#include "store/root.h"
#include "store/state.h"

struct pkram_object *pkram_store_root(void)
{
	struct pkram_object *root;

	pkram_store_lock();
	root = pkram_object_get(pkram_store.root);
	pkram_store_unlock();
	return root;
}

struct pkram_object *pkram_root_make(void)
{
	struct pkram_object *root = pkram_object_alloc();

	if (!root)
		return NULL;
	root->key = PKRAM_ROOT_ID;
	root->rec.id = PKRAM_ROOT_ID;
	root->rec.kind = PKRAM_KIND_DIR;
	root->rec.mode = S_IFDIR | 0755;
	pkram_object_born(root);
	return root;
}

int pkram_root_commit(void)
{
	int err;

	do {
		pkram_transact_begin();
		err = pkram_object_commit(pkram_store.root);
	} while (pkram_transact_end(&err));
	return err;
}
