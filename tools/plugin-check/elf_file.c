/* SPDX-License-Identifier: Apache-2.0 */
#include "elf_file.h"

#include "core/base/cleanup.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#if __ELF_NATIVE_CLASS == 64
#define OUR_CLASS ELFCLASS64
#define SYMBOL_BIND ELF64_ST_BIND
#define SYMBOL_TYPE ELF64_ST_TYPE
#define SYMBOL_VISIBILITY ELF64_ST_VISIBILITY
#else
#define OUR_CLASS ELFCLASS32
#define SYMBOL_BIND ELF32_ST_BIND
#define SYMBOL_TYPE ELF32_ST_TYPE
#define SYMBOL_VISIBILITY ELF32_ST_VISIBILITY
#endif

/* `size` bytes at an offset of the file; NULL: not inside, or not aligned for what they are. */
static const void *at_offset(const struct elf_file *file, uint64_t offset, uint64_t size, size_t alignment)
{
	if (offset > file->size || size > file->size - offset || offset % alignment)
		return NULL;
	return (const char *)file->map + offset;
}

static const ElfW(Phdr) * segments(const struct elf_file *file, size_t *ret_count)
{
	const ElfW(Ehdr) *header = file->map;

	*ret_count = 0;
	if (!header)
		return NULL;
	*ret_count = header->e_phnum;
	return at_offset(file, header->e_phoff, (uint64_t)header->e_phnum * sizeof(ElfW(Phdr)), _Alignof(ElfW(Phdr)));
}

/* `size` bytes at an address of the loaded file. */
static const void *at_address(const struct elf_file *file, uint64_t address, uint64_t size, size_t alignment)
{
	size_t count;
	const ElfW(Phdr) *segment = segments(file, &count);

	for (size_t i = 0; i < count; i++, segment++)
		if (segment->p_type == PT_LOAD && address >= segment->p_vaddr && address - segment->p_vaddr <= segment->p_filesz &&
		    size <= segment->p_filesz - (address - segment->p_vaddr))
			return at_offset(file, segment->p_offset + (address - segment->p_vaddr), size, alignment);
	return NULL;
}

static const char *name_at(const struct elf_file *file, uint64_t offset)
{
	if (offset >= file->names_size || !memchr(file->names + offset, '\0', file->names_size - offset))
		return NULL;
	return file->names + offset;
}

static pep_status damaged(const char *what, struct pep_error *err)
{
	return pep_fail(err, PEP_INVALID, 0, "the ELF file is damaged (%s); build it again", what);
}

static pep_status check_header(const struct elf_file *file, struct pep_error *err)
{
	static const int probe = 1;
	const unsigned char our_data = *(const unsigned char *)&probe ? ELFDATA2LSB : ELFDATA2MSB;
	const ElfW(Ehdr) *header = file->map;
	size_t count;

	if (file->size < sizeof(*header) || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
		return pep_fail(err, PEP_INVALID, 0, "it is not an ELF file; name a plugin that was built, such as build/acme.so");
	if (header->e_ident[EI_CLASS] != OUR_CLASS || header->e_ident[EI_DATA] != our_data)
		return pep_fail(err, PEP_INVALID, 0, "it is built for another word size or byte order; build it for this machine");
	if (header->e_type != ET_DYN)
		return pep_fail(err, PEP_INVALID, 0, "it is no shared object; link it with -shared");
	if (header->e_phentsize != sizeof(ElfW(Phdr)) || !segments(file, &count))
		return damaged("its segments lie outside", err);
	return PEP_OK;
}

static void read_segments(struct elf_file *file)
{
	size_t count;
	const ElfW(Phdr) *segment = segments(file, &count);

	for (size_t i = 0; i < count; i++, segment++) {
		if (segment->p_type == PT_GNU_RELRO)
			file->has_relro = true;
		if (segment->p_type == PT_GNU_STACK && segment->p_flags & PF_X)
			file->has_executable_stack = true;
		if (segment->p_type == PT_LOAD && segment->p_flags & PF_X && segment->p_flags & PF_W)
			file->has_writable_code = true;
	}
}

/* The table has no length of its own. Both hash tables know it: DT_HASH says it, DT_GNU_HASH by the end of its last chain. */
static size_t count_gnu_symbols(const struct elf_file *file, uint64_t address)
{
	const uint32_t *head = at_address(file, address, 4 * sizeof(uint32_t), sizeof(uint32_t));
	const uint32_t *buckets, *link;
	uint64_t chains;
	uint32_t last = 0;

	if (!head || head[0] > file->size || head[2] > file->size)
		return 0;
	chains = address + 16 + (uint64_t)head[2] * sizeof(ElfW(Addr)) + (uint64_t)head[0] * sizeof(uint32_t);
	buckets = at_address(file, chains - (uint64_t)head[0] * sizeof(uint32_t), (uint64_t)head[0] * sizeof(uint32_t),
			     sizeof(uint32_t));
	for (uint32_t i = 0; buckets && i < head[0]; i++)
		last = buckets[i] > last ? buckets[i] : last;
	if (last < head[1])
		return head[1];
	do
		link = at_address(file, chains + (uint64_t)(last++ - head[1]) * sizeof(uint32_t), sizeof(uint32_t),
				  sizeof(uint32_t));
	while (link && !(*link & 1));
	return link ? last : 0;
}

/* What the entries of the dynamic section point to. */
struct pointers {
	uint64_t names, names_size, symbols, hash, gnu_hash, run_path;
	uint64_t library_names[ELF_LIST_LIMIT];
	bool has_run_path;
};

static void read_entry(struct elf_file *file, const ElfW(Dyn) * entry, struct pointers *pointers)
{
	switch (entry->d_tag) {
	case DT_STRTAB:
		pointers->names = entry->d_un.d_ptr;
		break;
	case DT_STRSZ:
		pointers->names_size = entry->d_un.d_val;
		break;
	case DT_SYMTAB:
		pointers->symbols = entry->d_un.d_ptr;
		break;
	case DT_HASH:
		pointers->hash = entry->d_un.d_ptr;
		break;
	case DT_GNU_HASH:
		pointers->gnu_hash = entry->d_un.d_ptr;
		break;
	case DT_TEXTREL:
		file->has_text_relocations = true;
		break;
	case DT_BIND_NOW:
		file->binds_now = true;
		break;
	case DT_INIT_ARRAYSZ:
	case DT_PREINIT_ARRAYSZ:
		file->constructor_size += entry->d_un.d_val;
		break;
	case DT_FLAGS:
		file->has_text_relocations |= (entry->d_un.d_val & DF_TEXTREL) != 0;
		file->binds_now |= (entry->d_un.d_val & DF_BIND_NOW) != 0;
		break;
	case DT_FLAGS_1:
		file->binds_now |= (entry->d_un.d_val & DF_1_NOW) != 0;
		break;
	case DT_RPATH:
	case DT_RUNPATH:
		pointers->run_path = entry->d_un.d_val;
		pointers->has_run_path = true;
		break;
	case DT_NEEDED:
		if (file->library_count < ELF_LIST_LIMIT)
			pointers->library_names[file->library_count++] = entry->d_un.d_val;
		break;
	default:
		break;
	}
}

static pep_status read_dynamic(struct elf_file *file, struct pointers *pointers, struct pep_error *err)
{
	size_t count;
	const ElfW(Phdr) *segment = segments(file, &count);

	for (size_t i = 0; i < count; i++, segment++) {
		const ElfW(Dyn) *entry = at_offset(file, segment->p_offset, segment->p_filesz, _Alignof(ElfW(Dyn)));

		if (segment->p_type != PT_DYNAMIC)
			continue;
		if (!entry)
			return damaged("its dynamic section lies outside", err);
		for (size_t left = segment->p_filesz / sizeof(*entry); left && entry->d_tag != DT_NULL; left--, entry++)
			read_entry(file, entry, pointers);
		return PEP_OK;
	}
	return pep_fail(err, PEP_INVALID, 0, "it has no dynamic section; link it with -shared");
}

static pep_status read_tables(struct elf_file *file, const struct pointers *pointers, struct pep_error *err)
{
	const uint32_t *hash = pointers->hash ? at_address(file, pointers->hash, 2 * sizeof(uint32_t), sizeof(uint32_t)) : NULL;

	file->names = at_address(file, pointers->names, pointers->names_size, 1);
	if (!file->names)
		return damaged("its names lie outside", err);
	file->names_size = pointers->names_size;
	file->symbol_count = hash ? hash[1] : count_gnu_symbols(file, pointers->gnu_hash);
	file->symbols = at_address(file, pointers->symbols, (uint64_t)file->symbol_count * sizeof(ElfW(Sym)), _Alignof(ElfW(Sym)));
	if (!file->symbols)
		return damaged("its symbols lie outside", err);
	file->run_path = pointers->has_run_path ? name_at(file, pointers->run_path) : NULL;
	for (size_t i = 0; i < file->library_count; i++) {
		file->libraries[i] = name_at(file, pointers->library_names[i]);
		if (!file->libraries[i])
			return damaged("the name of a library lies outside", err);
	}
	return PEP_OK;
}

static pep_status map(const char *path, struct elf_file *ret_file, struct pep_error *err)
{
	AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat info;
	void *bytes;

	if (fd < 0 || fstat(fd, &info))
		return pep_fail(err, PEP_NOT_FOUND, errno, "it cannot be opened: %s", strerror(errno));
	if (!S_ISREG(info.st_mode) || info.st_size == 0)
		return pep_fail(err, PEP_INVALID, 0, "it is empty, or no regular file");
	bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return pep_fail(err, PEP_INVALID, errno, "it cannot be read: %s", strerror(errno));
	*ret_file = (struct elf_file){.map = bytes, .size = (size_t)info.st_size};
	return PEP_OK;
}

pep_status elf_open(const char *path, struct elf_file *ret_file, struct pep_error *err)
{
	struct elf_file file = {0};
	struct pointers pointers = {0};
	pep_status status = map(path, &file, err);

	if (status != PEP_OK)
		return status;
	status = check_header(&file, err);
	if (status == PEP_OK) {
		read_segments(&file);
		status = read_dynamic(&file, &pointers, err);
	}
	if (status == PEP_OK)
		status = read_tables(&file, &pointers, err);
	if (status != PEP_OK) {
		elf_close(&file);
		return status;
	}
	*ret_file = file;
	return PEP_OK;
}

void elf_close(struct elf_file *file)
{
	if (file->map)
		(void)munmap(file->map, file->size);
	*file = (struct elf_file){0};
}

bool elf_symbol(const struct elf_file *file, size_t i, struct elf_symbol *ret_symbol)
{
	const ElfW(Sym) *symbol = (const ElfW(Sym) *)file->symbols + i;
	const char *name;
	unsigned bind;

	if (i >= file->symbol_count)
		return false;
	bind = SYMBOL_BIND(symbol->st_info);
	name = name_at(file, symbol->st_name);
	if (!name || !*name || bind == STB_LOCAL)
		return false;
	if (SYMBOL_VISIBILITY(symbol->st_other) != STV_DEFAULT && SYMBOL_VISIBILITY(symbol->st_other) != STV_PROTECTED)
		return false;
	*ret_symbol = (struct elf_symbol){.name = name,
					  .is_defined = symbol->st_shndx != SHN_UNDEF,
					  .is_weak = bind == STB_WEAK || bind == STB_GNU_UNIQUE,
					  .is_code = SYMBOL_TYPE(symbol->st_info) == STT_FUNC};
	return true;
}
