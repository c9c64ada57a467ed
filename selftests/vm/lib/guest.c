// SPDX-License-Identifier: GPL-2.0
/* Communication with the guest, its network, and measurements; declared in qemu.h */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <x86intrin.h>

#include "qemu.h"
#include "qemu_priv.h"
#include "vm.h"

/* The guest */

static char *next_line(struct qemu *q, int port, regex_t *re)
{
	char *text = NULL, *line, *eol, *found = NULL;
	size_t len;
	FILE *f;

	f = fopen(qemu_log_path(q->name, port), "re");
	if (!f)
		return NULL;
	fseek(f, q->seen[port], SEEK_SET);
	len = 0;
	if (getdelim(&text, &len, '\0', f) < 0)
		len = 0;
	fclose(f);
	for (line = len ? text : NULL; line && !found; line = eol) {
		eol = strchr(line, '\n');
		if (!eol)
			break;
		*eol++ = '\0';
		q->seen[port] += eol - line;
		line[strcspn(line, "\r")] = '\0';
		if (!regexec(re, line, 0, NULL, 0))
			found = strdup(line);
	}
	free(text);
	return found;
}

char *qemu_wait_line(struct qemu *q, int port, const char *re, int seconds)
{
	double until = qemu_deadline(seconds);
	bool alive = true;
	regex_t compiled;
	char *line;

	if (regcomp(&compiled, re, REG_EXTENDED | REG_NOSUB))
		return NULL;
	while (!(line = next_line(q, port, &compiled)) && alive && vm_now() < until) {
		qemu_nap();
		/* Read once more after QEMU ended, for the last output */
		alive = qemu_alive(q);
	}
	regfree(&compiled);
	return line;
}

void qemu_skip_lines(struct qemu *q, int port)
{
	struct stat st;

	if (!stat(qemu_log_path(q->name, port), &st))
		q->seen[port] = st.st_size;
}

/* Copy the word after KEY=, or all words up to the next KEY= */
static void value_of(const char *line, const char *key, char *value, size_t size)
{
	const char *p = strstr(line, key);
	size_t len;

	*value = '\0';
	if (!p)
		return;
	p += strlen(key);
	len = strcspn(p, " ");
	snprintf(value, len + 1 < size ? len + 1 : size, "%s", p);
}

static void parse_state(const char *line, struct guest_state *st)
{
	char value[64];

	memset(st, 0, sizeof(*st));
	snprintf(st->line, sizeof(st->line), "%s", line);
	value_of(line, " counter=", value, sizeof(value));
	st->counter = strtoull(value, NULL, 10);
	value_of(line, " uptime=", value, sizeof(value));
	st->uptime = strtod(value, NULL);
	value_of(line, " boot_id=", st->boot_id, sizeof(st->boot_id));
	value_of(line, " pattern=", st->pattern, sizeof(st->pattern));
	value_of(line, " seed=", value, sizeof(value));
	st->seed = strtoul(value, NULL, 10);
	value_of(line, " mib=", value, sizeof(value));
	st->mib = strtoul(value, NULL, 10);
	value_of(line, " net=", st->net, sizeof(st->net));
	value_of(line, " sent=", value, sizeof(value));
	st->sent = strtoul(value, NULL, 10);
	value_of(line, " acked=", value, sizeof(value));
	st->acked = strtoul(value, NULL, 10);
}

int guest_wait(struct qemu *q, unsigned long long above, struct guest_state *st,
	       int seconds)
{
	double until = qemu_deadline(seconds);
	const char *re = "^guest: counter=";
	char *line;

	do {
		line = qemu_wait_line(q, 0, re, seconds);
		if (!line)
			return qemu_alive(q) ? -ETIMEDOUT : -EPIPE;
		/* Several may have arrived since the last call. */
		do {
			parse_state(line, st);
			free(line);
			line = qemu_wait_line(q, 0, re, 0);
		} while (line);
		if (st->counter > above)
			return 0;
	} while (vm_now() < until);
	return -ETIMEDOUT;
}

char *guest_ask(struct qemu *q, const char *name, int seconds)
{
	int fd = qemu_connect(qemu_path(q->name, "port1"));
	char prefix[128], *line, *answer = NULL;
	size_t len = strlen(name), skip;

	qemu_skip_lines(q, 1);
	if (fd < 0)
		return NULL;
	/* The answer to "counter" is a state line. */
	snprintf(prefix, sizeof(prefix), "^guest: %s[:=]", name);
	if (write(fd, name, len) == (ssize_t)len && write(fd, "\n", 1) == 1) {
		line = qemu_wait_line(q, 1, prefix, seconds);
		if (line) {
			skip = strlen("guest: ");
			if (line[skip + len] == ':')
				skip += len + strlen(": ");
			answer = strdup(line + skip);
		}
		free(line);
	}
	close(fd);
	return answer;
}

int guest_verify(struct qemu *q)
{
	char *answer = guest_ask(q, "verify", 60);
	int err = 0;

	if (!answer)
		return -ETIMEDOUT;
	if (strncmp(answer, "ok", 2)) {
		snprintf(q->error, sizeof(q->error), "%s", answer);
		err = -EBADMSG;
	}
	free(answer);
	return err;
}

/* The network */

/* Create the tap before QEMU does: QEMU's would not be in the bridge. */
static int make_tap(const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC), err = 0;

	strcpy(ifr.ifr_name, name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) || ioctl(fd, TUNSETPERSIST, 1))
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

int guest_net_up(void)
{
	static const char * const ports[] = { "eth0", "tap0" };
	int err = 0;

	mkdir("/dev/net", 0755);
	if (access("/sys/class/net/tap0", F_OK))
		err = make_tap("tap0");
	if (err || !access("/sys/class/net/br0", F_OK))
		return err;
	err = vm_run(NULL, "brctl addbr br0");
	for (int i = 0; i < 2 && !err; i++)
		err = vm_run(NULL, "brctl addif br0 %s && ifconfig %s up", ports[i], ports[i]);
	return err || vm_run(NULL, "ifconfig br0 10.0.2.15 netmask 255.255.255.0") ? -EIO : 0;
}

int peer_state(struct peer_state *p)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(7001),
		.sin_addr.s_addr = inet_addr("10.0.2.100"),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), err = -EPROTO;
	char text[512] = "", rising[8] = "";
	size_t len = 0;
	ssize_t n;

	memset(p, 0, sizeof(*p));
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		err = -errno;
	} else {
		while (len < sizeof(text) - 1 &&
		       (n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
			len += n;
		if (sscanf(text, "peer: accepts=%d closes=%d counter=%llu rising=%7s gap=%lf idle=%lf",
			   &p->accepts, &p->closes, &p->counter, rising, &p->gap, &p->idle) == 6)
			err = 0;
		p->rising = !strcmp(rising, "yes");
	}
	if (fd >= 0)
		close(fd);
	return err;
}

/* Measurements */

long long qemu_kvm_stat(struct qemu *q, const char *stat)
{
	DIR *dir = opendir("/sys/kernel/debug/kvm");
	char prefix[32], path[512], *text;
	struct dirent *d;
	long long n = -1;

	snprintf(prefix, sizeof(prefix), "%d-", q->pid);
	while (dir && (d = readdir(dir))) {
		if (strncmp(d->d_name, prefix, strlen(prefix)))
			continue;
		snprintf(path, sizeof(path), "/sys/kernel/debug/kvm/%s/%s", d->d_name, stat);
		text = vm_read_file(path);
		if (text)
			n = atoll(text);
		free(text);
	}
	if (dir)
		closedir(dir);
	return n;
}

double qemu_clock(void)
{
	static double rate;
	uint64_t t0, t1;
	double s0, s1;

	if (!rate) {
		s0 = vm_now();
		t0 = __rdtsc();
		usleep(200000);
		s1 = vm_now();
		t1 = __rdtsc();
		rate = (t1 - t0) / (s1 - s0);
	}
	return __rdtsc() / rate;
}
