// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <linux/elf.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc_trace.h"

#define TRACING		"/sys/kernel/tracing"
#define INSTANCE	TRACING "/instances/alloc"
#define BUFFER_KB	"16384"

/* An event in the ring buffer, without its header */
struct stack_entry {
	uint16_t type;
	uint8_t flags, preempt_count;
	int32_t pid;
	int32_t size;
	unsigned long caller[];
};

/* Symbols of the kernel and of loaded modules */
static struct symbol {
	unsigned long addr;
	const char *name;
} *symbols;

struct alloc_chain alloc_chains[ALLOC_MAX_CHAINS];
int alloc_nr_chains;

int alloc_run[ALLOC_MAX];
int alloc_nr_run;

static int trace_pipe = -1, trace_on = -1;
static int stack_event;

static int nr_symbols;

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

void alloc_trace_read_symbols(void)
{
	static char *text;
	static int room;
	char *line, *end, *save;

	free(text);
	text = vm_read_file("/proc/kallsyms");
	nr_symbols = 0;
	if (!text)
		return;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		unsigned long addr = strtoul(line, &end, 16);

		if (!strchr("tTwW", end[1]) || strstr(end, "[__builtin"))
			continue;
		if (nr_symbols == room) {
			room = room ? 2 * room : 65536;
			symbols = realloc(symbols, room * sizeof(*symbols));
		}
		symbols[nr_symbols++] = (struct symbol){ addr, end + 3 };
	}
	qsort(symbols, nr_symbols, sizeof(*symbols), by_address);
}

/* Return the name of the function that contains @addr, or "?" */
static const char *symbol_of(unsigned long addr)
{
	int low = 0, high = nr_symbols;

	while (low < high) {
		int mid = (low + high) / 2;

		if (symbols[mid].addr <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low && addr - symbols[low - 1].addr < MIB ? symbols[low - 1].name : "?";
}

static unsigned long address_of(const char *name)
{
	for (int i = 0; i < nr_symbols; i++)
		if (!strcmp(symbols[i].name, name))
			return symbols[i].addr;
	return 0;
}

bool alloc_chain_has(const struct alloc_chain *c, const char *function)
{
	size_t len = strlen(function);

	for (int i = 0; i < c->nr; i++) {
		const char *name = symbol_of(c->frames[i]);

		if (!strncmp(name, function, len) && (!name[len] || name[len] == '.'))
			return true;
	}
	return false;
}

void alloc_chain_print(const char *what, const struct alloc_chain *c)
{
	printf("  %s:", what);
	for (int i = 1; i < c->nr; i++) {
		const char *name = symbol_of(c->frames[i]);

		printf(" %.*s", (int)strcspn(name, "\t"), name);
		if (!strcmp(name, "do_syscall_64") || !strcmp(name, "exc_page_fault"))
			break;
	}
	printf("\n");
}

static bool in_module(unsigned long addr)
{
	return addr >= 0xffffffffc0000000;
}

static enum alloc_origin origin_of(const struct alloc_chain *c)
{
	if (alloc_chain_has(c, "handle_softirqs") || alloc_chain_has(c, "asm_common_interrupt") ||
	    alloc_chain_has(c, "asm_sysvec_apic_timer_interrupt"))
		return ALLOC_UNCOUNTED;
	/* stackdepot belongs to KASAN, the others to debugobjects and kmemleak. */
	if (alloc_chain_has(c, "stack_depot_save_flags") || alloc_chain_has(c, "fill_pool") ||
	    alloc_chain_has(c, "__create_object"))
		return ALLOC_CHECKER;
	if (alloc_chain_has(c, "___slab_alloc") || alloc_chain_has(c, "alloc_vmap_area") ||
	    alloc_chain_has(c, "vmap_small_pages_range_noflush") ||
	    alloc_chain_has(c, "__change_page_attr_set_clr") ||
	    (alloc_chain_has(c, "idr_alloc_cyclic") && alloc_chain_has(c, "__kernfs_new_node")))
		return ALLOC_CHANCE;
	return alloc_chain_has(c, "should_failslab") ? ALLOC_SLAB : ALLOC_PAGE;
}

/* Return the index of a chain in alloc_chains[], or -1 if the array is full */
static int chain_of(const unsigned long *frames, int nr)
{
	struct alloc_chain *c = &alloc_chains[alloc_nr_chains];
	uint64_t hash = nr;

	/* The innermost frame is the probe. */
	for (int i = 1; i < nr; i++) {
		unsigned long f = in_module(frames[i]) ? frames[i] % 4096 : frames[i];

		hash = (hash ^ f) * 0x9e3779b97f4a7c15;
		hash ^= hash >> 29;
	}
	for (int i = 0; i < alloc_nr_chains; i++)
		if (alloc_chains[i].hash == hash)
			return i;
	if (alloc_nr_chains == ALLOC_MAX_CHAINS)
		return -1;
	c->hash = hash;
	c->nr = nr < ALLOC_DEPTH ? nr : ALLOC_DEPTH;
	memcpy(c->frames, frames, c->nr * sizeof(*frames));
	c->origin = origin_of(c);
	return alloc_nr_chains++;
}

static int take_event(const void *data)
{
	const struct stack_entry *e = data;

	int c;

	if (e->type != stack_event || e->pid != getpid())
		return 0;
	c = chain_of(e->caller, e->size);
	if (c < 0 || alloc_nr_run == ALLOC_MAX)
		return -1;
	if (alloc_chains[c].origin != ALLOC_UNCOUNTED)
		alloc_run[alloc_nr_run++] = c;
	return 0;
}

/* Parse a page of the ring buffer; header_page and header_event in tracefs describe it */
static int take_page(const char *page)
{
	uint64_t commit = *(const uint64_t *)(page + 8);
	const char *p = page + 16, *end = p + (commit & 0xfffff);

	if (commit >> 31 & 1)
		return -1;	/* events were lost before it */
	while (p < end) {
		uint32_t head = *(const uint32_t *)p, len = head & 31;
		const char *data = p + 4;

		if (len == 29) {	/* padding: to the end of the page, or of a given length */
			if (!(head >> 5))
				break;
			p += 4 + *(const uint32_t *)data;
			continue;
		}
		if (len >= 30) {	/* time */
			p += 8;
			continue;
		}
		if (len) {
			len *= 4;
		} else {
			len = *(const uint32_t *)data - 4;
			data += 4;
		}
		if (take_event(data))
			return -1;
		p = data + len;
	}
	return 0;
}

/* Return whether events were lost */
static bool trace_lost(void)
{
	char *stats = vm_read_file(INSTANCE "/per_cpu/cpu0/stats"), *line, *save;
	bool lost = !stats;

	for (line = stats ? strtok_r(stats, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save))
		if (strstr(line, "overrun: ") || strstr(line, "dropped events: "))
			lost |= atoi(strchr(line, ':') + 1) > 0;
	free(stats);
	return lost;
}

static int trace_read(void)
{
	static char page[4096] __attribute__((aligned(8)));
	int err = 0;

	alloc_nr_run = 0;
	while (read(trace_pipe, page, sizeof(page)) > 0)
		err |= take_page(page);
	return err || trace_lost() ? -1 : 0;
}

int alloc_trace_start(void)
{
	int err = trace_read();

	return pwrite(trace_on, "1", 1, 0) == 1 ? err : -1;
}

int alloc_trace_stop(void)
{
	if (pwrite(trace_on, "0", 1, 0) != 1)
		return -1;
	return trace_read();
}

/* Read the kernel's code at @addr */
static int read_text(unsigned long addr, void *buf, size_t len)
{
	int fd = open("/proc/kcore", O_RDONLY | O_CLOEXEC), err = -1;
	struct elf64_hdr head;
	struct elf64_phdr part;

	if (fd < 0)
		return -1;
	if (pread(fd, &head, sizeof(head), 0) != sizeof(head))
		goto out;
	for (int i = 0; i < head.e_phnum; i++) {
		off_t at = head.e_phoff + i * sizeof(part);

		if (pread(fd, &part, sizeof(part), at) != sizeof(part))
			break;
		if (part.p_type != PT_LOAD || addr < part.p_vaddr ||
		    addr + len > part.p_vaddr + part.p_memsz)
			continue;
		at = part.p_offset + (addr - part.p_vaddr);
		err = pread(fd, buf, len, at) == (ssize_t)len ? 0 : -1;
		break;
	}
out:
	close(fd);
	return err;
}

/* Set a probe where @function calls should_fail_ex() or jumps to it */
static int probe_call(const char *function)
{
	unsigned long addr = address_of(function), to = address_of("should_fail_ex");
	uint8_t text[1024];
	char event[128];
	int32_t by;

	if (!addr || !to || read_text(addr, text, sizeof(text)))
		return -1;
	for (size_t i = 0; i + 5 <= sizeof(text); i++) {
		memcpy(&by, text + i + 1, sizeof(by));
		if ((text[i] != 0xe8 && text[i] != 0xe9) || addr + i + 5 + by != to)
			continue;
		snprintf(event, sizeof(event), "p:alloc/%s %s+%zu", function, function, i);
		return vm_run(NULL, "echo '%s' >>" TRACING "/kprobe_events", event);
	}
	return -1;
}

int alloc_trace_open(void)
{
	char *format = vm_read_file(TRACING "/events/ftrace/kernel_stack/format");
	char *id = format ? strstr(format, "ID: ") : NULL;
	char filter[64];
	cpu_set_t cpus;
	int err;

	if (!id)
		return -1;
	stack_event = atoi(id + 4);
	free(format);
	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	err = sched_setaffinity(0, sizeof(cpus), &cpus);
	alloc_trace_read_symbols();
	if (access(INSTANCE, F_OK)) {
		err |= probe_call("should_failslab") | probe_call("should_fail_alloc_page");
		err |= mkdir(INSTANCE, 0755);
		err |= vm_write_file(INSTANCE "/tracing_on", "0");
		err |= vm_write_file(INSTANCE "/buffer_size_kb", BUFFER_KB);
		err |= vm_write_file(INSTANCE "/options/stacktrace", "1");
	}
	snprintf(filter, sizeof(filter), "common_pid == %d", getpid());
	err |= vm_write_file(INSTANCE "/events/alloc/filter", filter);
	err |= vm_write_file(INSTANCE "/events/alloc/enable", "1");
	trace_on = open(INSTANCE "/tracing_on", O_WRONLY | O_CLOEXEC);
	trace_pipe = open(INSTANCE "/per_cpu/cpu0/trace_pipe_raw",
			  O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return err || trace_on < 0 || trace_pipe < 0 || !nr_symbols ? -1 : 0;
}
