/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints: what the module did, in the order in which it did it, to find the cause of a
 * problem. docs/troubleshooting.md shows how to read them. One that is
 * off is a jump that is not taken. They are no stable interface.
 *
 * Arguments are numbers and texts, not objects: this layer knows none.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM pkram

#if !defined(_PKRAM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _PKRAM_TRACE_H

#include <linux/ktime.h>
#include <linux/mm_types.h>
#include <linux/tracepoint.h>
#include "compat/trace.h"
#include "core/layout.h"

#define PKRAM_TRACE_SEALS					\
	{ PKRAM_SEAL_NONE, "none" },				\
	{ PKRAM_SEAL_RUNNING, "running" },			\
	{ PKRAM_SEAL_SEALED, "sealed" }

#define PKRAM_TRACE_KINDS					\
	{ PKRAM_KIND_FREE, "free" },				\
	{ PKRAM_KIND_FILE, "file" },				\
	{ PKRAM_KIND_DIR, "directory" },			\
	{ PKRAM_KIND_DMA_TABLE, "DMA table" }

TRACE_DEFINE_ENUM(PKRAM_SEAL_NONE);
TRACE_DEFINE_ENUM(PKRAM_SEAL_RUNNING);
TRACE_DEFINE_ENUM(PKRAM_SEAL_SEALED);
TRACE_DEFINE_ENUM(PKRAM_KIND_FREE);
TRACE_DEFINE_ENUM(PKRAM_KIND_FILE);
TRACE_DEFINE_ENUM(PKRAM_KIND_DIR);
TRACE_DEFINE_ENUM(PKRAM_KIND_DMA_TABLE);

/* One attempt to map a page of @size bytes; @result: VM_FAULT_* */
TRACE_EVENT(pkram_fault,
	TP_PROTO(u64 id, u64 offset, unsigned long size, bool write, vm_fault_t result),
	TP_ARGS(id, offset, size, write, result),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u64, offset)
		__field(unsigned long, size)
		__field(bool, write)
		__field(unsigned int, result)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->offset = offset;
		__entry->size = size;
		__entry->write = write;
		__entry->result = (__force unsigned int)result;
	),
	/* As in enum vm_fault_reason, whose names need a cast that programs cannot read */
	TP_printk("object=%llu offset=%#llx size=%#lx %s result=%s", __entry->id,
		  __entry->offset, __entry->size, __entry->write ? "write" : "read",
		  __print_flags(__entry->result, "|",
				{ 0x1, "OOM" }, { 0x2, "SIGBUS" }, { 0x4, "MAJOR" },
				{ 0x10, "HWPOISON" }, { 0x20, "HWPOISON_LARGE" },
				{ 0x40, "SIGSEGV" }, { 0x100, "NOPAGE" },
				{ 0x200, "LOCKED" }, { 0x400, "RETRY" },
				{ 0x800, "FALLBACK" }))
);

/* A change of an object's owner, or a refused one */
DECLARE_EVENT_CLASS(pkram_seal_class,
	TP_PROTO(u64 id, u32 from, u32 to, u64 generation, int err),
	TP_ARGS(id, from, to, generation, err),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u64, generation)
		__field(u32, from)
		__field(u32, to)
		__field(int, err)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->generation = generation;
		__entry->from = from;
		__entry->to = to;
		__entry->err = err;
	),
	TP_printk("object=%llu from=%s to=%s generation=%llu err=%d", __entry->id,
		  __print_symbolic(__entry->from, PKRAM_TRACE_SEALS),
		  __print_symbolic(__entry->to, PKRAM_TRACE_SEALS),
		  __entry->generation, __entry->err)
);

#define PKRAM_TRACE_SEAL_EVENT(name)						\
DEFINE_EVENT(pkram_seal_class, name,						\
	TP_PROTO(u64 id, u32 from, u32 to, u64 generation, int err),		\
	TP_ARGS(id, from, to, generation, err))

PKRAM_TRACE_SEAL_EVENT(pkram_claim);
PKRAM_TRACE_SEAL_EVENT(pkram_release);
PKRAM_TRACE_SEAL_EVENT(pkram_seal);
PKRAM_TRACE_SEAL_EVENT(pkram_resume);

/* A record was written. @moved: to a pair of slots that is not the one it had before */
TRACE_EVENT(pkram_commit,
	TP_PROTO(u64 id, u32 kind, u64 seq, bool large, bool moved),
	TP_ARGS(id, kind, seq, large, moved),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u64, seq)
		__field(u32, kind)
		__field(bool, large)
		__field(bool, moved)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->seq = seq;
		__entry->kind = kind;
		__entry->large = large;
		__entry->moved = moved;
	),
	TP_printk("object=%llu kind=%s seq=%llu slot=%s%s", __entry->id,
		  __print_symbolic(__entry->kind, PKRAM_TRACE_KINDS), __entry->seq,
		  __entry->large ? "large" : "small", __entry->moved ? " moved" : "")
);

/* The loader repaired what a cut or a damaged slot left; @how: text */
TRACE_EVENT(pkram_repair,
	TP_PROTO(u64 id, u32 kind, const char *how),
	TP_ARGS(id, kind, how),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u32, kind)
		__string(how, how)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->kind = kind;
		compat_assign_str(how, how);
	),
	TP_printk("object=%llu kind=%s %s", __entry->id,
		  __print_symbolic(__entry->kind, PKRAM_TRACE_KINDS), __get_str(how))
);

/* An object is quarantined: its key, and why */
TRACE_EVENT(pkram_quarantine,
	TP_PROTO(u64 key, u32 kind, const char *reason),
	TP_ARGS(key, kind, reason),
	TP_STRUCT__entry(
		__field(u64, key)
		__field(u32, kind)
		__string(reason, reason)
	),
	TP_fast_assign(
		__entry->key = key;
		__entry->kind = kind;
		compat_assign_str(reason, reason);
	),
	TP_printk("key=%#llx kind=%s reason=\"%s\"", __entry->key,
		  __print_symbolic(__entry->kind, PKRAM_TRACE_KINDS), __get_str(reason))
);

/* A reserved range is quarantined */
TRACE_EVENT(pkram_range_quarantine,
	TP_PROTO(u64 base, u64 size, const char *reason),
	TP_ARGS(base, size, reason),
	TP_STRUCT__entry(
		__field(u64, base)
		__field(u64, size)
		__string(reason, reason)
	),
	TP_fast_assign(
		__entry->base = base;
		__entry->size = size;
		compat_assign_str(reason, reason);
	),
	TP_printk("base=%#llx size=%#llx reason=\"%s\"", __entry->base, __entry->size,
		  __get_str(reason))
);

/*
 * A step that a range of memory took, or did not take. @begin: when it began, in
 * nanoseconds of ktime_get_ns()
 */
DECLARE_EVENT_CLASS(pkram_range_class,
	TP_PROTO(u64 base, u64 size, int err, const char *reason, u64 begin),
	TP_ARGS(base, size, err, reason, begin),
	TP_STRUCT__entry(
		__field(u64, base)
		__field(u64, size)
		__field(u64, usecs)
		__field(int, err)
		__string(reason, reason ?: "")
	),
	TP_fast_assign(
		__entry->base = base;
		__entry->size = size;
		__entry->usecs = (ktime_get_ns() - begin) / 1000;
		__entry->err = err;
		compat_assign_str(reason, reason ?: "");
	),
	TP_printk("base=%#llx size=%#llx err=%d reason=\"%s\" usecs=%llu",
		  __entry->base, __entry->size, __entry->err, __get_str(reason),
		  __entry->usecs)
);

#define PKRAM_TRACE_RANGE_EVENT(name)						\
DEFINE_EVENT(pkram_range_class, name,						\
	TP_PROTO(u64 base, u64 size, int err, const char *reason, u64 begin),	\
	TP_ARGS(base, size, err, reason, begin))

PKRAM_TRACE_RANGE_EVENT(pkram_take);
PKRAM_TRACE_RANGE_EVENT(pkram_give);
PKRAM_TRACE_RANGE_EVENT(pkram_populate);

/* Regions that an earlier kernel left joined the pool, or could not; the pool then */
TRACE_EVENT(pkram_attach,
	TP_PROTO(u32 found, u32 objects, u32 quarantined, int err, u64 begin),
	TP_ARGS(found, objects, quarantined, err, begin),
	TP_STRUCT__entry(
		__field(u64, usecs)
		__field(u32, found)
		__field(u32, objects)
		__field(u32, quarantined)
		__field(int, err)
	),
	TP_fast_assign(
		__entry->usecs = (ktime_get_ns() - begin) / 1000;
		__entry->found = found;
		__entry->objects = objects;
		__entry->quarantined = quarantined;
		__entry->err = err;
	),
	TP_printk("found=%u objects=%u quarantined=%u err=%d usecs=%llu",
		  __entry->found, __entry->objects, __entry->quarantined,
		  __entry->err, __entry->usecs)
);

/* A memory error was reported; @what came of it */
TRACE_EVENT(pkram_bad_page,
	TP_PROTO(u64 addr, const char *what),
	TP_ARGS(addr, what),
	TP_STRUCT__entry(
		__field(u64, addr)
		__string(what, what)
	),
	TP_fast_assign(
		__entry->addr = addr;
		compat_assign_str(what, what);
	),
	TP_printk("address=%#llx %s", __entry->addr, __get_str(what))
);

/* The guard saw a kexec image that is being loaded: 0, or the errno of its refusal */
TRACE_EVENT(pkram_guard,
	TP_PROTO(bool crash, bool file, unsigned long segments, int err),
	TP_ARGS(crash, file, segments, err),
	TP_STRUCT__entry(
		__field(unsigned long, segments)
		__field(int, err)
		__field(bool, crash)
		__field(bool, file)
	),
	TP_fast_assign(
		__entry->segments = segments;
		__entry->err = err;
		__entry->crash = crash;
		__entry->file = file;
	),
	TP_printk("image=%s by=%s segments=%lu verdict=%s err=%d",
		  __entry->crash ? "crash" : "kernel",
		  __entry->file ? "kexec_file_load" : "kexec_load", __entry->segments,
		  __entry->err ? "refused" : "passed", __entry->err)
);

#endif /* _PKRAM_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH event
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
