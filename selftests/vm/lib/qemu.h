/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guests inside the VM: start QEMU, talk to it and to the guest, save and load it. For
 * scenarios with QEMU= in their conf. See README.md, "Guests".
 *
 * A QEMU is identified by a name, which determines the paths of its sockets and files in
 * /run/qemu. It keeps running after the test that started it; a later test finds it by its
 * name (qemu_find()).
 *
 * Functions return -errno on failure unless documented otherwise: -EPIPE when QEMU has
 * ended, -ETIMEDOUT, -EREMOTEIO when it answered with an error, whose text is then in
 * qemu->error. Times are in seconds; on a kernel with checkers they are multiplied by
 * four. A struct qemu exists until the test ends; only strings must be freed.
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
	struct json_object *events;	/* received, but not waited for yet */
	size_t used;			/* offset of unread data in the input buffer */
	char input[65536];
	long long seen[2];		/* bytes of each port's output that were read */
};

/* Mount point of the disk that the runner makes, and its files */
#define GUEST_DIR		"/guest"
#define GUEST_KERNEL		GUEST_DIR "/vmlinux"
#define GUEST_BZIMAGE		GUEST_DIR "/vmlinuz"
#define GUEST_INITRD		GUEST_DIR "/initrd"

/*
 * A CPU that needs only what every host has, including an emulated one, and that boots
 * Linux fast
 */
#define GUEST_CPU		"kvm64,-vme,+pdpe1gb,+tsc-deadline,family=23"

/* Arguments for the tiny guest, which is no Linux (guest/tiny.c) */
#define QEMU_TINY							\
	"-bios", GUEST_DIR "/tiny.bin",					\
	"-serial", "chardev:port0", "-serial", "chardev:port1"
/*
 * Arguments for the Linux guest (guest/init.c), with additional words for its command
 * line. This firmware and PVH boot fastest; a guest that suspends needs QEMU_SUSPENDS in
 * addition. Virtio uses ports instead of MMIO: TCG reports events to KVM that were
 * delivered long before, and KVM of 7.x then gives up on MMIO ("KVM internal error.
 * Suberror: 3").
 */
#define QEMU_LINUX(words)						\
	"-bios", "qboot.rom", "-kernel", GUEST_KERNEL, "-initrd", GUEST_INITRD,		\
	"-append", GUEST_CMDLINE " " words, "-serial", "chardev:console", \
	"-device", "virtio-serial-pci,disable-modern=on",		\
	"-device", "virtserialport,nr=1,chardev=port0",			\
	"-device", "virtserialport,nr=2,chardev=port1"
/* qboot does not resume from S3, and Linux does not if it was started by PVH. */
#define QEMU_SUSPENDS		"-bios", "bios-256k.bin", "-kernel", GUEST_BZIMAGE
/* A bus number above 0 would be probed 8192 times. */
#define GUEST_CMDLINE		"console=ttyS0 quiet panic=-1 mitigations=off pci=lastbus=0"
/*
 * Arguments for a NIC, and its words for the command line; needs NET=1 in the conf, and
 * guest_net_up() first. The tap of an older kernel has fewer offloads: to load the state
 * there, the machine must be pc-q35-8.1 or older.
 */
#define QEMU_NET							\
	"-netdev", "tap,id=net0,ifname=tap0,script=no,downscript=no",	\
	"-device", "virtio-net-pci,disable-modern=on,netdev=net0,mac=52:54:00:00:00:50,romfile="
#define GUEST_NET		"guest.ip=10.0.2.50 guest.peer=10.0.2.100:7000"

/*
 * Return "kvm" if this kernel can run guests (nested: the CPU of the VM must have svm),
 * else "tcg". qemu_start() adds -accel and -cpu accordingly, unless they are given.
 */
const char *qemu_accel(void);

/*
 * Start QEMU with the arguments up to NULL. These are added: no default devices, QMP,
 * -no-reboot, ROMs, and character devices: the guest reports its state on port0 and
 * receives commands on port1; console is written to a file (qemu_console()). Returns when
 * QMP answers. If it does not, returns NULL, and qemu_stderr() has the reason. With @wait
 * false it returns at once, for a start that must fail: see qemu_wait_exit().
 */
struct qemu *qemu_start(const char *name, ...) __attribute__((sentinel));
struct qemu *qemu_startv(const char *name, const char * const argv[], bool wait);

/* Find a running QEMU that another test started; NULL if there is none of that name */
struct qemu *qemu_find(const char *name);

/* Return what the QEMU of that name wrote to stderr, to be freed */
char *qemu_stderr(const char *name);

/* Return the console output of the Linux guest's kernel, to be freed */
char *qemu_console(const char *name);

/* Return whether it runs. False for a killed QEMU, even if it has not exited yet. */
bool qemu_alive(struct qemu *q);

/* Wait for its end: 0, or -ETIMEDOUT */
int qemu_wait_exit(struct qemu *q, int seconds);

/* End QEMU, by QMP or by SIGKILL; both wait until it has ended */
int qemu_quit(struct qemu *q);
int qemu_kill(struct qemu *q);

/*
 * Send a QMP command; @args, if not NULL, is a printf format of its JSON arguments, in
 * which ' is replaced by ": qemu_command(q, "migrate", "{'uri': 'file:%s'}", path).
 */
int qemu_command(struct qemu *q, const char *command, const char *args, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Return a field of the last answer by its path, such as "ram.total", as text that is
 * valid until the next command; "" if there is none. The path "" is the whole answer.
 */
const char *qemu_answer(struct qemu *q, const char *field);

/* Return whether this QEMU has a QMP command or event */
bool qemu_has_command(struct qemu *q, const char *command);

/* Run a command of the human monitor; return its output, to be freed, or NULL */
char *qemu_hmp(struct qemu *q, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Wait for an event that occurred since the start or since the last wait for it */
int qemu_wait_event(struct qemu *q, const char *event, int seconds);

/* Wait until the migration of either side is over; -EREMOTEIO if it failed */
int qemu_wait_migration(struct qemu *q, int seconds);

/* Return whether this QEMU has the migration mode cpr-reboot (7.2 does not) */
bool qemu_has_cpr(struct qemu *q);

/* Leave shared RAM out of the stream */
int qemu_ignore_shared(struct qemu *q, bool on);

/*
 * Save to the file @path with x-ignore-shared, in mode cpr-reboot if QEMU has it, or load
 * the same way. To load, QEMU must have been started with -incoming defer. If a blocker is
 * the reason of a failure, qemu->error has its text too.
 */
int qemu_save(struct qemu *q, const char *path);
int qemu_load(struct qemu *q, const char *path);

/*
 * Return the next line that matches the extended regular expression @re on port 0 or 1,
 * after those returned before, to be freed; NULL on a timeout or when QEMU ended.
 */
char *qemu_wait_line(struct qemu *q, int port, const char *re, int seconds);

/* Skip what the port has printed so far */
void qemu_skip_lines(struct qemu *q, int port);

/* State that both guests print about every 200 ms */
struct guest_state {
	unsigned long long counter;
	double uptime;
	char boot_id[64];
	char pattern[128];		/* "ok", or what is wrong */
	unsigned int seed;		/* of the pattern */
	unsigned int mib;		/* of pattern */
	char net[16];			/* Linux: "none", "up", "lost" */
	unsigned long sent, acked;	/* lines on its connection */
	char line[512];			/* the whole line */
};

/* Wait for a state whose counter is above @above */
int guest_wait(struct qemu *q, unsigned long long above, struct guest_state *st,
	       int seconds);

/*
 * Send a command to the guest (see guest/tiny.c, guest/init.c); return the answer without
 * "guest: COMMAND: " (to "counter": a state), to be freed, or NULL
 */
char *guest_ask(struct qemu *q, const char *command, int seconds);

/* Have the guest verify every byte of its pattern: 0, -EBADMSG or as above */
int guest_verify(struct qemu *q);

/*
 * Bridge the VM's NIC with a tap for the guest. The Linux guest's peer is outside of the
 * VM, so that its connection survives the kexec.
 */
int guest_net_up(void);

/* Statistics of the peer about the guest's connections */
struct peer_state {
	int accepts, closes;		/* number of connections that began, that ended */
	unsigned long long counter;	/* the last one received */
	bool rising;			/* each was above the previous one */
	double gap;			/* the longest silence, in seconds */
	double idle;			/* since the last line */
};

int peer_state(struct peer_state *p);

/* Return a number in debugfs of the guest's VM ("pages_1g"), -1 if there is none */
long long qemu_kvm_stat(struct qemu *q, const char *stat);

/*
 * Return the seconds of a clock that continues through a kexec (the TSC), to measure how
 * long a guest did not run. Only differences are meaningful.
 */
double qemu_clock(void);

#endif
