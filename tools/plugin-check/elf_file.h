/* SPDX-License-Identifier: Apache-2.0
 *
 * elf_file.h - what an ELF file says of itself, read without loading it: no code of it has run yet.
 *
 * Sources: the System V ABI, chapters 4 and 5 (gABI), and elf(5).
 */
#ifndef PLUGIN_CHECK_ELF_FILE_H
#define PLUGIN_CHECK_ELF_FILE_H

#include <pep/plugin.h>

#define ELF_LIST_LIMIT 64u

struct elf_file {
	void *map;
	size_t size;
	bool has_relro, binds_now, has_text_relocations, has_executable_stack, has_writable_code, has_old_constructors;
	const char *run_path;    /* RUNPATH or RPATH; NULL: none */
	size_t constructor_size; /* bytes of all lists of constructors */
	const char *libraries[ELF_LIST_LIMIT];
	size_t library_count;
	const void *symbols; /* of the dynamic linker; elf_each_symbol() reads them */
	size_t symbol_count;
	const char *names;
	size_t names_size;
};

/* Map and read `path`. PEP_INVALID: not a shared object of this machine, or damaged; *err says what. Every offset in it is checked. The
 * caller calls elf_close(). [any thread] */
pep_status elf_open(const char *path, struct elf_file *ret_file, struct pep_error *err);
void elf_close(struct elf_file *file);

struct elf_symbol {
	const char *name;
	bool is_defined, is_weak, is_code;
};
/* The i-th one that other files can see; false: it is none of these. */
bool elf_symbol(const struct elf_file *file, size_t i, struct elf_symbol *ret_symbol);

#endif
