/* SPDX-License-Identifier: GPL-2.0 */
/* There are no tracepoints in user space. */
#ifndef _PKRAM_TEST_TRACE_H
#define _PKRAM_TEST_TRACE_H

static inline void no_trace(int first, ...)
{
	(void)first;
}

#define trace_pkram_claim(...)		no_trace(0, __VA_ARGS__)
#define trace_pkram_release(...)	no_trace(0, __VA_ARGS__)
#define trace_pkram_seal(...)		no_trace(0, __VA_ARGS__)
#define trace_pkram_resume(...)		no_trace(0, __VA_ARGS__)
#define trace_pkram_commit(...)		no_trace(0, __VA_ARGS__)
#define trace_pkram_repair(...)		no_trace(0, __VA_ARGS__)
#define trace_pkram_quarantine(...)	no_trace(0, __VA_ARGS__)
#define trace_pkram_bad_page(...)	no_trace(0, __VA_ARGS__)
#define trace_pkram_range_quarantine(...) no_trace(0, __VA_ARGS__)
#define trace_pkram_attach(...)		no_trace(0, __VA_ARGS__)
#define trace_pkram_attach_enabled()	true

#endif
