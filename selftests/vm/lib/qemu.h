/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guests inside the VM: start QEMU, talk to it and to the guest, let it save and load.
 * For scenarios whose conf says QEMU=. See README.md, "Guests".
 *
 * A QEMU is known by a name, from which all its sockets and files in /run/qemu follow,
 * so that one test may start it and the next go on with it (qemu_find()). It outlives
 * the test that started it.
 *
 * Functions return -errno on failure unless they say otherwise: -EPIPE when QEMU is
 * gone, -ETIMEDOUT, -EREMOTEIO when it answered with an error, whose text is then in
 * qemu->error. Times are in seconds; on a kernel with checkers they are four times as
 * long. A struct qemu lasts until the test ends; there is nothing to free but strings.
 */
#ifndef PKRAM_VM_QEMU_H
#define PKRAM_VM_QEMU_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct json_object;

struct qemu {
	char name[32];
	pid_t pid;
	int qmp;			/* socket, -1 when lost */
	char error[512];		/* of the last command that failed */
	struct json_object *answer;	/* of the last command */
	struct json_object *events;	/* that nobody waited for yet */
	size_t used;			/* what follows is in the input buffer */
	char input[65536];
	long long seen[2];		/* of the output of each port, in bytes */
};

/* Where the disk that the runner makes is mounted, and what is on it */
#define GUEST_DIR		"/guest"
#define GUEST_KERNEL		GUEST_DIR "/vmlinux"
#define GUEST_BZIMAGE		GUEST_DIR "/vmlinuz"
#define GUEST_INITRD		GUEST_DIR "/initrd"

/*
 * A CPU that needs nothing but what every host has, an emulated one included, and that
 * boots Linux fast
 */
#define GUEST_CPU		"kvm64,-vme,+pdpe1gb,+tsc-deadline,family=23"

/* Arguments: the guest that needs no Linux (guest/tiny.c) */
#define QEMU_TINY							\
	"-bios", GUEST_DIR "/tiny.bin",					\
	"-serial", "chardev:port0", "-serial", "chardev:port1"
/*
 * The Linux guest (guest/init.c) with a string of more words for its command line. The
 * firmware and the way in (PVH) are the fastest; to one that suspends add QEMU_SUSPENDS.
 * Virtio by ports: TCG tells KVM of events that were delivered long ago, and 7.x's KVM
 * then gives up on MMIO ("KVM internal error. Suberror: 3").
 */
#define QEMU_LINUX(words)						\
	"-bios", "qboot.rom", "-kernel", GUEST_KERNEL, "-initrd", GUEST_INITRD,		\
	"-append", GUEST_CMDLINE " " words, "-serial", "chardev:console", \
	"-device", "virtio-serial-pci,disable-modern=on",		\
	"-device", "virtserialport,nr=1,chardev=port0",			\
	"-device", "virtserialport,nr=2,chardev=port1"
/* qboot does not resume from S3, nor does Linux if it was started by PVH. */
#define QEMU_SUSPENDS		"-bios", "bios-256k.bin", "-kernel", GUEST_BZIMAGE
/* A bus number above 0 would be looked for 8192 times. */
#define GUEST_CMDLINE		"console=ttyS0 quiet panic=-1 mitigations=off pci=lastbus=0"
/*
 * A NIC for it, and its words; needs NET=1 in the conf, and guest_net_up() before. An
 * older kernel's tap has fewer offloads: for the state to load there, the machine must be
 * pc-q35-8.1 or older.
 */
#define QEMU_NET							\
	"-netdev", "tap,id=net0,ifname=tap0,script=no,downscript=no",	\
	"-device", "virtio-net-pci,disable-modern=on,netdev=net0,mac=52:54:00:00:00:50,romfile="
#define GUEST_NET		"guest.ip=10.0.2.50 guest.peer=10.0.2.100:7000"

/*
 * "kvm" if this kernel can run guests (nested, so the CPU of the VM must have svm),
 * else "tcg". qemu_start() adds -accel and -cpu by this, unless they are given.
 */
const char *qemu_accel(void);

/*
 * Start QEMU with the arguments up to NULL, after a few of its own: no default devices,
 * QMP, -no-reboot, ROMs, and character devices: port0 is where the guest tells its state,
 * port1 where it takes commands, console goes to a file (qemu_console()). Returns when
 * QMP answers; NULL if it does not: then the reason is in qemu_stderr(). With @wait false
 * it does not wait for that: for a start that is meant to fail, see qemu_wait_exit().
 */
struct qemu *qemu_start(const char *name, ...) __attribute__((sentinel));
struct qemu *qemu_startv(const char *name, const char * const argv[], bool wait);

/* The QEMU of that name that another test started and that still runs, or NULL */
struct qemu *qemu_find(const char *name);

/* What QEMU of that name wrote to stderr since it was started, to be freed */
char *qemu_stderr(const char *name);

/* What the Linux guest's kernel wrote to its console, to be freed */
char *qemu_console(const char *name);

/* Is it there? A killed QEMU is not, though it may still be dying. */
bool qemu_alive(struct qemu *q);

/* Wait for its end: 0, or -ETIMEDOUT */
int qemu_wait_exit(struct qemu *q, int seconds);

/* Have it end: by QMP, or by SIGKILL at once; both wait until it is gone */
int qemu_quit(struct qemu *q);
int qemu_kill(struct qemu *q);

/*
 * A QMP command; @args, if not NULL, is a printf format of its JSON arguments, in which
 * ' may stand for ": qemu_command(q, "migrate", "{'uri': 'file:%s'}", path).
 */
int qemu_command(struct qemu *q, const char *command, const char *args, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * A field of the last answer, named as "ram.total", as text that lasts until the next
 * command; "" if there is none. The whole answer is "".
 */
const char *qemu_answer(struct qemu *q, const char *field);

/* Has this QEMU such a QMP command or event? */
bool qemu_has_command(struct qemu *q, const char *command);

/* A command of the human monitor; its output, to be freed, NULL on failure */
char *qemu_hmp(struct qemu *q, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Wait for an event that came since the start or since the last wait for it */
int qemu_wait_event(struct qemu *q, const char *event, int seconds);

/* Wait until the migration of either side is over; -EREMOTEIO if it failed */
int qemu_wait_migration(struct qemu *q, int seconds);

/* Knows this QEMU migration mode cpr-reboot? (7.2 does not) */
bool qemu_has_cpr(struct qemu *q);

/* Leave shared RAM out of the stream */
int qemu_ignore_shared(struct qemu *q, bool on);

/*
 * Save to the file @path in mode cpr-reboot, if it is known, with x-ignore-shared, and
 * load the same way. QEMU was started with -incoming defer for the latter. When saving
 * fails for reasons that QEMU knows before (a blocker), qemu->error says them too.
 */
int qemu_save(struct qemu *q, const char *path);
int qemu_load(struct qemu *q, const char *path);

/*
 * The next line that matches the extended regular expression @re on port 0 or 1,
 * behind those returned before; to be freed, NULL when none came in time or QEMU ended.
 */
char *qemu_wait_line(struct qemu *q, int port, const char *re, int seconds);

/* Forget what the port printed until now */
void qemu_skip_lines(struct qemu *q, int port);

/* What both guests tell of themselves, a line every 200 ms or so */
struct guest_state {
	unsigned long long counter;
	double uptime;
	char boot_id[64];
	char pattern[128];		/* "ok", or what is wrong */
	unsigned int seed;		/* of the pattern */
	unsigned int mib;		/* of pattern */
	char net[16];			/* Linux: "none", "up", "lost" */
	unsigned long sent, acked;	/* lines on its connection */
	char line[512];			/* all of it */
};

/* The newest state, which is waited for until its counter is above @above */
int guest_wait(struct qemu *q, unsigned long long above, struct guest_state *st,
	       int seconds);

/*
 * Send a command to the guest (see guest/tiny.c, guest/init.c); the answer without
 * "guest: COMMAND: " (to "counter": a state), to be freed, NULL on failure
 */
char *guest_ask(struct qemu *q, const char *command, int seconds);

/* Does the guest find every byte of its pattern? 0, -EBADMSG or as above */
int guest_verify(struct qemu *q);

/*
 * The Linux guest's peer is outside of the VM, so that its connection can outlive this
 * kernel: bridge the VM's NIC with a tap for the guest.
 */
int guest_net_up(void);

/* What the peer saw of the guest's connections */
struct peer_state {
	int accepts, closes;		/* connections that began, that ended */
	unsigned long long counter;	/* the last that was received */
	bool rising;			/* each was above the one before */
	double gap;			/* the longest silence, in seconds */
	double idle;			/* since the last one */
};

int peer_state(struct peer_state *p);

/* A number in debugfs of the guest's VM ("pages_1g"), -1 if there is none */
long long qemu_kvm_stat(struct qemu *q, const char *stat);

/*
 * Seconds on a clock that goes on through a kexec (the TSC), to measure how long a guest
 * did not run; only differences mean something.
 */
double qemu_clock(void);

#endif
