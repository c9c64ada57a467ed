// SPDX-License-Identifier: GPL-2.0
/* Fuzz target: the QMP client, which a QEMU that a guest has taken over talks to. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <json.h>
#include <sys/socket.h>
#include "fuzz.h"
#include "qmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const paths[] = { "status", "ram.total", "a.b.c.d", "", ".", "ram." };
	struct qmp q = { .timeout_ms = 100 };
	unsigned int i, k;
	int pair[2], err;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		abort();
	fcntl(pair[1], F_SETFL, O_NONBLOCK);
	q.fd = pair[0];
	if (write(pair[1], data, size) < 0)
		size = 0;
	shutdown(pair[1], SHUT_WR);
	for (i = 0; i < 64; i++) {
		json_object_put(q.answer);
		q.answer = NULL;
		err = qmp_receive(&q);
		REQUIRE(memchr(q.error, 0, sizeof(q.error)) && q.used <= q.size);
		REQUIRE(q.stopped >= 0 && q.resumed >= 0);
		for (k = 0; k < sizeof(paths) / sizeof(*paths); k++)
			REQUIRE(strlen(qmp_text(&q, paths[k])) <= size + 1);
		if (err == -EPIPE || err == -ETIMEDOUT || err == -EPROTO)
			break;
	}
	qmp_pid(&q);
	qmp_close(&q);
	close(pair[1]);
	return 0;
}
