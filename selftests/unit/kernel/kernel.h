/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What kmod/store takes from the kernel, for one thread in user space. Locks
 * check that they are not taken twice, and lockdep's asserts are real ones. Works
 * run when they are flushed or a caller sleeps, and delayed ones when they are cancelled. Every
 * allocation may be failed (pkram_alloc_fail_at).
 *
 * The Makefile makes each <linux/...> that the store includes a file with a
 * single line, which includes this one.
 */
#ifndef _PKRAM_TEST_KERNEL_H
#define _PKRAM_TEST_KERNEL_H

#include <ctype.h>
#include <stdio.h>
#include "compat/pure_env.h"
#include "kernel/list.h"
#include "kernel/lock.h"
#include "kernel/rbtree.h"

typedef u64 phys_addr_t;
#define __packed		__attribute__((packed))
#define __aligned(n)		__attribute__((aligned(n)))
#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#endif

#define U32_MAX			(~0U)
#define U64_MAX			(~0ULL)
#define PAGE_SHIFT		12
#define PAGE_SIZE		4096UL
#define HZ			100
#define GFP_KERNEL		0
#define GFP_KERNEL_ACCOUNT	0
#define KBUILD_MODNAME		"pkram"
#define THIS_MODULE		NULL
#define PKRAM_NS		PKRAM
#define EXPORT_SYMBOL_NS_GPL(symbol, ns) extern int exports_##symbol

#define BIT_ULL(n)		(1ULL << (n))
#define IS_ALIGNED(x, a)	(!((x) & ((__typeof__(x))(a) - 1)))
#define round_up(x, a)		((((x) - 1) | ((__typeof__(x))(a) - 1)) + 1)
#define round_down(x, a)	((x) & ~((__typeof__(x))(a) - 1))
#define DIV_ROUND_UP_ULL(x, a)	(((x) + (a) - 1) / (a))
#define DIV_ROUND_UP(x, a)	(((x) + (a) - 1) / (a))
#define PHYS_PFN(x)		((unsigned long)((x) >> PAGE_SHIFT))
#define clamp(x, lo, hi)	min(max(x, lo), hi)
#define lower_32_bits(x)	((u32)(x))
#define upper_32_bits(x)	((u32)((x) >> 32))
#define cond_resched()		pkram_env_pause()
#define fsleep(us)		shim_sleep()
#define smp_load_acquire(p)	READ_ONCE(*(p))

#define WARN_ON(cond)							\
	({								\
		if (cond)						\
			shim_fail("WARN_ON(" #cond ")", __FILE__, __LINE__); \
		false;							\
	})
#define WARN_ON_ONCE(cond)	WARN_ON(cond)

/* Messages; what a test wants to see it finds in shim_log */
extern char shim_log[1 << 16];
extern unsigned long shim_messages;		/* how many there were */
void shim_print(const char *fmt, ...);
#define pr_warn(...)		shim_print(__VA_ARGS__)
#define pr_err(...)		shim_print(__VA_ARGS__)
#define pr_info(...)		shim_print(__VA_ARGS__)
#define pr_warn_ratelimited(...) shim_print(__VA_ARGS__)
#define scnprintf(buf, size, ...)					\
	((int)min_t(size_t, (size_t)snprintf(buf, size, __VA_ARGS__), (size) - 1))

/* Memory */
#define kmalloc(n, gfp)		pkram_alloc_mem(n)
#define kzalloc(n, gfp)		pkram_alloc_mem(n)
#define kvzalloc(n, gfp)	pkram_alloc_mem(n)
#define kvmalloc(n, gfp)	pkram_alloc_mem(n)
#define vzalloc(n)		pkram_alloc_mem(n)
#define kcalloc(n, size, gfp)	pkram_alloc_mem((size_t)(n) * (size))
#define kvcalloc(n, size, gfp)	pkram_alloc_mem((size_t)(n) * (size))
#define kvmalloc_array(n, size, gfp) pkram_alloc_mem((size_t)(n) * (size))
#define krealloc_array(p, n, size, gfp) realloc(p, (size_t)(n) * (size))
#define kfree(p)		pkram_free_mem(p)
#define kvfree(p)		pkram_free_mem(p)
#define vfree(p)		pkram_free_mem(p)

#define ERR_PTR(err)		((void *)(long)(err))
#define PTR_ERR(p)		((long)(p))
#define IS_ERR(p)		((unsigned long)(p) >= (unsigned long)-4095)
#define IS_ERR_OR_NULL(p)	(!(p) || IS_ERR(p))

/* Bitmaps */
#define DECLARE_BITMAP(name, bits) unsigned long name[BITS_TO_LONGS(bits)]
#define find_first_zero_bit(p, size) find_next_zero_bit(p, size, 0)

static inline bool __test_and_clear_bit(long nr, unsigned long *p)
{
	bool was = test_bit(nr, p);

	__clear_bit(nr, p);
	return was;
}

static inline u32 ilog2(u64 n)
{
	return 63 - __builtin_clzll(n);
}

static inline u64 roundup_pow_of_two(u64 n)
{
	return n < 2 ? 1 : 1ULL << (ilog2(n - 1) + 1);
}

u32 jhash(const void *key, u32 length, u32 initval);
u32 jhash_1word(u32 a, u32 initval);
u32 get_random_u32(void);

/* Time, which goes on by itself */
struct timespec64 {
	s64 tv_sec;
	long tv_nsec;
};

extern s64 shim_now;
void ktime_get_coarse_real_ts64(struct timespec64 *ts);
#define ktime_get_real_seconds() (shim_now)
#define ktime_get_ns()		((u64)shim_now)

/* One CPU */
#define DECLARE_PER_CPU(type, name) extern type name
#define DEFINE_PER_CPU(type, name) type name
#define per_cpu(var, cpu)	(var)
#define this_cpu_add(var, n)	((var) += (n))
#define for_each_possible_cpu(cpu) for ((cpu) = 0; (cpu) < 1; (cpu)++)

/* Works */
struct work_struct {
	void (*fn)(struct work_struct *work);
	bool queued;
};

struct delayed_work {
	struct work_struct work;
};

#define DECLARE_WORK(name, f)	struct work_struct name = { .fn = f }
#define DECLARE_DELAYED_WORK(name, f) struct delayed_work name = { .work = { .fn = f } }
#define schedule_work(w)	shim_schedule(w)
#define queue_work(wq, w)	shim_schedule(w)
void shim_schedule(struct work_struct *work);
#define schedule_delayed_work(w, delay) ((w)->work.queued = true)
extern unsigned long shim_waits;		/* for works */
bool flush_work(struct work_struct *work);
bool shim_run_works(void);			/* Return: whether one was queued. */
void shim_sleep(void);
void cancel_delayed_work_sync(struct delayed_work *work);
#define cancel_work_sync(w)	((w)->queued = false)

/* May the task wait for I/O when it allocates? */
extern unsigned int shim_noio;

static inline unsigned int memalloc_noio_save(void)
{
	unsigned int old = shim_noio;

	shim_noio = 1;
	return old;
}

static inline void memalloc_noio_restore(unsigned int old)
{
	SHIM_CHECK(shim_noio);
	shim_noio = old;
}

#define DEFINE_STATIC_SRCU(name) static const char name
#define srcu_read_lock(s)	((void)(s), shim_srcu_reads++, shim_srcu_held++)
#define srcu_read_unlock(s, idx) SHIM_CHECK((idx) == --shim_srcu_held)
#define synchronize_srcu(s)						\
	do {								\
		(void)(s);						\
		SHIM_CHECK(!shim_srcu_held);				\
		shim_srcu_waits++;					\
	} while (0)
extern int shim_srcu_held;
extern unsigned long shim_srcu_reads;
extern unsigned long shim_srcu_waits;

#define fs_reclaim_acquire(gfp)	do { } while (0)
#define fs_reclaim_release(gfp)	do { } while (0)
#define might_lock(p)		SHIM_CHECK(!lockdep_is_held(p))

/* Modules, processes, files: there are none */
extern long shim_module_refs;
#define __module_get(module)	(shim_module_refs++)
#define module_put(module)	(shim_module_refs--)
#define fatal_signal_pending(task) false
#define numa_mem_id()		0
extern char shim_user_ns;
#define init_user_ns		shim_user_ns
extern unsigned int shim_euid;
extern bool shim_capable;
#define current_euid()		shim_euid
#define current_user_ns()	(&init_user_ns)
#define current_egid()		0
#define from_kuid(ns, uid)	(uid)
#define from_kgid(ns, gid)	(gid)
#define make_kuid(ns, uid)	(uid)
#define uid_eq(a, b)		((a) == (b))
#define capable(cap)		shim_capable
typedef u32 kuid_t;
struct inode;
#define iput(inode)		do { } while (0)
#define generate_random_uuid(u)	shim_random_uuid(u)
void shim_random_uuid(u8 uuid[16]);
void get_random_bytes(void *buf, size_t len);
void *memchr_inv(const void *p, int c, size_t len);

/* Text, for handover/e820.c */
unsigned long long memparse(const char *p, char **end);

#define XATTR_USER_PREFIX	"user."
#define XATTR_USER_PREFIX_LEN	5
#define XATTR_CREATE		1
#define XATTR_REPLACE		2

#define compat_flush_before_free() do { } while (0)

struct dev_pagemap {
	void *owner;
};

struct dev_pagemap_ops {
	int (*memory_failure)(struct dev_pagemap *pgmap, unsigned long pfn,
			      unsigned long nr_pages, int flags);
};

struct resource;

#endif /* _PKRAM_TEST_KERNEL_H */
