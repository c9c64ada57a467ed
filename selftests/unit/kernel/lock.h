/* SPDX-License-Identifier: GPL-2.0 */
/* Locks, and counts of references, by the kernel's names, for one thread. See kernel.h. */
#ifndef _PKRAM_TEST_LOCK_H
#define _PKRAM_TEST_LOCK_H

#include <stdbool.h>
#include <stddef.h>

/* Say what is wrong, and abort. */
void __attribute__((noreturn)) shim_fail(const char *what, const char *file, int line);

#define SHIM_CHECK(cond)						\
	do {								\
		if (!(cond))						\
			shim_fail(#cond, __FILE__, __LINE__);		\
	} while (0)

/* All locks are one: not held, held to read, or held to write */
struct shim_lock {
	int writers;
	int readers;
};

struct mutex {
	struct shim_lock l;
};

struct rw_semaphore {
	struct shim_lock l;
};

typedef struct {
	struct shim_lock l;
} spinlock_t;

#define SHIM_LOCK(p)							\
	do {								\
		SHIM_CHECK(!(p)->l.writers && !(p)->l.readers);		\
		(p)->l.writers = 1;					\
	} while (0)
#define SHIM_UNLOCK(p)							\
	do {								\
		SHIM_CHECK((p)->l.writers);				\
		(p)->l.writers = 0;					\
	} while (0)

#define DEFINE_MUTEX(m)		struct mutex m
#define mutex_init(p)		((p)->l = (struct shim_lock){ 0 })
#define mutex_destroy(p)	do { } while (0)
extern unsigned long shim_locks;		/* how often a mutex was taken */
#define mutex_lock(p)							\
	do {								\
		SHIM_LOCK(p);						\
		shim_locks++;						\
	} while (0)
/* What another task does when a mutex is free again; once. */
extern void (*shim_unlocked)(void);

#define mutex_unlock(p)							\
	do {								\
		void (*shim_other)(void) = shim_unlocked;		\
									\
		SHIM_UNLOCK(p);						\
		shim_unlocked = NULL;					\
		if (shim_other)						\
			shim_other();					\
	} while (0)
#define mutex_trylock(p)	({ SHIM_LOCK(p); true; })
#define spin_lock_init(p)	((p)->l = (struct shim_lock){ 0 })
#define spin_lock(p)		SHIM_LOCK(p)
#define spin_unlock(p)		SHIM_UNLOCK(p)
#define init_rwsem(p)		((p)->l = (struct shim_lock){ 0 })
#define down_write(p)		SHIM_LOCK(p)
#define up_write(p)		SHIM_UNLOCK(p)
#define down_read(p)							\
	do {								\
		SHIM_CHECK(!(p)->l.writers);				\
		(p)->l.readers++;					\
	} while (0)
#define up_read(p)							\
	do {								\
		SHIM_CHECK((p)->l.readers);				\
		(p)->l.readers--;					\
	} while (0)
#define rcu_read_lock()		do { } while (0)
#define rcu_read_unlock()	do { } while (0)
#define synchronize_rcu()	do { } while (0)

#define lockdep_is_held(p)	((p)->l.writers || (p)->l.readers)
#define lockdep_assert(cond)	SHIM_CHECK(cond)
#define lockdep_assert_held(p)	SHIM_CHECK(lockdep_is_held(p))
#define lockdep_assert_held_write(p) SHIM_CHECK((p)->l.writers)
#define lockdep_assert_not_held(p) SHIM_CHECK(!lockdep_is_held(p))

typedef struct {
	int n;
} atomic_t;

#define atomic_set(a, v)	((a)->n = (v))
#define atomic_read(a)		((a)->n)
#define atomic_inc(a)		((a)->n++)
#define atomic_dec(a)		((a)->n--)

typedef struct {
	int n;
} refcount_t;

#define refcount_set(r, v)	((r)->n = (v))
#define refcount_read(r)	((unsigned int)(r)->n)
#define refcount_inc(r)							\
	do {								\
		SHIM_CHECK((r)->n > 0);					\
		(r)->n++;						\
	} while (0)

static inline bool refcount_inc_not_zero(refcount_t *r)
{
	if (!r->n)
		return false;
	r->n++;
	return true;
}

static inline bool refcount_dec_and_test(refcount_t *r)
{
	SHIM_CHECK(r->n > 0);
	return !--r->n;
}

#endif /* _PKRAM_TEST_LOCK_H */
