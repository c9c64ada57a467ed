// SPDX-License-Identifier: GPL-2.0
/*
 * A guest without Linux and without firmware: it is the firmware (-bios tiny.bin).
 *
 * Fill RAM from 2 MiB to its end, or to 2 GiB, with a pattern that depends on the address
 * and a seed, one word in each cache line. Then count at 20 Hz, check a piece of the
 * pattern with each count, and print the state on the first serial port, in the format of
 * the Linux guest:
 *
 *	guest: counter=40 uptime=2.0 pattern=ok mib=254 seed=1 boot_id=5ca1ab1e
 *
 * Once the pattern was found wrong, pattern= says so until the guest ends. The second
 * serial port takes commands, one per line, and answers with a line "guest: COMMAND: ...":
 *
 *	verify		check the whole pattern: "ok", or where it is wrong
 *	dirty		rewrite all of it with the next seed
 *	corrupt		change one word in the middle, which must be found
 *	counter		print the state line here
 *	reset		reset the machine (with -no-reboot QEMU ends)
 *	suspend		suspend to RAM (q35); it wakes up as after a reset
 *
 * All of its state is in RAM at 1 MiB, so a guest with the wrong RAM has lost it.
 */
#include <stdbool.h>
#include <stdint.h>

#define MIB		(1U << 20)
#define PATTERN_START	(2 * MIB)
#define PATTERN_LIMIT	(2048U * MIB)
#define STRIDE		64
#define STEPS		256		/* counts until the whole pattern was checked */
#define HZ		20
#define LINE_EVERY	5		/* counts per line */

#define COM1		0x3f8
#define COM2		0x2f8
#define FW_CFG_RAM_SIZE	3
#define PM_BASE		0x600		/* of the power management, once suspend() set it */

/* In RAM; without initial values, because the image is ROM */
static struct {
	uint32_t boot_id;
	uint32_t end;			/* of the pattern */
	uint32_t seed;
	uint32_t counter;
	uint32_t step;
	uint32_t bad_at, bad_is, bad_want;
	bool bad;
	uint32_t len;
	char line[64];			/* the command, as far as it was received */
} s;

static inline void outb(uint16_t port, uint8_t v)
{
	asm volatile("outb %0, %1" : : "a"(v), "d"(port));
}

static inline void outw(uint16_t port, uint16_t v)
{
	asm volatile("outw %0, %1" : : "a"(v), "d"(port));
}

static inline void outl(uint16_t port, uint32_t v)
{
	asm volatile("outl %0, %1" : : "a"(v), "d"(port));
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t v;

	asm volatile("inb %1, %0" : "=a"(v) : "d"(port));
	return v;
}

static uint64_t rdtsc(void)
{
	uint32_t low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static inline uint32_t peek(uint32_t at)
{
	return *(volatile uint32_t *)at;
}

static inline void poke(uint32_t at, uint32_t v)
{
	*(volatile uint32_t *)at = v;
}

/* Text */

/* QEMU accepts a byte at once; reading the status first would cost another exit. */
static void put_char(uint16_t port, char c)
{
	outb(port, c);
}

static void put(uint16_t port, const char *text)
{
	while (*text)
		put_char(port, *text++);
}

static void put_number(uint16_t port, uint32_t n)
{
	char digits[12], *p = digits + sizeof(digits);

	*--p = '\0';
	for (; n || !*p; n /= 10)
		*--p = '0' + n % 10;
	put(port, p);
}

static void put_hex(uint16_t port, uint32_t n)
{
	for (int shift = 28; shift >= 0; shift -= 4)
		put_char(port, "0123456789abcdef"[n >> shift & 15]);
}

/* The pattern */

static inline uint32_t word(uint32_t at)
{
	return (at + s.seed * 0x01000193 + 1) * 0x9e3779b1;
}

static void fill(void)
{
	for (uint32_t at = PATTERN_START; at < s.end; at += STRIDE)
		poke(at, word(at));
}

static bool verify(uint32_t from, uint32_t to)
{
	for (uint32_t at = from; at < to; at += STRIDE) {
		uint32_t is = peek(at);

		if (is == word(at))
			continue;
		if (!s.bad) {
			s.bad = true;
			s.bad_at = at;
			s.bad_is = is;
			s.bad_want = word(at);
		}
		return false;
	}
	return true;
}

static void verify_step(void)
{
	uint32_t piece = (s.end - PATTERN_START) / STEPS;
	uint32_t from = PATTERN_START + s.step * piece;

	verify(from, from + piece);
	s.step = (s.step + 1) % STEPS;
}

static void put_bad(uint16_t port)
{
	put(port, "wrong at=0x");
	put_hex(port, s.bad_at);
	put(port, " is=0x");
	put_hex(port, s.bad_is);
	put(port, " want=0x");
	put_hex(port, s.bad_want);
}

static void put_state(uint16_t port)
{
	put(port, "guest: counter=");
	put_number(port, s.counter);
	put(port, " uptime=");
	put_number(port, s.counter / HZ);
	put_char(port, '.');
	put_number(port, s.counter % HZ * 10 / HZ);
	put(port, " pattern=");
	if (s.bad)
		put_bad(port);
	else
		put(port, "ok");
	put(port, " mib=");
	put_number(port, (s.end - PATTERN_START) / MIB);
	put(port, " seed=");
	put_number(port, s.seed);
	put(port, " boot_id=");
	put_hex(port, s.boot_id);
	put(port, "\n");
}

/* Commands */

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* Suspend to RAM, by the power management of q35's ICH9 */
static void suspend(void)
{
	const uint32_t lpc = 0x80000000 | 31 << 11;

	outl(0xcf8, lpc | 0x40);
	outl(0xcfc, PM_BASE | 1);
	outl(0xcf8, lpc | 0x44);
	outl(0xcfc, 0x80);
	/* SLP_EN, and SLP_TYP of S3 */
	outw(PM_BASE + 4, 1 << 13 | 1 << 10);
}

static void obey(const char *command)
{
	const uint32_t middle = PATTERN_START + (s.end - PATTERN_START) / 2;

	if (same(command, "counter")) {
		put_state(COM2);
		return;
	}
	put(COM2, "guest: ");
	put(COM2, command);
	put(COM2, ": ");
	if (same(command, "verify")) {
		if (verify(PATTERN_START, s.end) && !s.bad)
			put(COM2, "ok");
		else
			put_bad(COM2);
	} else if (same(command, "dirty")) {
		s.seed++;
		fill();
		put(COM2, "ok seed=");
		put_number(COM2, s.seed);
	} else if (same(command, "corrupt")) {
		poke(middle, peek(middle) ^ 1);
		put(COM2, "ok");
	} else if (same(command, "suspend")) {
		put(COM2, "ok\n");
		suspend();
	} else if (same(command, "reset")) {
		put(COM2, "ok\n");
		outb(0xcf9, 0x06);
	} else {
		put(COM2, "unknown");
	}
	put(COM2, "\n");
}

static void read_commands(void)
{
	while (inb(COM2 + 5) & 0x01) {
		char c = inb(COM2);

		if (c != '\n') {
			if (s.len < sizeof(s.line) - 1)
				s.line[s.len++] = c;
			continue;
		}
		s.line[s.len] = '\0';
		s.len = 0;
		obey(s.line);
	}
}

/* The machine */

static uint64_t ram_size(void)
{
	uint64_t size = 0;

	outw(0x510, FW_CFG_RAM_SIZE);
	for (int i = 0; i < 8; i++)
		size |= (uint64_t)inb(0x511) << (8 * i);
	return size;
}

/* The interval timer wakes the CPU; its handler (start.S) does nothing else. */
static void setup_timer(void)
{
	const uint32_t divisor = 1193182 / HZ;

	poke(0xfee000f0, 0x1ff);	/* local APIC on */
	poke(0xfee00350, 0x700);	/* the PIC at its LINT0 */
	outb(0x20, 0x11);
	outb(0x21, 0x20);		/* vectors from 0x20 */
	outb(0x21, 0x04);
	outb(0x21, 0x01);
	outb(0x21, 0xfe);		/* only the timer */
	outb(0xa1, 0xff);
	outb(0x43, 0x34);
	outb(0x40, divisor & 0xff);
	outb(0x40, divisor >> 8);
}

static void setup_serial(uint16_t port)
{
	outb(port + 1, 0);
	outb(port + 3, 0x80);
	outb(port, 1);			/* 115200 */
	outb(port + 1, 0);
	outb(port + 3, 0x03);
	outb(port + 2, 0xc7);		/* FIFO on */
}

void tiny_main(void)
{
	uint64_t size = ram_size();

	/* RAM is not zero after a reset. */
	for (uint32_t i = 0; i < sizeof(s); i++)
		((volatile char *)&s)[i] = 0;
	s.boot_id = (uint32_t)(rdtsc() >> 4) * 0x9e3779b1;
	s.end = size < PATTERN_LIMIT ? size : PATTERN_LIMIT;
	s.seed = 1;
	setup_serial(COM1);
	setup_serial(COM2);
	put(COM1, "guest: tiny\n");
	fill();
	setup_timer();
	for (;;) {
		asm volatile("sti; hlt; cli" : : : "memory");
		s.counter++;
		verify_step();
		if (s.counter % LINE_EVERY == 0)
			put_state(COM1);
		read_commands();
	}
}
