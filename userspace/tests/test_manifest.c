// SPDX-License-Identifier: LGPL-2.1-or-later
/* Self test of the checksum and the manifest */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "crc32c.h"
#include "manifest.h"
#include "tap.h"

#define CHUNK	65536ULL

static uint32_t crc(const void *p, size_t n)
{
	return ~pkram_crc32c(~0U, p, n);
}

static void checksum(void)
{
	static unsigned char buf[40000];
	unsigned int i, from, n, same = 1;

	/* Test vectors of RFC 3720, B.4, and the usual check value */
	memset(buf, 0, 32);
	ok(crc(buf, 32) == 0x8a9136aa, "CRC32C of 32 zeroes");
	memset(buf, 0xff, 32);
	ok(crc(buf, 32) == 0x62a8ab43, "CRC32C of 32 bytes of ones");
	for (i = 0; i < 32; i++)
		buf[i] = i;
	ok(crc(buf, 32) == 0x46dd794e, "CRC32C of 0 to 31");
	ok(crc("123456789", 9) == 0xe3069283, "CRC32C of 123456789");
	for (i = 0; i < sizeof(buf); i++)
		buf[i] = i * 7 + (i >> 3);
	for (from = 0; from < 9; from++)
		for (n = 0; n + from <= sizeof(buf); n += n < 100 ? 1 : 997)
			same &= pkram_crc32c(n, buf + from, n) ==
				pkram_crc32c_table(n, buf + from, n);
	ok(same, "instruction and table give the same CRC for any length and alignment");
	ok(pkram_crc32c(pkram_crc32c(~0U, buf, 77), buf + 77, 100) ==
	   pkram_crc32c(~0U, buf, 177), "a CRC can be continued");
}

struct file {
	uint8_t buf[4096];
	size_t len;
	size_t ends[8];		/* of the header and each frame */
	unsigned int nr;
};

static void put(struct file *f, int err, uint8_t *buf, size_t len)
{
	if (err || f->len + len > sizeof(f->buf))
		abort();
	memcpy(f->buf + f->len, buf, len);
	free(buf);
	f->len += len;
	f->ends[f->nr++] = f->len;
}

static struct pkram_chunk chunks[10];
static struct pkram_label labels[] = {
	{ "user.os", "debian", 6 },
	{ "user.empty", NULL, 0 },
};

/* Ten chunks, the last one short, in frames of 3, 1 and 6 */
static struct pkram_manifest sample(struct file *f)
{
	struct pkram_manifest m = {
		.name = "vm1",
		.size = 9 * CHUNK + 5,
		.allocated = 2 << 20,
		.mtime = -5,
		.mtime_nsec = 999999999,
		.chunk_size = CHUNK,
		.mode = 0640,
		.uid = 64055,
		.gid = 12,
		.nr_labels = 2,
		.labels = labels,
		.chunks = chunks,
	};
	uint8_t *buf = NULL;
	size_t len;
	int i, err;

	for (i = 0; i < 10; i++) {
		chunks[i].kind = i % 3 ? PKRAM_CHUNK_DATA : PKRAM_CHUNK_ZERO;
		chunks[i].crc = i % 3 ? 0x1234567 * i : 0;
	}
	memset(f, 0, sizeof(*f));
	err = pkram_manifest_header(&m, &buf, &len);
	put(f, err, buf, len);
	for (i = 0; i < 4; i++) {
		static const int end[] = { 3, 4, 10, 10 };

		err = pkram_manifest_frame(&m, end[i], &buf, &len);
		put(f, err, buf, len);
	}
	return m;
}

static bool same_chunks(const struct pkram_manifest *m)
{
	return m->nr_known <= 10 &&
	       !memcmp(m->chunks, chunks, m->nr_known * sizeof(*chunks));
}

static bool same_header(const struct pkram_manifest *m)
{
	return !strcmp(m->name, "vm1") && m->size == 9 * CHUNK + 5 &&
	       m->allocated == 2 << 20 && m->mtime == -5 &&
	       m->mtime_nsec == 999999999 && m->chunk_size == CHUNK &&
	       m->mode == 0640 && m->uid == 64055 && m->gid == 12 &&
	       m->nr_labels == 2 && !strcmp(m->labels[0].name, "user.os") &&
	       m->labels[0].len == 6 && !memcmp(m->labels[0].value, "debian", 6) &&
	       !strcmp(m->labels[1].name, "user.empty") && !m->labels[1].len;
}

static void reading(void)
{
	struct pkram_manifest m;
	unsigned int i, good = 0;
	struct file f;
	size_t len;

	m = sample(&f);
	ok(m.complete && m.nr_known == 10 && m.len == f.len, "a manifest is written");
	ok(pkram_manifest_chunk_len(&m, 8) == CHUNK &&
	   pkram_manifest_chunk_len(&m, 9) == 5, "the last chunk is short");
	ok(!pkram_manifest_decode(&m, f.buf, f.len, UINT64_MAX) && m.complete &&
	   m.len == f.len && m.nr_known == 10 && m.nr_chunks == 10 &&
	   same_chunks(&m) && same_header(&m), "a manifest is read back");
	pkram_manifest_clear(&m);
	for (len = 0; len < f.len; len++) {
		int err = pkram_manifest_decode(&m, f.buf, len, UINT64_MAX);

		for (i = 0; i + 1 < f.nr && f.ends[i + 1] <= len; i++)
			;
		if (len < f.ends[0])
			good += err == -EBADMSG;
		else
			good += !err && !m.complete && m.len == f.ends[i] &&
				same_chunks(&m);
		pkram_manifest_clear(&m);
	}
	ok(good == f.len, "frames before a truncation are read");
	ok(!pkram_manifest_decode(&m, f.buf, f.len, 9) && !m.complete &&
	   m.nr_known == 4 && m.len == f.ends[2], "reading stops at a given chunk");
	pkram_manifest_clear(&m);
}

static void flips(void)
{
	unsigned int bad = 0, wrong = 0;
	struct pkram_manifest m;
	struct file f;
	size_t bit;

	sample(&f);
	for (bit = 0; bit < f.len * 8; bit++) {
		int err;

		f.buf[bit / 8] ^= 1 << bit % 8;
		err = pkram_manifest_decode(&m, f.buf, f.len, UINT64_MAX);
		bad += err || !m.complete || m.len != f.len;
		wrong += !err && (!same_chunks(&m) || !same_header(&m));
		pkram_manifest_clear(&m);
		f.buf[bit / 8] ^= 1 << bit % 8;
	}
	ok(bad == f.len * 8, "every flipped bit is detected");
	ok(!wrong, "frames before a flipped bit are read correctly");
}

/* Set a number in the header, and correct the header's checksum */
static int forged(size_t at, uint32_t v, bool bits64)
{
	struct pkram_manifest m;
	struct file f;
	uint32_t sum;
	int err;

	sample(&f);
	memcpy(f.buf + at, &v, 4);
	if (bits64)
		memcpy(f.buf + at + 4, &v, 4);
	sum = crc(f.buf, f.ends[0] - 4);
	memcpy(f.buf + f.ends[0] - 4, &sum, 4);
	err = pkram_manifest_decode(&m, f.buf, f.len, UINT64_MAX);
	pkram_manifest_clear(&m);
	return err;
}

static int forged_name(const char *name)
{
	struct pkram_manifest m;
	struct file f;
	uint32_t sum;
	int err;

	sample(&f);
	memcpy(f.buf + 80, name, 3);
	sum = crc(f.buf, f.ends[0] - 4);
	memcpy(f.buf + f.ends[0] - 4, &sum, 4);
	err = pkram_manifest_decode(&m, f.buf, f.len, UINT64_MAX);
	pkram_manifest_clear(&m);
	return err;
}

static void forgeries(void)
{
	struct pkram_manifest m;
	struct file f, g;
	int err;

	ok(forged(8, 2, false) == -EOPNOTSUPP, "a later version is not reported as damage");
	ok(forged(16, ~0U, true) == -EBADMSG, "a size of 16 EiB is refused");
	ok(!forged(16, 0x7fffffff, true), "a size of 8 EiB does not allocate memory");
	ok(forged(44, 0, false) == -EBADMSG && forged(44, 4097, false) == -EBADMSG &&
	   forged(44, 1U << 31, false) == -EBADMSG, "an invalid chunk size is refused");
	ok(forged(40, 1000000000, false) == -EBADMSG, "nanoseconds of 10^9 are refused");
	ok(forged(48, 0100644, false) == -EBADMSG, "mode bits other than permissions are refused");
	ok(forged(60, 0, false) == -EBADMSG && forged(60, ~0U, false) == -EBADMSG,
	   "an impossible length of the name is refused");
	ok(forged(64, 3, false) == -EBADMSG && forged(64, ~0U, false) == -EBADMSG,
	   "an impossible number of labels is refused");
	ok(forged(68, 1, false) == -EBADMSG, "a nonzero reserved field is refused");
	ok(forged_name("a/b") == -EBADMSG && forged_name("../") == -EBADMSG,
	   "a name with a slash is refused");
	ok(forged_name("a\0b") == -EBADMSG, "a name with a NUL is refused");

	/* Append a frame of one manifest to the header of another */
	sample(&f);
	g = f;
	g.buf[52] ^= 1;
	{
		uint32_t sum = crc(g.buf, g.ends[0] - 4);

		memcpy(g.buf + g.ends[0] - 4, &sum, 4);
	}
	err = pkram_manifest_decode(&m, g.buf, g.len, UINT64_MAX);
	ok(!err && !m.nr_known && m.len == g.ends[0], "a frame of another manifest is refused");
	pkram_manifest_clear(&m);

	/* Change the order of frames: move the second to the place of the first */
	memmove(f.buf + f.ends[0], f.buf + f.ends[1], f.len - f.ends[1]);
	err = pkram_manifest_decode(&m, f.buf, f.len, UINT64_MAX);
	ok(!err && !m.nr_known, "a frame in another frame's place is refused");
	pkram_manifest_clear(&m);
}

static void refusals(void)
{
	struct pkram_manifest m = { .name = "..", .chunk_size = CHUNK };
	struct pkram_label big = { "user.big", NULL, 1 << 20 };
	uint8_t *buf;
	size_t len;

	ok(pkram_manifest_header(&m, &buf, &len) == -EINVAL, "an object named .. is not written");
	m.name = "vm1";
	m.chunk_size = 5000;
	ok(pkram_manifest_header(&m, &buf, &len) == -EINVAL,
	   "an invalid chunk size is not written");
	m.chunk_size = CHUNK;
	m.labels = &big;
	m.nr_labels = 1;
	ok(pkram_manifest_header(&m, &buf, &len) == -E2BIG, "too many labels are not written");
}

int main(void)
{
	checksum();
	reading();
	flips();
	forgeries();
	refusals();
	return tap_finish();
}
