/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Search trees by the names of the kernel's red-black trees. They are treaps: a
 * node's priority is a hash of its address. See kernel.h.
 */
#ifndef _PKRAM_TEST_RBTREE_H
#define _PKRAM_TEST_RBTREE_H

#include <stdbool.h>
#include <stddef.h>

struct rb_node {
	struct rb_node *rb_parent;
	struct rb_node *rb_left;
	struct rb_node *rb_right;
};

struct rb_root {
	struct rb_node *rb_node;
};

#define RB_ROOT			((struct rb_root){ NULL })
#define RB_EMPTY_ROOT(root)	(!(root)->rb_node)
#define RB_CLEAR_NODE(node)	((node)->rb_parent = (node))
#define rb_entry(ptr, type, member) container_of(ptr, type, member)

static inline void rb_link_node(struct rb_node *node, struct rb_node *parent,
				struct rb_node **link)
{
	node->rb_parent = parent;
	node->rb_left = NULL;
	node->rb_right = NULL;
	*link = node;
}

void rb_insert_color(struct rb_node *node, struct rb_root *root);
void rb_erase(struct rb_node *node, struct rb_root *root);
struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_last(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *node);
void rb_add(struct rb_node *node, struct rb_root *root,
	    bool (*less)(struct rb_node *node, const struct rb_node *other));
struct rb_node *rb_find(const void *key, const struct rb_root *root,
			int (*cmp)(const void *key, const struct rb_node *node));

#endif /* _PKRAM_TEST_RBTREE_H */
