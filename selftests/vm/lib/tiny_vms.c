// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tiny_vms.h"

int refused(const char *name, const char *says, const char * const argv[])
{
	struct qemu *q = qemu_startv(name, argv, false);
	char *text;
	int ret = 0;

	if (!q || qemu_wait_exit(q, 30)) {
		printf("# %s was not refused\n", name);
		if (q)
			qemu_kill(q);
		return -EEXIST;
	}
	text = qemu_stderr(name);
	if (!strstr(text, says)) {
		printf("# not \"%s\" but: %s\n", says, text);
		ret = -EBADMSG;
	}
	free(text);
	return ret;
}

int load_refused(struct qemu *q, const char *stream, const char *says)
{
	char *text;
	int err;

	if (!q) {
		printf("# no QEMU\n");
		return -ENOENT;
	}
	err = qemu_load(q, stream);
	if (!err) {
		/* The error may come only when the guest starts to run. */
		err = qemu_wait_exit(q, 30) ? 0 : -EPIPE;
	}
	text = qemu_stderr(q->name) ?: strdup("");
	if (!err)
		printf("# %s was loaded\n", stream);
	else if (says && !strstr(text, says))
		printf("# not \"%s\" but: %s\n", says, text);
	err = err && (!says || strstr(text, says)) ? 0 : -EBADMSG;
	qemu_kill(q);
	free(text);
	return err;
}

int object_state(const char *name)
{
	struct pkram_ioc_info info = { .size = sizeof(info) };
	char path[64];
	int fd, ret;

	sprintf(path, PKRAM_MNT "/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ret = fd < 0 || ioctl(fd, PKRAM_IOC_INFO, &info) ? -errno : (int)info.state;
	if (fd >= 0)
		close(fd);
	return ret;
}

bool object_is(const char *name, int state)
{
	int is = object_state(name);

	if (is != state)
		printf("# %s: state %d\n", name, is);
	return is == state;
}

int qemu_runs_on(struct qemu *q, unsigned long long above)
{
	struct guest_state st;
	int err;

	if (!q)
		return -ENOENT;
	err = guest_wait(q, above, &st, 30);
	if (err)
		return err;
	if (strcmp(st.pattern, "ok"))
		return -EBADMSG;
	return guest_verify(q);
}

int make_saved(const char *name, const char *uuid, unsigned long long *counter)
{
	char object[128], stream[64];
	struct guest_state st;
	struct qemu *q;
	int err;

	sprintf(object, VM("%s"), name);
	sprintf(stream, PKRAM_MNT "/%s.state", name);
	q = uuid ? START(name, object, "-uuid", uuid) : START(name, object);
	if (!q)
		return -ENOENT;
	err = guest_wait(q, 0, &st, 30);
	err = err ?: qemu_save(q, stream);
	if (err)
		printf("# %s\n", q->error);
	err = err ?: qemu_quit(q);
	*counter = st.counter;
	return err;
}

int load_saved(const char *name, const char *uuid, unsigned long long counter)
{
	char object[128], stream[64], *text;
	struct qemu *q;
	int err;

	sprintf(object, VM("%s"), name);
	sprintf(stream, PKRAM_MNT "/%s.state", name);
	q = uuid ? START(name, object, "-uuid", uuid, INCOMING) :
		   START(name, object, INCOMING);
	err = q ? qemu_load(q, stream) : -ENOENT;
	err = err ?: qemu_runs_on(q, counter);
	if (err) {
		text = qemu_stderr(name);
		printf("# %s is not resumed (%d): %s\n", name, err, text);
		free(text);
	}
	if (q)
		qemu_kill(q);
	return err;
}

int set_mode(struct qemu *q, const char *mode)
{
	return qemu_command(q, "migrate-set-parameters", "{'mode': '%s'}", mode);
}

/* Wait until a QEMU that was started without waiting answers */
static struct qemu *find_qemu(const char *name, int seconds)
{
	double until = vm_now() + seconds;
	struct qemu *q;

	while (!(q = qemu_find(name)) && vm_now() < until)
		usleep(50000);
	return q;
}

struct qemu *exec_again(struct qemu *q, const char *stream)
{
	char path[32], cmdline[8192], words[8192], *word;
	size_t len, n = 0;
	FILE *f;

	sprintf(path, "/proc/%d/cmdline", q->pid);
	f = fopen(path, "r");
	if (!f)
		return NULL;
	len = fread(cmdline, 1, sizeof(cmdline), f);
	fclose(f);
	for (word = cmdline; word < cmdline + len; word += strlen(word) + 1)
		n += snprintf(words + n, sizeof(words) - n, "'%s', ", word);
	/* The last one takes effect. */
	snprintf(words + n, sizeof(words) - n, "'-incoming', 'file:%s'", stream);
	if (qemu_command(q, "migrate-set-parameters", "{'cpr-exec-command': [%s]}", words) ||
	    qemu_command(q, "migrate", "{'uri': 'file:%s'}", stream)) {
		printf("# cpr-exec: %s\n", q->error);
		return NULL;
	}
	/* The process stays and executes the new QEMU; the connection is lost. */
	if (qemu_wait_migration(q, 30) != -EPIPE) {
		printf("# cpr-exec: %s\n", q->error);
		return NULL;
	}
	return find_qemu(q->name, 30);
}

struct qemu *transfer(struct qemu *q, const char *name, const char * const argv[])
{
	double until = vm_now() + 30;
	struct qemu *to;

	unlink(SOCKET("cpr"));
	if (!qemu_startv(name, argv, false))
		return NULL;
	while (access(SOCKET("cpr"), F_OK) && vm_now() < until)
		usleep(20000);
	if (set_mode(q, "cpr-transfer") ||
	    qemu_command(q, "migrate", "{'channels': [" CHANNEL("main") ", " CHANNEL("cpr")
			 "]}") || qemu_wait_migration(q, 30)) {
		printf("# cpr-transfer: %s\n", q->error);
		return NULL;
	}
	to = find_qemu(name, 30);
	return qemu_quit(q) ? NULL : to;
}
