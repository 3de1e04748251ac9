/* SPDX-License-Identifier: Apache-2.0
 *
 * pep-server import-fcu DIR: the configuration folder of the vendor's factory tool, as the injector section of ours.
 */
#include "core/base/buffer.h"
#include "core/base/cleanup.h"
#include "core/command/command.h"
#include "core/command/fcu_yml.h"
#include "core/config/file.h"
#include "core/config/place.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define OUTPUT_LIMIT 65536
#define KEY_LIMIT 65536

static const char import_help[] =
	"Usage: pep-server import-fcu [--bootstrap-ca FILE] DIR\n"
	"\n"
	"Reads DIR/fcu.yml (or DIR/config/fcu.yml), DIR/keystore and the update certificate of the vendor's factory tool, says\n"
	"what gateways would refuse and what is not taken over, and prints the injector section of pep.yaml.\n"
	"  --bootstrap-ca FILE   certificate by which gateways know the bootstrap server; wins over the one in fcu.yml\n"
	"Exit codes: 0 done, 1 other failure, 2 usage, 3 there are faults, and nothing is printed.\n";

struct import {
	struct arena arena;
	char *dir, *server_ca; /* whole paths; the second one of the command line, NULL: none */
	struct fcu_yml yml;
	struct buffer out;
};

static void tell(const char *line)
{
	(void)fprintf(stderr, "%s\n", line);
}

/* DIR/PART/NAME if it can be read, else NULL; the arena's. */
static const char *look_in(struct import *import, const char *part, const char *name)
{
	const char *path = arena_format(&import->arena, "%s%s/%s", import->dir, part, name);

	return path && access(path, R_OK) == 0 ? path : NULL;
}

static const char *find_yml(struct import *import)
{
	const char *path = look_in(import, "", "fcu.yml");

	return path ? path : look_in(import, "/config", "fcu.yml");
}

/* The tool's own name of a file in its keystore, or the one that the old server asks for. */
static const char *find_key_file(struct import *import, const char *ours, const char *theirs)
{
	const char *path = look_in(import, "/keystore", ours);

	if (!path)
		path = look_in(import, "/keystore", theirs);
	if (path)
		return path;
	(void)fprintf(stderr, "%s/keystore: neither %s nor %s can be read there\n", import->dir, ours, theirs);
	import->yml.fault_count++;
	return NULL;
}

/* A file that fcu.yml names, by its last part: the folders in front are of the tool's environment. */
static const char *find_named(struct import *import, const struct parse_node *node)
{
	const char *name = node && strrchr(node->text, '/') ? strrchr(node->text, '/') + 1 : node ? node->text : NULL;
	struct pep_error err = {0};
	const char *path;

	if (!name)
		return NULL;
	if (*node->text == '/' && access(node->text, R_OK) == 0)
		return node->text;
	path = look_in(import, "", name);
	if (!path)
		path = look_in(import, "/resources", name);
	if (path)
		return path;
	(void)place_fail(&err, PEP_NOT_FOUND, &node->place,
			 "\"%s\" names \"%.200s\", which is neither in the folder nor in its resources", node->key, name);
	tell(err.message);
	import->yml.fault_count++;
	return NULL;
}

static void put_text(struct import *import, const char *key, const char *text)
{
	if (!text)
		return;
	buffer_format(&import->out, "  %s: ", key);
	buffer_json_text(&import->out, text); /* a YAML string in double quotes */
	buffer_byte(&import->out, '\n');
}

static void put_flag(struct import *import, const char *key, int flag)
{
	if (flag >= 0)
		buffer_format(&import->out, "  %s: %s\n", key, flag ? "true" : "false");
}

static void put_number(struct import *import, const char *key, int64_t number)
{
	if (number >= 0)
		buffer_format(&import->out, "  %s: %lld\n", key, (long long)number);
}

/* Only a person knows the password, and the configuration must not hold it. */
static void put_password(struct import *import, const char *key_path)
{
	AUTO(free_ptr) char *text = NULL;
	struct pep_error err = {0};
	size_t size = 0;

	if (!key_path || file_read(key_path, KEY_LIMIT, &text, &size, &err) != PEP_OK)
		return;
	if (memmem(text, size, "ENCRYPTED", 9)) {
		put_text(import, "ca_key_password", "file:/etc/pep/ca.password");
		(void)fprintf(stderr, "%s: the key is encrypted: write its password to /etc/pep/ca.password, mode 600\n", key_path);
	}
	explicit_bzero(text, size);
}

static void put_server(struct import *import)
{
	const struct fcu_yml *yml = &import->yml;
	const char *server_ca = import->server_ca ? import->server_ca : find_named(import, yml->server_ca);

	if (!server_ca && !yml->server_ca) {
		tell("no certificate of the bootstrap server: name it with --bootstrap-ca FILE");
		import->yml.fault_count++;
	}
	put_flag(import, "use_bootstrap", yml->use_bootstrap);
	put_flag(import, "first_to_claim", yml->first_to_claim == 1); /* ours is on where nothing is said */
	put_text(import, "bootstrap_uri", yml->uri);
	put_text(import, "bootstrap_ca", server_ca);
}

static void put_section(struct import *import)
{
	const struct fcu_yml *yml = &import->yml;
	const char *key = find_key_file(import, "CA_private.pem", "fcu_private_key.pem");

	buffer_text(&import->out, "injector:\n  plugin: fcc\n");
	put_text(import, "key_mode", yml->key_mode);
	put_text(import, "ca_key", key);
	put_password(import, key);
	put_text(import, "ca_certificate", find_key_file(import, "CA_cert.pem", "fcu.crt"));
	put_number(import, "chain_depth", yml->chain_depth);
	put_number(import, "validity_days", yml->validity_days);
	put_text(import, "subject_country", yml->country);
	put_text(import, "subject_state", yml->state);
	put_text(import, "subject_locality", yml->locality);
	put_text(import, "subject_organization", yml->organization);
	put_text(import, "subject_unit", yml->unit);
	put_server(import);
	put_text(import, "manufacturer", yml->manufacturer);
	put_text(import, "model_number", yml->model_number);
	put_text(import, "device_type", yml->device_type);
	put_text(import, "hardware_version", yml->hardware_version);
	put_number(import, "memory_total_kb", yml->memory_total_kb);
	put_text(import, "timezone", yml->timezone);
	put_text(import, "utc_offset", yml->utc_offset);
	put_text(import, "vendor_id", yml->vendor_id);
	put_text(import, "class_id", yml->class_id);
	put_text(import, "update_certificate", find_named(import, yml->update_certificate));
	put_flag(import, "time_sync", yml->time_sync);
	put_flag(import, "verify_on_device", yml->verify_on_device);
	put_text(import, "entropy", yml->entropy);
}

static int run(struct import *import)
{
	struct pep_error err = {0};
	const char *path = find_yml(import);

	if (!path)
		return command_complain(COMMAND_FAILED, "%s: there is no fcu.yml in it, nor in its folder config", import->dir);
	if (fcu_yml_read(&import->arena, path, tell, &import->yml, &err) != PEP_OK)
		return command_complain(COMMAND_REFUSED, "%s", err.message);
	put_section(import);
	if (import->out.failed)
		return command_complain(COMMAND_FAILED, "out of memory");
	if (import->yml.fault_count)
		return command_complain(COMMAND_REFUSED, "%zu %s, see above; nothing is written", import->yml.fault_count,
					import->yml.fault_count == 1 ? "fault" : "faults");
	(void)fwrite(import->out.data, 1, import->out.size, stdout);
	return COMMAND_DONE;
}

static int import_folder(const char *dir, const char *server_ca)
{
	AUTO(free_ptr) char *whole_dir = realpath(dir, NULL);
	AUTO(free_ptr) char *whole_server_ca = server_ca ? realpath(server_ca, NULL) : NULL;
	struct import import = {.dir = whole_dir, .server_ca = whole_server_ca};
	int exit_code;

	if (!whole_dir || (server_ca && (!whole_server_ca || access(whole_server_ca, R_OK) != 0)))
		return command_complain(COMMAND_FAILED, "%s cannot be read: %s", whole_dir ? server_ca : dir, strerror(errno));
	buffer_init(&import.out, OUTPUT_LIMIT);
	exit_code = run(&import);
	buffer_fini(&import.out);
	arena_fini(&import.arena);
	return exit_code;
}

int command_import_fcu(int count, char **arguments)
{
	const char *dir = NULL, *server_ca = NULL;

	if (command_asks_help(count, arguments))
		return fputs(import_help, stdout) < 0 ? COMMAND_FAILED : COMMAND_DONE;
	for (int i = 0; i < count; i++) {
		if (strcmp(arguments[i], "--bootstrap-ca") == 0 && i + 1 < count)
			server_ca = arguments[++i];
		else if (arguments[i][0] != '-' && !dir)
			dir = arguments[i];
		else
			return command_complain(COMMAND_USAGE,
						"import-fcu does not understand \"%s\"; try pep-server import-fcu --help",
						arguments[i]);
	}
	if (!dir)
		return command_complain(COMMAND_USAGE, "import-fcu needs a folder; try pep-server import-fcu --help");
	return import_folder(dir, server_ca);
}
