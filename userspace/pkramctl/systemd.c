// SPDX-License-Identifier: GPL-2.0
/* Requests to systemd, through systemctl. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "child.h"
#include "ctl.h"
#include "systemd.h"

#define MAX_TEXT	(1 << 20)	/* that systemctl prints */

bool systemd_runs(void)
{
	return !access("/run/systemd/system", F_OK);
}

int systemctl(const char *verb, const char *unit)
{
	return child_run((const char *const[]){ "systemctl", verb, unit, NULL });
}

int systemd_start(const char *unit)
{
	return child_run((const char *const[]){ "systemctl", "start", "--no-block", unit, NULL });
}

int systemd_kexec(void)
{
	/*
	 * What systemctl kexec does after it has asked logind: since systemd 257 an inhibitor
	 * stops root, too, even with --check-inhibitors=no, and that of pkram-saved.service
	 * is against reboots.
	 */
	return child_run((const char *const[]){ "systemctl", "start", "--no-block",
						"--job-mode=replace-irreversibly",
						"kexec.target", NULL });
}

static bool says_yes(const char *verb, const char *unit)
{
	return !child_run((const char *const[]){ "systemctl", verb, "--quiet", unit, NULL });
}

bool systemd_enabled(const char *unit)
{
	return says_yes("is-enabled", unit);
}

bool systemd_active(const char *unit)
{
	static const char *const off[] = { "inactive\n", "failed\n", "unknown\n" };
	const char *const argv[] = { "systemctl", "is-active", unit, NULL };
	bool active = true;
	char *state;
	size_t i;

	if (child_read(argv, MAX_TEXT, &state) < 0)
		return true;
	/* Its exit status is that of a unit that does not run while it is being stopped, too */
	for (i = 0; i < sizeof(off) / sizeof(off[0]); i++)
		active = active && strcmp(state, off[i]);
	free(state);
	return active;
}

bool systemd_starts(const char *unit)
{
	const char *const argv[] = {
		"systemctl", "show", "--property=ActiveState,Job", unit, NULL
	};
	bool starts = false;
	char *text, *line, *rest;

	if (child_read(argv, MAX_TEXT, &text)) {
		free(text);
		return false;
	}
	/* A job may wait, for the end of the unit for example */
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		starts = starts || !strcmp(line, "ActiveState=activating") ||
			 (!strncmp(line, "Job=", 4) && atoi(line + 4));
	free(text);
	return starts;
}

/* All but kexec.target, as that pulls shutdown.target in as well */
static bool is_shutdown(const char *unit)
{
	static const char *const units[] = {
		"shutdown.target", "reboot.target", "poweroff.target", "halt.target",
		"soft-reboot.target",
	};
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (!strcmp(unit, units[i]))
			return true;
	}
	return false;
}

enum systemd_end systemd_end(void)
{
	static const char *const argv[] = {
		"systemctl", "--plain", "--no-legend", "list-jobs", NULL
	};
	enum systemd_end end = SYSTEMD_STAYS;
	char *text, *line, *rest, unit[256], type[16];

	if (!systemd_runs())
		return SYSTEMD_STAYS;
	if (child_read(argv, MAX_TEXT, &text)) {
		free(text);
		return SYSTEMD_MUTE;
	}
	/* Number, unit, type, state */
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (sscanf(line, "%*s %255s %15s", unit, type) != 2 || strcmp(type, "start"))
			continue;
		if (!strcmp(unit, "kexec.target"))
			end = SYSTEMD_KEXEC;
		else if (end == SYSTEMD_STAYS && is_shutdown(unit))
			end = SYSTEMD_DOWN;
	}
	free(text);
	return end;
}

/* Read a time span as systemctl prints it, "1h 30min", in seconds; -1: this is none */
static int read_span(const char *text)
{
	static const struct {
		const char *name;
		double seconds;
	} units[] = {
		{ "us", 1e-6 }, { "ms", 1e-3 }, { "s", 1 }, { "min", 60 }, { "h", 3600 },
		{ "d", 86400 }, { "w", 604800 }, { "month", 2629800 }, { "y", 31557600 },
	};
	double value, sum = 0;
	char name[8];
	size_t i;
	int n;

	if (!strncmp(text, "infinity", 8))
		return INT_MAX;
	for (; sscanf(text, "%lf%7[a-z]%n", &value, name, &n) == 2; text += n) {
		for (i = 0; i < sizeof(units) / sizeof(units[0]) &&
		     strcmp(name, units[i].name); i++)
			;
		if (i == sizeof(units) / sizeof(units[0]))
			return -1;
		sum += value * units[i].seconds;
	}
	return text[strspn(text, "\n ")] || sum <= 0 ? -1 : sum > INT_MAX ? INT_MAX : (int)sum;
}

int systemd_stop_timeout(const char *unit, int otherwise)
{
	const char *const argv[] = {
		"systemctl", "show", "--property=TimeoutStopUSec", "--value", unit, NULL
	};
	int seconds;
	char *text;

	if (!systemd_runs() || child_read(argv, 64, &text))
		return otherwise;
	seconds = read_span(text);
	free(text);
	return seconds < 0 ? otherwise : seconds;
}

char *systemd_failed(void)
{
	const char *const argv[] = {
		"systemctl", "list-units", "--state=failed", "--plain", "--no-legend", "--no-pager",
		"pkram-*", "dev-pkram.mount", NULL
	};
	char *text = NULL, *units, *line, *save;
	size_t len;
	FILE *f;

	f = ctl_must(open_memstream(&units, &len));
	if (!child_read(argv, MAX_TEXT, &text)) {
		for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
			fprintf(f, "%.*s\n", (int)strcspn(line, " "), line);
	}
	fclose(f);
	free(text);
	return units;
}

bool systemd_kexec_pending(void)
{
	enum systemd_end end = systemd_end();

	/* A guest that is saved for nothing is resumed; one that is not saved is lost */
	return end == SYSTEMD_KEXEC || end == SYSTEMD_MUTE;
}
