// SPDX-License-Identifier: GPL-2.0
/* Self test of guest definitions, and of the QMP client with a fake QEMU */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <json.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include "guest_file.h"
#include "qmp.h"
#include "redact.h"
#include "tap.h"

#define UUID	"5aef9d40-6ae8-4e0a-9b0a-5d0ac0f5f0a1"
#define UUID_IS	"uuid = " UUID "\n"

/* Definitions */

static int parse(struct guest_file *g, const char *text, char *why, size_t len)
{
	why[0] = '\0';
	return guest_file_parse(g, "vm1", text, strlen(text), why, len);
}

static void a_definition(void)
{
	static const char *const args[] = {
		"-m", "4G", "-append", "console=ttyS0 a\"b", "-drive",
		"file=/vm,,1.img,if=virtio", "-object",
		"memory-backend-pkram,id=ram0,size=4G,name=vm1", "-device", "x",
		"-object", "memory-backend-pkram,dir=/mnt,name=a,,b", "-object",
		"memory-backend-file,share=on,mem-path=/x", "-fw_cfg", "$HOME",
	};
	static const char text[] =
		"# a guest\n"
		"uuid = " UUID "\n"
		"\tqemu=/opt/qemu\t\n"
		"stop-timeout = 30\n"
		"\n"
		"-m 4G -append 'console=ttyS0 a\"b'\n"
		"-drive file=/vm,,1.img,\\\n"
		"if=virtio\n"
		"-object \"memory-backend-pkram,id=ram0,size=4G,name=vm1\" \\\n"
		"    -device x\\\n"
		"\n"
		"-object memory-backend-pkram,dir=/mnt,name=a,,b\n"
		"--object memory-backend-file,share=on,mem-path=/x\n"
		"-fw_cfg \\$HOME";
	struct guest_file g;
	char why[256];
	unsigned int i;
	bool same;

	ok(!parse(&g, text, why, sizeof(why)), "a definition is read%s", why);
	ok(!strcmp(g.name, "vm1") && !strcmp(g.uuid, UUID) &&
	   !strcmp(g.qemu, "/opt/qemu") && g.stop_timeout == 30,
	   "settings are read");
	same = g.nr_args == sizeof(args) / sizeof(args[0]);
	for (i = 0; same && i < g.nr_args; i++)
		same = !strcmp(g.args[i] + !strncmp(g.args[i], "--", 2),
			       args[i]);
	ok(same, "options are split as a shell does");
	ok(g.nr_ram == 3 && !strcmp(g.ram[0].path, "/dev/pkram/vm1") &&
	   !strcmp(g.ram[1].path, "/mnt/a,b") &&
	   !strcmp(g.ram[2].path, "/x"), "RAM in pkram is found");
	ok(g.ram[0].pkram && g.ram[1].pkram && !g.ram[2].pkram,
	   "the options that name RAM are recorded");
	guest_file_free(&g);
	ok(!parse(&g, UUID_IS
		  "-object '{\"qom-type\": \"memory-backend-pkram\", \"id\": \"r\", \"name\": \"a,b\"}'\n"
		  "-object '{\"qom-type\":\"memory-backend-pkram\",\"dir\":\"/mnt\",\"name\":\"c\"}'\n"
		  "-object '{\"qom-type\":\"memory-backend-file\",\"mem-path\":\"/x\"}'\n"
		  "-object '{\"qom-type\":\"rng-random\"}' -object '{junk' -object '[]'\n",
		  why, sizeof(why)) && g.nr_ram == 3 &&
	   !strcmp(g.ram[0].path, "/dev/pkram/a,b") && g.ram[0].pkram &&
	   !strcmp(g.ram[1].path, "/mnt/c") && g.ram[1].pkram &&
	   !strcmp(g.ram[2].path, "/x") && !g.ram[2].pkram,
	   "RAM in pkram is found in JSON options%s", why);
	guest_file_free(&g);
	ok(!parse(&g, UUID_IS
		  "-object '{\"qom-type\": null, \"name\": \"a\"}'\n"
		  "-object '{\"qom-type\": \"memory-backend-pkram\", \"name\": null}'\n"
		  "-object '{\"qom-type\": \"memory-backend-file\", \"mem-path\": null}'\n",
		  why, sizeof(why)) && !g.nr_ram, "null in JSON is no RAM%s", why);
	guest_file_free(&g);
	ok(!parse(&g, UUID_IS "-m 4G", why, sizeof(why)) &&
	   !strcmp(g.qemu, "qemu-system-x86_64") && g.stop_timeout == 90 &&
	   !g.nr_ram, "missing settings have defaults");
	guest_file_free(&g);
}

static void wrong_definitions(void)
{
	static const struct {
		const char *text, *why;
	} t[] = {
		{ "",
		  "0: uuid is missing; add a line \"uuid = UUID\" (uuidgen(1) makes one)" },
		{ "-m 4G\n",
		  "1: uuid is missing; add a line \"uuid = UUID\" (uuidgen(1) makes one)" },
		{ UUID_IS,
		  "1: options for QEMU are missing; write them as on its command line" },
		{ UUID_IS "\n" UUID_IS,
		  "3: duplicate uuid" },
		{ "uuid = " UUID "0\n",
		  "1: \"" UUID "0\" is not a UUID; uuidgen(1) makes one" },
		{ "uuid = 5aef9d40-6ae8-4e0a-9b0a-5d0ac0f5f0\n",
		  "1: \"5aef9d40-6ae8-4e0a-9b0a-5d0ac0f5f0\" is not a UUID; uuidgen(1) makes one"
		},
		{ "uuid\n",
		  "1: \"uuid\" is neither \"key = value\" nor an option of QEMU, which begins with \"-\""
		},
		{ "uuid =\n",
		  "1: \"uuid\" has no value" },
		{ "ram = 4G\n",
		  "1: unknown setting \"ram\"; use uuid, qemu, agent or stop-timeout" },
		{ "qemu = bin/qemu\n",
		  "1: \"bin/qemu\" is neither an absolute path nor a name of a program" },
		{ "qemu = a\nqemu = b\n",
		  "2: duplicate qemu" },
		{ "agent = run/agent\n",
		  "1: \"run/agent\" is not the absolute path of a socket" },
		{ "agent = /a\nagent = /b\n", "2: duplicate agent" },
		{ "stop-timeout = 0\n",
		  "1: \"0\" is not a valid stop-timeout; use seconds, from 1 to 86400" },
		{ "stop-timeout = 1m\n",
		  "1: \"1m\" is not a valid stop-timeout; use seconds, from 1 to 86400" },
		{ "stop-timeout = 86401\n",
		  "1: \"86401\" is not a valid stop-timeout; use seconds, from 1 to 86400" },
		{ "stop-timeout = 1\nstop-timeout = 1\n",
		  "2: duplicate stop-timeout" },
		{ "-append 'a\n",
		  "1: missing closing '" },
		{ "-append a \\\n-m \"4G\n-x",
		  "1: missing closing \"" },
		{ "#\n-m $RAM\n",
		  "2: nothing is expanded; write the value itself, or quote the $ with ' '" },
		{ "-m \"`x`\"\n",
		  "1: nothing is expanded; write the value itself, or quote the ` with ' '" },
		{ "-uuid " UUID "\n",
		  "1: option -uuid is not allowed: write a line \"uuid = UUID\" instead" },
		{ "-m 4G -daemonize\n",
		  "1: option -daemonize is not allowed: pkramctl starts QEMU in the background" },
		{ "--incoming defer\n",
		  "1: option --incoming is not allowed: pkramctl adds it when the guest is resumed"
		},
		{ "-S\n",
		  "1: option -S is not allowed: pkramctl starts guests running" },
		{ "-name x\n",
		  "1: option -name is not allowed: the name of the file is the name of the guest" },
	};
	struct guest_file g;
	unsigned int i;
	char why[256];

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		int err = parse(&g, t[i].text, why, sizeof(why));

		if (!ok(err == -EINVAL && !strcmp(why, t[i].why),
			"a wrong definition is refused: %s", t[i].why))
			printf("%d, %s\n", err, why);
	}
	ok(guest_file_parse(&g, "vm1", "a\0b", 3, why, sizeof(why)) == -EINVAL &&
	   !strcmp(why, "1: the file is not text"), "a definition with a NUL is refused");
	ok(guest_file_parse(&g, "vm1", "ram = 4G\n", 9, why, 10) == -EINVAL &&
	   strlen(why) == 9, "a long error is truncated to the buffer");
}

static void names(void)
{
	char name[GUEST_NAME_MAX + 2] = "";

	ok(guest_name_ok("vm-1.a_B"), "a valid name is accepted");
	ok(!guest_name_ok("") && !guest_name_ok(".vm") && !guest_name_ok("-vm") &&
	   !guest_name_ok("a/b") && !guest_name_ok("a b") && !guest_name_ok("ä"),
	   "invalid names are refused");
	memset(name, 'a', GUEST_NAME_MAX);
	ok(guest_name_ok(name), "a name of maximum length is accepted");
	name[GUEST_NAME_MAX] = 'a';
	ok(!guest_name_ok(name), "a name that is too long is refused");
}

/* QMP */

#define GREETING	"{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n"
#define OK		"{\"return\": {}}\r\n"
#define EVENT_AT(sec, usec, name) \
	"{\"timestamp\": {\"seconds\": " sec ", \"microseconds\": " usec "}, " \
	"\"event\": \"" name "\"}\r\n"
#define EVENT(name)	EVENT_AT("5", "7", name)

static char path[64];
static pid_t server;

/* Send the first line at once and each other line after a command; then close */
static void serve(const char *const *says)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, client;
	char buf[4096];

	unlink(path);
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 1))
		abort();
	server = fork();
	if (server) {
		close(fd);
		return;
	}
	client = accept(fd, NULL, NULL);
	for (; *says; says++) {
		if (send(client, *says, strlen(*says), MSG_NOSIGNAL) < 0 ||
		    read(client, buf, sizeof(buf)) <= 0)
			break;
	}
	_exit(0);
}

static void served(struct qmp *q)
{
	qmp_close(q);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	unlink(path);
}

#define SERVE(...)	serve((const char *const []){ __VA_ARGS__, NULL })

static void impossible_times(void)
{
	struct qmp q;

	SERVE(GREETING, OK,
	      EVENT_AT("9223372036854775807", "1", "STOP")
	      EVENT_AT("-9223372036854775807", "-1", "RESUME") OK,
	      EVENT_AT("9223372036854", "9223372036854775807", "STOP")
	      EVENT_AT("null", "null", "RESUME") OK);
	ok(!qmp_open(&q, path, 5000) && !qmp_command(&q, "x", NULL) &&
	   !q.stopped && !q.resumed, "QMP: a time that cannot be is none");
	ok(!qmp_command(&q, "x", NULL) && !q.stopped && !q.resumed,
	   "QMP: nor is one without numbers");
	served(&q);
}

static void a_conversation(void)
{
	struct qmp q;
	int err;

	SERVE(GREETING, EVENT("A") OK,
	      EVENT("STOP") "{\"return\": {\"status\": \"completed\", \"ram\": {\"total\": 17}}}\r\n",
	      EVENT("RESUME") "{\"error\": {\"class\": \"x\", \"desc\": \"no such thing\"}}\r\n",
	      "{\"error\": {}}\n");
	ok(!qmp_open(&q, path, 5000), "QMP: connect succeeds with an event in between");
	ok(qmp_pid(&q) == getpid(), "QMP: the process at the socket is known");
	ok(!qmp_command(&q, "query-migrate", NULL) &&
	   !strcmp(qmp_text(&q, "status"), "completed") &&
	   !strcmp(qmp_text(&q, "ram.total"), "17"), "QMP: an answer is read");
	ok(!*qmp_text(&q, "ram.none") && !*qmp_text(&q, "status.x"),
	   "QMP: a missing member is empty");
	ok(q.stopped == 5000007 && !q.resumed, "QMP: the time of STOP is recorded");
	err = qmp_command(&q, "x", NULL);
	ok(err == -EREMOTEIO && !strcmp(q.error, "no such thing"),
	   "QMP: the text of a refusal is reported");
	ok(q.resumed == 5000007 && !*qmp_text(&q, "status"),
	   "QMP: the time of RESUME is recorded, and the old answer is freed");
	err = qmp_command(&q, "x", NULL);
	ok(err == -EREMOTEIO && !strcmp(q.error, "QEMU gives no reason"),
	   "QMP: a refusal without a text is reported");
	err = qmp_command(&q, "x", NULL);
	ok(err == -EPIPE && !strcmp(q.error, "QEMU has ended"),
	   "QMP: the end of QEMU is reported");
	ok(qmp_command(&q, "x", NULL) == -EPIPE, "QMP: the end of QEMU is reported again");
	served(&q);
}

static void talk_fails(const char *what, int err, const char *says)
{
	struct qmp q;
	int is = qmp_open(&q, path, err == -ETIMEDOUT ? 300 : 10000);

	if (!ok(is == err && strstr(q.error, says), "QMP: %s", what))
		printf("%d, %s\n", is, q.error);
	served(&q);
}

static void wrong_talk(void)
{
	char *much = malloc(1 << 21);
	struct qmp q;

	unlink(path);
	ok(qmp_open(&q, path, 300) == -ENOENT && q.fd < 0, "QMP: a missing socket is an error");
	SERVE(GREETING);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	ok(qmp_open(&q, path, 300) == -ECONNREFUSED, "QMP: a socket without a server is an error");
	memset(much, 'x', 200);
	much[200] = '\0';
	ok(qmp_open(&q, much, 300) == -ENAMETOOLONG, "QMP: a path that is too long is an error");
	SERVE("SSH-2.0\r\n");
	talk_fails("another protocol", -EPROTO, "this is not QMP: SSH-2.0");
	SERVE("{\"hello\": 1}\r\n");
	talk_fails("another JSON document", -EPROTO, "this is not QMP: { \"hello\": 1 }");
	SERVE(GREETING, "[1]\n");
	talk_fails("an answer that is not an object", -EPROTO, "this is not QMP: [1]");
	SERVE("", GREETING);
	talk_fails("silence", -ETIMEDOUT, "another program is connected");
	SERVE(GREETING, EVENT("A"));
	talk_fails("events, but no answer", -ETIMEDOUT, "does not answer");
	SERVE("{\"QMP\"");
	talk_fails("an incomplete line", -ETIMEDOUT, "another program is connected");
	memset(much, ' ', (1 << 21) - 1);
	much[(1 << 21) - 1] = '\0';
	SERVE(much);
	talk_fails("a line that does not end", -EPROTO, "a line that is too long");
	free(much);
}

static void redacting(void)
{
	static const struct {
		const char *option, *arg, *want;
		unsigned int removed;
	} t[] = {
		{ "-m", "4G", "4G", 0 },
		{ "-object", "secret,id=a,data=x,,y z,format=raw",
		  "secret,id=a,data=(removed),format=raw", 1 },
		{ "-object", "tls-creds-x509,id=a,passwordid=x",
		  "tls-creds-x509,id=a,passwordid=(removed)", 1 },
		{ "-blockdev", "driver=luks,key-secret=a,file=b",
		  "driver=luks,key-secret=a,file=b", 0 },
		{ "-spice", "port=1,Password=x", "port=1,Password=(removed)", 1 },
		{ "-drive", "file=http://u:p@h/d,if=none", "file=http://(removed)@h/d,if=none", 1 },
		{ "-drive", "file=http://h/d@2x,if=none", "file=http://h/d@2x,if=none", 0 },
		{ "-drive", "file=http://h/d?token=x,if=none",
		  "file=http://h/d?token=(removed),if=none", 1 },
		{ "-append", "quiet password=x y", "quiet password=(removed)", 1 },
		{ "-fw_cfg", "name=opt/a,string=x", "name=opt/a,string=(removed)", 1 },
		{ "--fw_cfg", "name=opt/a,string=x", "name=opt/a,string=(removed)", 1 },
		{ "-device", "x,string=y", "x,string=y", 0 },
		{ "-smbios", "type=11,value=io.systemd.credential:a=b",
		  "type=11,value=(removed)", 1 },
		{ "-object", "{\"qom-type\":\"secret\",\"data\":\"x\"}",
		  "{\"qom-type\":\"secret\",\"data\":\"(removed)\"}", 1 },
		{ "-blockdev", "{\"a\":[{\"password\":5}],\"url\":\"nbd://u:p@h\",\"key-secret\":\"s\"}",
		  "{\"a\":[{\"password\":\"(removed)\"}],\"url\":\"nbd:\\/\\/(removed)@h\",\"key-secret\":\"s\"}",
		  2 },
		{ "-object", "{not json,password=x", "{not json,password=(removed)", 1 },
	};
	unsigned int i, removed;
	char *text;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		removed = 0;
		text = redact_arg(t[i].option, t[i].arg, &removed);
		ok(text && !strcmp(text, t[i].want) && removed == t[i].removed,
		   "redact %s", t[i].arg);
		free(text);
	}
}

int main(void)
{
	snprintf(path, sizeof(path), "/tmp/pkram-qmp.%d", getpid());
	a_definition();
	wrong_definitions();
	names();
	a_conversation();
	impossible_times();
	wrong_talk();
	redacting();
	return tap_finish();
}
