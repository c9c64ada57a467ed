// SPDX-License-Identifier: GPL-2.0
/* The code of the tracepoints: see trace.h. */
#define CREATE_TRACE_POINTS
#include "event/trace.h"
