/* SPDX-License-Identifier: Apache-2.0 */
#include "runner.h"

#include <fnmatch.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_S 600 /* of a case; one that takes longer waits for ever */
#define BYTES_KEPT 128u
enum { CASE_FAILED = 101, CASE_SKIPPED };

/* What a case leaves behind for its parent: memory that both have. */
struct report {
	char found[1024], input[2048];
	size_t byte_count; /* that were given */
	unsigned char bytes[BYTES_KEPT];
};

/* State at file scope: a case is a process, and whatever it calls may fail it. */
static struct report *report;

void suite_input(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(report->input, sizeof(report->input), format, args);
	va_end(args);
}

/* As text with what is not printable ASCII in hex, cut where the room ends. */
static size_t show_text(char *room, size_t size, const char *text)
{
	size_t used = 0;

	for (; *text && used + 8 < size; text++) {
		unsigned char byte = (unsigned char)*text;
		bool is_plain = byte >= 0x20 && byte < 0x7f && byte != '\\';

		used += (size_t)snprintf(room + used, size - used, is_plain ? "%c" : "\\x%02x", byte);
	}
	return used;
}

void suite_input_record(const struct pep_identity *id)
{
	static const char *const names[] = {"serial",     "dispatch_id",    "enrollment_id", "hardware_version", "radio_config",
					    "led_config", "category",       "api_address",   "gateway_services", "verification_key",
					    "ou",         "device_id",      "ethernet_mac",  "sixb_mac",         "nonce",
					    "owner",      "idempotency_key"};
	const char *const *texts = &id->serial;
	size_t size = sizeof(report->input);
	size_t used = (size_t)snprintf(report->input, size, "state=%u", id->state);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && used + 64 < size; i++) {
		size_t room = size - used < 160 ? size - used : 160;

		if (!texts[i])
			continue;
		used += (size_t)snprintf(report->input + used, room, " %s=\"", names[i]);
		used += show_text(report->input + used, room - 24, texts[i]);
		used += (size_t)snprintf(report->input + used, 2, "\"");
	}
}

void suite_bytes(const void *bytes, size_t size)
{
	size_t kept = size < BYTES_KEPT ? size : BYTES_KEPT;

	report->byte_count = size;
	if (kept)
		memcpy(report->bytes, (const char *)bytes + size - kept, kept);
}

static _Noreturn void leave(int code)
{
	(void)fflush(NULL);
	_exit(code);
}

void suite_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(report->found, sizeof(report->found), format, args);
	va_end(args);
	leave(CASE_FAILED);
}

void suite_expect(bool holds, const char *format, ...)
{
	va_list args;

	if (holds)
		return;
	va_start(args, format);
	(void)vsnprintf(report->found, sizeof(report->found), format, args);
	va_end(args);
	leave(CASE_FAILED);
}

void suite_skip(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(report->found, sizeof(report->found), format, args);
	va_end(args);
	leave(CASE_SKIPPED);
}

static void show_bytes(void)
{
	size_t kept = report->byte_count < BYTES_KEPT ? report->byte_count : BYTES_KEPT;
	size_t offset = report->byte_count - kept;

	for (size_t i = 0; i < kept; i += 16) {
		size_t count = kept - i < 16 ? kept - i : 16;

		(void)printf("        %s %08zx ", i ? "      " : "bytes:", offset + i);
		for (size_t j = 0; j < 16; j++)
			if (j < count)
				(void)printf(" %02x", report->bytes[i + j]);
			else
				(void)fputs("   ", stdout);
		(void)fputs("  |", stdout);
		for (size_t j = 0; j < count; j++)
			(void)putchar(report->bytes[i + j] >= 0x20 && report->bytes[i + j] < 0x7f ? report->bytes[i + j] : '.');
		(void)fputs("|\n", stdout);
	}
}

/* What the end of the process says, where the case itself could not. */
static void name_end(int end)
{
	if (WIFSIGNALED(end) && WTERMSIG(end) == SIGALRM)
		(void)snprintf(report->found, sizeof(report->found), "no end after %d s", LIMIT_S);
	else if (WIFSIGNALED(end))
		(void)snprintf(report->found, sizeof(report->found), "the plugin crashed: %s", strsignal(WTERMSIG(end)));
	else if (WEXITSTATUS(end) != CASE_FAILED)
		(void)snprintf(report->found, sizeof(report->found),
			       "the process ended with exit code %d: the plugin ended it, or a sanitizer did (see above)",
			       WEXITSTATUS(end));
}

static void judge(const char *group, const struct suite_case *entry, int end, struct suite_result *result)
{
	if (WIFEXITED(end) && WEXITSTATUS(end) == EXIT_SUCCESS) {
		result->passed++;
		(void)printf("ok      %s%s\n", group, entry->name);
		return;
	}
	if (WIFEXITED(end) && WEXITSTATUS(end) == CASE_SKIPPED) {
		result->skipped++;
		(void)printf("skipped %s%s: %s\n", group, entry->name, report->found);
		return;
	}
	name_end(end);
	result->failed++;
	(void)printf("FAILED  %s%s\n        rule:  %s\n", group, entry->name, entry->rule);
	if (*report->input)
		(void)printf("        input: %s\n", report->input);
	(void)printf("        found: %s\n", report->found);
	show_bytes();
}

static int run_apart(const struct suite_case *entry, void *ctx)
{
	const struct rlimit no_core = {0};
	int end = 0;
	pid_t child;

	*report = (struct report){0};
	(void)fflush(NULL);
	child = fork();
	if (child < 0) {
		perror("pep-plugin-check: fork");
		exit(1);
	}
	if (child == 0) {
		(void)setrlimit(RLIMIT_CORE, &no_core);
		(void)alarm(LIMIT_S);
		entry->run(ctx);
		exit(EXIT_SUCCESS); /* not _exit(): the leak sanitizer looks at the end */
	}
	if (waitpid(child, &end, 0) != child)
		end = -1;
	return end;
}

void suite_run(const char *group, const struct suite_case *cases, void *ctx, const char *only, struct suite_result *result)
{
	report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (report == MAP_FAILED) {
		perror("pep-plugin-check: mmap");
		exit(1);
	}
	for (; cases->name; cases++)
		if (!only || fnmatch(only, cases->name, 0) == 0)
			judge(group, cases, run_apart(cases, ctx), result);
	(void)munmap(report, sizeof(*report));
	report = NULL;
}
