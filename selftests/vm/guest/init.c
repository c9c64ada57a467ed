// SPDX-License-Identifier: GPL-2.0
/*
 * PID 1 of the Linux guest
 *
 * Fill as much memory as the kernel's command line says with lib/vm.h's pattern, then
 * count at 10 Hz, check a piece of the pattern with each count, and print the state on
 * port 1 of virtio-serial, where a line costs one exit from the guest instead of hundreds:
 *
 *	guest: counter=40 uptime=6.1 pattern=ok mib=300 seed=1 boot_id=d3b0... net=up sent=4 acked=4
 *
 * Once the pattern was found wrong, pattern= says so until the guest ends. With a peer,
 * open one TCP connection, send the counter on it once a second and count the answers. The
 * connection is never opened again: after a failure net=lost stays.
 *
 * Words on the command line: guest.mib=MIB, guest.ip=ADDRESS, guest.peer=ADDRESS:PORT, and
 * guest.total=MIB to wait first until a driver has plugged that much memory.
 *
 * Port 2 takes commands, one per line, and answers with a line "guest: COMMAND: ...". The
 * serial port is the kernel's console.
 *
 *	verify		check the whole pattern: "ok", or where it is wrong
 *	dirty		rewrite all of it with the next seed
 *	corrupt		change one word in the middle, which must be found
 *	counter		print the state line here
 *	dmesg		print the number of lines and boots in the kernel's log, and its
 *			warnings since the last time
 *	dma		have an edu device copy a page to another, and check the result of
 *			the last "dma": "ok", or what is wrong
 *	page		print the physical address of a page
 *	touch		have a process read that page: "ok", or the signal that ended it
 *	suspend		suspend to RAM; answers only on failure: after the wake-up the
 *			answer would block until it is read
 *	off		power off
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/reboot.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define VM_LIB_ITSELF
#include "edu.h"
#include "vm.h"

#define TICK_MS		100
#define LINE_EVERY	2		/* ticks per state line */
#define SEND_EVERY	10
#define STEPS		256		/* ticks until the whole pattern was checked */

static int console = -1, state = -1, control = -1;
static char boot_id[64];
static char *pattern;
static size_t size;			/* of the pattern, in bytes */
static uint64_t seed = 1;
static long long bad = -1;		/* first position where it was wrong */
static unsigned long counter, step;

static int peer = -1;
static const char *net = "none";
static unsigned long sent, acked;

static void __attribute__((format(printf, 2, 3))) say(int fd, const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	/* One write, so that the kernel's messages do not come in between */
	if (write(fd, line, n) != n)
		return;
}

static void __attribute__((noreturn)) power_off(void)
{
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
		LINUX_REBOOT_CMD_POWER_OFF, NULL);
	for (;;)
		pause();
}

static void __attribute__((noreturn)) give_up(const char *what)
{
	say(console, "guest: failed: %s: %s", what, strerror(errno));
	power_off();
}

/* Return the value of a word KEY=VALUE of the command line, or "" */
static const char *word(const char *key)
{
	static char value[128];
	char *line = vm_read_file("/proc/cmdline");
	const char *at = line ? strstr(line, key) : NULL;

	value[0] = '\0';
	if (at) {
		at += strlen(key);
		snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, "\n "), at);
	}
	free(line);
	return value;
}

/* Ports appear some time after their driver. */
static int open_port(const char *path)
{
	double until = vm_now() + 30;
	int fd;

	do {
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			usleep(10000);
	} while (fd < 0 && vm_now() < until);
	if (fd < 0)
		give_up(path);
	return fd;
}

static void load_modules(void)
{
	struct dirent **list;
	char path[512];
	int n = scandir("/modules", &list, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		if (list[i]->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/modules/%s", list[i]->d_name);
		if (vm_insmod(path, NULL))
			say(console, "guest: cannot load %s", path);
	}
}

/* The pattern */

static void fill(void)
{
	vm_fill(pattern, size, seed, 0);
}

static bool verify(size_t from, size_t to)
{
	long long at = vm_verify(pattern + from, to - from, seed, from);

	if (at >= 0 && bad < 0)
		bad = from + at;
	return at < 0;
}

static void verify_step(void)
{
	size_t piece = size / STEPS;

	verify(step * piece, (step + 1) * piece);
	step = (step + 1) % STEPS;
}

/* virtio-mem plugs memory some time after its driver was loaded. */
static void wait_for_memory(void)
{
	long long total = strtoul(word("guest.total="), NULL, 10) * MIB;
	double until = vm_now() + 60;

	while (vm_meminfo("MemTotal") < total) {
		if (vm_now() > until)
			give_up("memory that was to be plugged");
		usleep(50000);
	}
}

static void make_pattern(void)
{
	size = strtoul(word("guest.mib="), NULL, 10) * MIB;
	if (!size)
		return;
	pattern = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pattern == MAP_FAILED)
		give_up("no memory for the pattern");
	madvise(pattern, size, MADV_HUGEPAGE);
	fill();
}

static const char *pattern_text(void)
{
	static char text[64];

	if (bad < 0)
		return "ok";
	snprintf(text, sizeof(text), "wrong at=0x%llx is=0x%llx", bad,
		 *(unsigned long long *)(pattern + bad));
	return text;
}

/* The network */

static void set_address(const char *ip)
{
	struct ifreq ifr = { .ifr_name = "eth0" };
	struct sockaddr_in *addr = (struct sockaddr_in *)&ifr.ifr_addr;
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	addr->sin_family = AF_INET;
	addr->sin_addr.s_addr = inet_addr(ip);
	if (ioctl(s, SIOCSIFADDR, &ifr))
		give_up("address of eth0");
	addr->sin_addr.s_addr = htonl(0xffffff00);
	if (ioctl(s, SIOCSIFNETMASK, &ifr))
		give_up("netmask of eth0");
	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(s, SIOCSIFFLAGS, &ifr))
		give_up("eth0 up");
	close(s);
}

static void lose_peer(void)
{
	say(console, "guest: connection lost: %s", strerror(errno));
	net = "lost";
	close(peer);
	peer = -1;
}

static void connect_peer(const char *where)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	char ip[64];
	int one = 1;

	if (!*where)
		return;
	snprintf(ip, sizeof(ip), "%.*s", (int)strcspn(where, ":"), where);
	addr.sin_addr.s_addr = inet_addr(ip);
	addr.sin_port = htons(atoi(where + strcspn(where, ":") + 1));
	peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(peer, (struct sockaddr *)&addr, sizeof(addr))) {
		lose_peer();
		return;
	}
	setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	fcntl(peer, F_SETFL, O_NONBLOCK);
	net = "up";
}

static void send_counter(void)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "counter %lu\n", counter);

	if (peer < 0)
		return;
	if (send(peer, line, n, MSG_NOSIGNAL) == n)
		sent++;
	else if (errno != EAGAIN)
		lose_peer();
}

static void receive_acks(void)
{
	char buf[512];
	ssize_t n;

	while ((n = recv(peer, buf, sizeof(buf), 0)) > 0)
		for (ssize_t i = 0; i < n; i++)
			acked += buf[i] == '\n';
	if (!n || errno != EAGAIN)
		lose_peer();
}

/* DMA by an edu device, if the guest has one */

/* Map its registers, permanently; NULL if there is none */
static volatile char *edu_registers(void)
{
	static volatile char *bar;
	struct dirent **list;
	int n, fd, i;

	n = bar ? 0 : scandir("/sys/bus/pci/devices", &list, NULL, alphasort);
	for (i = 0; i < n && !bar; i++) {
		char path[512], id[32] = "", *text;
		uint16_t command = 6;	/* memory space and bus master */

		for (int j = 0; j < 2; j++) {
			snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s",
				 list[i]->d_name, j ? "device" : "vendor");
			text = vm_read_file(path);
			snprintf(id + strlen(id), sizeof(id) - strlen(id), "%s", text ?: "");
			free(text);
		}
		if (strcmp(id, EDU_ID))
			continue;
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", list[i]->d_name);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0 || pwrite(fd, &command, 2, 4) != 2)
			return NULL;
		close(fd);
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0",
			 list[i]->d_name);
		fd = open(path, O_RDWR | O_CLOEXEC);
		bar = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (bar == MAP_FAILED)
			bar = NULL;
		close(fd);
	}
	return bar;
}

/* Return NULL, or what is wrong */
static const char *do_dma(void)
{
	volatile char *bar = edu_registers();
	static uint64_t last;		/* seed of the second page's content */
	static char *page;

	if (!bar)
		return "no edu device";
	if (!page)
		page = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | MAP_LOCKED, -1, 0);
	if (page == MAP_FAILED || !vm_physical(page) || !vm_physical(page + 4096))
		return "no memory";
	if (last && vm_verify(page + 4096, EDU_BYTES, last, 0) >= 0)
		return "what the device wrote last time is gone";
	vm_fill(page, EDU_BYTES, ++last, 0);
	if (edu_copy(bar, vm_physical(page), false) ||
	    edu_copy(bar, vm_physical(page + 4096), true))
		return "the device does not finish";
	if (vm_verify(page + 4096, EDU_BYTES, last, 0) >= 0)
		return "the device copied something else";
	return NULL;
}

/* Output */

static void tell_state(int fd)
{
	say(fd, "guest: counter=%lu uptime=%.1f pattern=%s mib=%zu seed=%llu boot_id=%s net=%s sent=%lu acked=%lu",
	    counter, vm_now(), pattern_text(), (size_t)(size / MIB), (unsigned long long)seed,
	    boot_id, net, sent, acked);
}

/* The kernel's log */
static void tell_dmesg(void)
{
	static unsigned long long told;	/* sequence number */
	unsigned long long seq;
	char record[8192], worst[256] = "";
	int lines = 0, boots = 0, warnings = 0, level;
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ssize_t n;
	char *text;

	while ((n = read(fd, record, sizeof(record) - 1)) > 0 || errno == EPIPE) {
		if (n < 0)
			continue;
		record[n] = '\0';
		text = strchr(record, ';');
		if (!text || sscanf(record, "%d,%llu", &level, &seq) != 2)
			continue;
		text[1 + strcspn(text + 1, "\n")] = '\0';
		lines++;
		boots += !strncmp(text + 1, "Linux version", strlen("Linux version"));
		if ((level & 7) > 4 || seq < told)
			continue;
		warnings++;
		snprintf(worst, sizeof(worst), " last: %.200s", text + 1);
	}
	close(fd);
	told = seq + 1;
	say(control, "guest: dmesg: lines=%d boots=%d warnings=%d%s", lines, boots, warnings,
	    worst);
}

/*
 * Suspend to RAM. When q35 wakes up, SeaBIOS 1.16 does not restore the ports of its power
 * management (PMBASE and ACPI_CNTL of the LPC bridge), without which it could not be
 * suspended again.
 */
static int suspend(void)
{
	int fd = open("/sys/bus/pci/devices/0000:00:1f.0/config", O_RDWR | O_CLOEXEC);
	char power[8];
	int err;

	if (fd >= 0 && pread(fd, power, 8, 0x40) != 8)
		return -errno;
	err = vm_write_file("/sys/power/state", "mem");
	if (fd >= 0 && pwrite(fd, power, 8, 0x40) != 8 && !err)
		err = -errno;
	close(fd);
	return err;
}

/* A page in which the test makes an error */

static volatile char *page_to_touch;

static uint64_t make_page(void)
{
	page_to_touch = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			     0);
	if (page_to_touch == MAP_FAILED)
		give_up("no memory for the page");
	*page_to_touch = 1;
	return vm_physical((void *)page_to_touch);
}

/* Return the signal that ends a process that reads the page, or 0 */
static int touch_page(void)
{
	pid_t pid = fork();
	int status = 0;

	if (!pid)
		_exit(*page_to_touch != 1);
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void obey(const char *command)
{
	uint64_t *middle = (uint64_t *)(pattern + size / 2);
	int err;

	if (!strcmp(command, "counter")) {
		tell_state(control);
	} else if (!strcmp(command, "verify")) {
		verify(0, size);
		say(control, "guest: verify: %s", pattern_text());
	} else if (!strcmp(command, "dirty")) {
		seed++;
		fill();
		say(control, "guest: dirty: ok seed=%llu", (unsigned long long)seed);
	} else if (!strcmp(command, "corrupt")) {
		*middle ^= 1;
		say(control, "guest: corrupt: ok");
	} else if (!strcmp(command, "dmesg")) {
		tell_dmesg();
	} else if (!strcmp(command, "dma")) {
		say(control, "guest: dma: %s", do_dma() ?: "ok");
	} else if (!strcmp(command, "page")) {
		say(control, "guest: page: %#llx", (unsigned long long)make_page());
	} else if (!strcmp(command, "touch")) {
		err = touch_page();
		say(control, err ? "guest: touch: %s" : "guest: touch: ok", strsignal(err));
	} else if (!strcmp(command, "suspend")) {
		err = suspend();
		if (err)
			say(control, "guest: suspend: %s", strerror(-err));
	} else if (!strcmp(command, "off")) {
		power_off();
	} else {
		say(control, "guest: %s: unknown", command);
	}
}

static void read_commands(void)
{
	static char line[64];
	static size_t used;
	char c;

	/* Read a whole command; wait for the rest if it is incomplete. */
	while (read(control, &c, 1) == 1) {
		if (c != '\n') {
			if (used < sizeof(line) - 1)
				line[used++] = c;
			continue;
		}
		line[used] = '\0';
		used = 0;
		obey(line);
		return;
	}
}

static void set_up(void)
{
	static const char * const mounts[][2] = {
		{ "devtmpfs", "/dev" }, { "proc", "/proc" }, { "sysfs", "/sys" },
	};
	char *text;

	for (int i = 0; i < 3; i++) {
		mkdir(mounts[i][1], 0755);
		mount(mounts[i][0], mounts[i][1], mounts[i][0], 0, NULL);
	}
	console = open("/dev/console", O_RDWR | O_NOCTTY | O_CLOEXEC);
	load_modules();
	state = open_port("/dev/vport0p1");
	control = open_port("/dev/vport0p2");
	say(state, "guest: Linux, init after %.1f s", vm_now());
	text = vm_read_file("/proc/sys/kernel/random/boot_id");
	if (!text)
		give_up("boot_id");
	snprintf(boot_id, sizeof(boot_id), "%.*s", (int)strcspn(text, "\n"), text);
	free(text);
	if (*word("guest.ip="))
		set_address(word("guest.ip="));
	wait_for_memory();
	make_pattern();
	connect_peer(word("guest.peer="));
}

int main(void)
{
	struct pollfd fds[2];
	double next;
	int left;

	set_up();
	for (next = vm_now();; ) {
		left = (next - vm_now()) * 1000;
		fds[0] = (struct pollfd){ .fd = control, .events = POLLIN };
		fds[1] = (struct pollfd){ .fd = peer, .events = POLLIN };
		poll(fds, 2, left > 0 ? left : 0);
		if (fds[0].revents)
			read_commands();
		if (fds[1].revents)
			receive_acks();
		if (vm_now() < next)
			continue;
		/* Do not catch up if the clock jumped. */
		next = vm_now() + TICK_MS / 1000.0;
		counter++;
		verify_step();
		if (counter % LINE_EVERY == 0)
			tell_state(state);
		if (counter % SEND_EVERY == 0)
			send_counter();
	}
}
