// SPDX-License-Identifier: GPL-2.0
/* Functions of the kernel, for user space: see kernel.h. */
#include <stdarg.h>
#include "kernel/kernel.h"

char shim_log[1 << 16];
unsigned long shim_messages;
s64 shim_now = 1800000000;
long shim_module_refs;
static struct work_struct *shim_works[8];	/* that were ever scheduled */
unsigned long shim_waits;
int shim_srcu_held;
unsigned long shim_srcu_reads;
unsigned long shim_srcu_waits;
unsigned long shim_steps;
char shim_user_ns;
unsigned int shim_euid;
bool shim_capable = true;
unsigned long shim_locks;
unsigned int shim_noio;
void (*shim_unlocked)(void);

void shim_fail(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
	abort();
}

/* The kernel's %pE, with which names are escaped, is not known here. */
void shim_print(const char *fmt, ...)
{
	size_t used = strlen(shim_log);
	char plain[256], *p;
	va_list args;

	snprintf(plain, sizeof(plain), "%s", fmt);
	p = strstr(plain, "%*pE");
	if (p)
		memcpy(p, "%.*s", 4);
	if (used > sizeof(shim_log) / 2)
		used = 0;
	shim_messages++;
	va_start(args, fmt);
	vsnprintf(shim_log + used, sizeof(shim_log) - used, plain, args);
	va_end(args);
}

/*
 * Bob Jenkins' hash of 2006 ("lookup3", in the public domain), which the kernel's jhash() is:
 * other than of a checksum, its collisions depend on the seed.
 */
static u32 rol(u32 x, int n)
{
	return x << n | x >> (32 - n);
}

static void hash_mix(u32 v[3])
{
	static const u8 by[] = { 4, 6, 8, 16, 19, 4 };
	u32 i, *x, *y, *z;

	for (i = 0; i < sizeof(by); i++) {
		x = &v[i % 3];
		y = &v[(i + 1) % 3];
		z = &v[(i + 2) % 3];
		*x -= *z;
		*x ^= rol(*z, by[i]);
		*z += *y;
	}
}

static void hash_final(u32 v[3])
{
	static const u8 by[] = { 14, 11, 25, 16, 4, 14, 24 };
	u32 i, *x, *y;

	for (i = 0; i < sizeof(by); i++) {
		x = &v[(i + 2) % 3];
		y = &v[(i + 1) % 3];
		*x ^= *y;
		*x -= rol(*y, by[i]);
	}
}

u32 jhash(const void *key, u32 length, u32 initval)
{
	u32 seed = 0xdeadbeef + length + initval, v[3] = { seed, seed, seed };
	const u8 *p = key;
	u32 part[3], n;

	if (!length)
		return v[2];
	for (;; length -= n, p += n) {
		n = min(length, 12U);
		memset(part, 0, sizeof(part));
		memcpy(part, p, n);
		v[0] += part[0];
		v[1] += part[1];
		v[2] += part[2];
		if (length <= 12)
			break;
		hash_mix(v);
	}
	hash_final(v);
	return v[2];
}

u32 jhash_1word(u32 a, u32 initval)
{
	return jhash(&a, sizeof(a), initval);
}

u32 get_random_u32(void)
{
	return 4711;
}

void shim_random_uuid(u8 uuid[16])
{
	static u32 last;

	memset(uuid, 0x5a, 16);
	last++;
	memcpy(uuid, &last, sizeof(last));
}

void get_random_bytes(void *buf, size_t len)
{
	u8 *p = buf;

	while (len--)
		*p++ = get_random_u32();
}

void *memchr_inv(const void *p, int c, size_t len)
{
	const u8 *b = p;

	for (; len; len--, b++)
		if (*b != c)
			return (void *)b;
	return NULL;
}

/* As the kernel's: a number, and a unit */
unsigned long long memparse(const char *p, char **end)
{
	unsigned long long n = strtoull(p, end, 0);
	static const char units[] = "KMGT";
	const char *unit = **end ? strchr(units, toupper((unsigned char)**end)) : NULL;

	if (unit) {
		n <<= 10 * (unit - units + 1);
		(*end)++;
	}
	return n;
}

void ktime_get_coarse_real_ts64(struct timespec64 *ts)
{
	ts->tv_sec = shim_now++;
	ts->tv_nsec = 0;
}

bool flush_work(struct work_struct *work)
{
	if (!work->queued)
		return false;
	shim_waits++;
	work->queued = false;
	work->fn(work);
	return true;
}

void shim_schedule(struct work_struct *work)
{
	int i;

	for (i = 0; shim_works[i] && shim_works[i] != work; i++)
		;
	shim_works[i] = work;
	work->queued = true;
}

bool shim_run_works(void)
{
	bool done = false;
	int i;

	for (i = 0; shim_works[i]; i++)
		done |= flush_work(shim_works[i]);
	return done;
}

/* Nothing else runs, so that it is in vain unless a work is queued. */
void shim_sleep(void)
{
	if (!shim_run_works())
		shim_fail("waits for ever", __FILE__, __LINE__);
}

void cancel_delayed_work_sync(struct delayed_work *work)
{
	flush_work(&work->work);
}
