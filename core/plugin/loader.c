/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/loader.h"

#include "core/base/cleanup.h"
#include "core/base/text.h"
#include "core/plugin/find.h"
#include "core/plugin/trial.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct loaded {
	struct loaded *next;
	dev_t device;
	ino_t inode;
	struct library library;
};

/* State at file scope, because the dynamic linker has one list of libraries per process, and this is our half of it. */
static pthread_mutex_t loaded_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct loaded *loaded_first;

static const struct loaded *find_loaded(const struct stat *info)
{
	for (const struct loaded *loaded = loaded_first; loaded; loaded = loaded->next)
		if (loaded->device == info->st_dev && loaded->inode == info->st_ino)
			return loaded;
	return NULL;
}

/* dlerror() begins with our /proc path, which helps nobody. */
static const char *link_error(const char *path)
{
	const char *why = dlerror();
	size_t size = strlen(path);

	if (!why)
		return "no reason given";
	return strncmp(why, path, size) == 0 && strncmp(why + size, ": ", 2) == 0 ? why + size + 2 : why;
}

/* Map the very file that was checked, whatever its name leads to by now. The linker remembers a library by the path that it was
 * opened with. So the descriptor is never closed after that: its number, and with it the path, must not come to mean another file. */
static pep_status map(int *fd, const char *name, void **ret_handle, struct pep_error *err)
{
	char path[32];
	void *handle;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", *fd);
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!handle)
		return pep_fail(err, PEP_INVALID, 0, "plugin \"%s\" cannot be loaded: %s", name, link_error(path));
	*fd = -1;
	*ret_handle = handle;
	return PEP_OK;
}

static pep_status probe(void *handle, const char *name, struct library *ret_library, struct pep_error *err)
{
	const struct pep_plugin *(*function)(uint16_t) = NULL;
	void *symbol = dlsym(handle, "pep_plugin_probe");
	struct pep_error why = {0};
	pep_status status;

	if (!symbol)
		return pep_fail(err, PEP_INVALID, 0,
				"plugin \"%s\" exports no pep_plugin_probe(): it is not a plugin of this server", name);
	memcpy(&function, &symbol, sizeof(function)); /* ISO C has no cast from an object's to a function's pointer */
	status = library_read(function(PEP_ABI_MAJOR), name, ret_library, &why);
	return status == PEP_OK ? PEP_OK : pep_fail(err, status, why.native, "plugin \"%s\" %s", name, why.message);
}

struct candidate {
	int fd;
	const char *name;
};

/* Constructors run before anything of a plugin can be looked at, and what it gives may point anywhere. */
static void load_on_trial(void *ctx)
{
	struct candidate *candidate = ctx;
	struct library library;
	struct pep_error why;
	void *handle = NULL;

	if (map(&candidate->fd, candidate->name, &handle, &why) == PEP_OK)
		(void)probe(handle, candidate->name, &library, &why);
}

static pep_status load_new(int *fd, const struct stat *info, const char *name, const struct loaded **ret_loaded,
			   struct pep_error *err)
{
	AUTO(free_ptr) struct loaded *loaded = calloc(1, sizeof(*loaded));
	struct candidate candidate = {*fd, name};
	void *handle = NULL;
	pep_status status;

	if (!loaded)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory while loading plugin \"%s\"", name);
	loaded->device = info->st_dev;
	loaded->inode = info->st_ino;
	status = trial_run(name, load_on_trial, &candidate, err);
	if (status == PEP_OK)
		status = map(fd, name, &handle, err);
	if (status == PEP_OK)
		status = probe(handle, name, &loaded->library, err);
	if (status != PEP_OK)
		return status;
	loaded->next = loaded_first;
	loaded_first = loaded;
	*ret_loaded = TAKE(loaded);
	return PEP_OK;
}

pep_status loader_load(const char *folder, const char *name, int32_t kind, const struct library **ret_library,
		       struct pep_error *err)
{
	AUTO(close_fd) int fd = -1;
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&loaded_mutex);
	const struct loaded *loaded;
	struct stat info;
	pep_status status = find_open(folder, name, &fd, err);

	(void)lock;
	if (status != PEP_OK)
		return status;
	if (fstat(fd, &info))
		return pep_fail(err, PEP_INTERNAL, 0, "plugin \"%s\": its open file cannot be looked at", name);
	loaded = find_loaded(&info);
	if (!loaded) {
		status = load_new(&fd, &info, name, &loaded, err);
		if (status != PEP_OK || !loaded)
			return status;
	}
	/* A second name (hard link) of a file that is loaded already was not looked at by library_read(). */
	if (!text_equal(loaded->library.plugin.name, name))
		return pep_fail(err, PEP_INVALID, 0, "plugin \"%s\" calls itself \"%s\"; the file must have the plugin's own name",
				name, loaded->library.plugin.name);
	if (kind && loaded->library.plugin.kind != kind)
		return pep_fail(err, PEP_INVALID, 0, "plugin \"%s\" is of kind %s, but named as %s; name it in its own section",
				name, library_kind_name(loaded->library.plugin.kind), library_kind_name(kind));
	*ret_library = &loaded->library;
	return PEP_OK;
}
