/* SPDX-License-Identifier: GPL-2.0 */
/* The module's tracepoints, in a trace of their own */
#ifndef PKRAM_VM_TRACE_H
#define PKRAM_VM_TRACE_H

/* Begin a new trace of all tracepoints of the loaded module: 0 or -errno */
int trace_start(void);

/* End it. Return: the trace as text, to be freed; NULL and errno on failure */
char *trace_stop(void);

/* Return the number of lines of a trace in which @event is followed by @text */
int trace_count(const char *trace, const char *event, const char *text);

#endif
