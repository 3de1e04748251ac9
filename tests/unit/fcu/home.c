/* SPDX-License-Identifier: Apache-2.0 */
#include "home.h"

#include "plugins/injector/fcu/boot.h"
#include "plugins/injector/fcu/remove.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPLATE "{python} {script} inject --endpoint-name={serial} --serial-number={serial} tcp --ip={ip} --port={port}"

static void make_folder(const struct home *home, const char *name)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", home->path, name);
	if (mkdir(path, 0700) != 0)
		abort();
}

void home_write(const struct home *home, const char *name, const char *text)
{
	char path[512];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", home->path, name);
	file = fopen(path, "we");
	if (!file || fputs(text, file) < 0 || fclose(file) != 0 || chmod(path, 0600) != 0)
		abort();
}

void home_init(struct home *home, const char *world)
{
	*home = (struct home){.path = PEP_TEST_BINARY_DIR "/fcu-home-XXXXXX"};
	if (!mkdtemp(home->path))
		abort();
	(void)snprintf(home->world, sizeof(home->world), "%s", world ? world : "");
	if (!world)
		(void)snprintf(home->world, sizeof(home->world), "%s/world", home->path);
	(void)snprintf(home->calls, sizeof(home->calls), "%s/calls", home->path);
	(void)snprintf(home->state, sizeof(home->state), "%s/state", home->path);
	(void)snprintf(home->environment, sizeof(home->environment), "FAKE_FCU_WORLD=%s FAKE_FCU_CALLS=%s", home->world,
		       home->calls);
	make_folder(home, "config");
	make_folder(home, "keystore");
	home_write(home, "config/fcu.yml", "use-bootstrap: true\n");
	home_write(home, "keystore/fcu.crt", "certificate\n");
	home_write(home, "keystore/fcu_private_key.pem", "key\n");
	home->values[OPT_PYTHON].text = "/usr/bin/python3";
	home->values[OPT_HOME].text = home->path;
	home->values[OPT_SCRIPT].text = HOME_TOOL;
	home->values[OPT_COMMAND].text = TEMPLATE;
	home->values[OPT_CONFIG].text = "config/fcu.yml";
	home->values[OPT_CERTIFICATE].text = "keystore/fcu.crt";
	home->values[OPT_PRIVATE_KEY].text = "keystore/fcu_private_key.pem";
	home->values[OPT_ENVIRONMENT].text = home->environment;
	home->values[OPT_SECRET_ENVIRONMENT].text = "FAKE_FCU_PIN";
	home->values[OPT_PARALLEL].number = 8;
	home->values[OPT_KILL_AFTER].number = 500;
	home->values[OPT_MEMORY_MB].number = 1024;
	home->values[OPT_STATE].text = home->state;
	home->values[OPT_RUNNER].text = PEP_TEST_FCU_RUNNER;
}

void home_fini(struct home *home)
{
	remove_tree(AT_FDCWD, home->path);
	*home = (struct home){.path = ""};
}

char *home_read(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = calloc(1, 1 << 20);

	if (!text)
		abort();
	if (file) {
		(void)!fread(text, 1, (1 << 20) - 1, file);
		(void)fclose(file);
	}
	return text;
}

void home_wait(const char *path, const char *text)
{
	int64_t until_ms = boot_ms() + 60000;

	for (;;) {
		char *now = home_read(path);
		bool is_there = strstr(now, text) != NULL;

		free(now);
		if (is_there)
			return;
		if (boot_ms() >= until_ms)
			abort();
		(void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	}
}

bool home_is_running(pid_t pid)
{
	char path[64];
	char *text;
	const char *end;
	bool runs;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	text = home_read(path);
	end = strrchr(text, ')');
	runs = end && end[1] && end[2] != 'Z' && end[2] != 'X';
	free(text);
	return runs;
}

bool home_stays_running(pid_t pid)
{
	int64_t until_ms = boot_ms() + 30000;

	while (home_is_running(pid) && boot_ms() < until_ms)
		(void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	return home_is_running(pid);
}

unsigned home_count(const struct home *home, const char *ending)
{
	DIR *list = opendir(home->state);
	unsigned count = 0;

	if (!list)
		return 0;
	for (const struct dirent *entry = readdir(list); entry; entry = readdir(list)) {
		size_t size = strlen(entry->d_name);

		count += size >= strlen(ending) && strcmp(entry->d_name + size - strlen(ending), ending) == 0;
	}
	(void)closedir(list);
	return count;
}
