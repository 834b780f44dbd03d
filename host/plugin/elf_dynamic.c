/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * elf_dynamic: what the loader would be told by a file: which libraries it
 * needs and from where, whether it can be unloaded, what it exports.
 *
 * A file without a table of sections is taken without this look; then the
 * loader finds out.  The libraries themselves are not judged: they come from
 * the system's folders, or from an absolute path that the plugin was linked
 * with.
 */
#include "plugin/plugin_priv.h"

#include <errno.h>
#include <string.h>

static bool
is_absolute(const char *path)
{
	/* The copy's own folder is one of the kernel's: nothing is there. */
	return path[0] == '/' || strncmp(path, "$ORIGIN", 7) == 0 ||
	       strncmp(path, "${ORIGIN}", 9) == 0;
}

/* The loader would take an empty or relative folder from where we stand. */
static int
check_runpath(const struct elf_file *file, const char *path)
{
	for (;; path++) {
		if (!is_absolute(path))
			return complain(file->report, -ENOEXEC,
			    "%s: looks for libraries in '%.*s', which is not "
			    "an absolute folder: link it without -rpath",
			    file->name, (int)strcspn(path, ":"), path);
		path += strcspn(path, ":");
		if (!*path)
			return 0;
	}
}

static int
check_needed(const struct elf_file *file, const char *library)
{
	if (library[0] == '/' || !strchr(library, '/'))
		return 0;
	return complain(file->report, -ENOEXEC,
	    "%s: needs the library '%s' by a relative path", file->name,
	    library);
}

static int
take_dynamic(struct elf_file *file, const GElf_Dyn *entry, size_t strings)
{
	const char *text;

	if (entry->d_tag == DT_FLAGS_1 && entry->d_un.d_val & DF_1_NODELETE)
		file->facts->sticky = "it is linked with -z nodelete";
	if (entry->d_tag != DT_NEEDED && entry->d_tag != DT_RPATH &&
	    entry->d_tag != DT_RUNPATH)
		return 0;
	text = elf_strptr(file->elf, strings, entry->d_un.d_val);
	if (!text)
		return 0;
	if (entry->d_tag == DT_NEEDED)
		return check_needed(file, text);
	return check_runpath(file, text);
}

static int
read_dynamic(struct elf_file *file, Elf_Data *data, size_t strings)
{
	GElf_Dyn entry;
	int i, r = 0;

	for (i = 0; r == 0 && gelf_getdyn(data, i, &entry); i++) {
		if (entry.d_tag == DT_NULL)
			break;
		r = take_dynamic(file, &entry, strings);
	}
	return r;
}

static void
take_symbol(struct facts *facts, const GElf_Sym *symbol, const char *name)
{
	unsigned i;

	if (symbol->st_shndx == SHN_UNDEF ||
	    GELF_ST_BIND(symbol->st_info) == STB_LOCAL)
		return;
	if (GELF_ST_BIND(symbol->st_info) == STB_GNU_UNIQUE && !facts->sticky)
		facts->sticky = "it has symbols of binding STB_GNU_UNIQUE: "
				"build it with -fno-gnu-unique";
	for (i = 0; i < facts->offer_count; i++)
		if (strncmp(facts->offers[i].descriptor.symbol, name,
			sizeof(facts->offers[i].descriptor.symbol)) == 0)
			facts->offers[i].exported = true;
}

static void
read_symbols(struct elf_file *file, Elf_Data *data, size_t strings)
{
	GElf_Sym symbol;
	const char *name;
	int i;

	file->facts->symbols_known = true;
	for (i = 0; gelf_getsym(data, i, &symbol); i++) {
		name = elf_strptr(file->elf, strings, symbol.st_name);
		if (name)
			take_symbol(file->facts, &symbol, name);
	}
}

int
elf_read_dynamic(struct elf_file *file)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	Elf_Data *data;
	int r = 0;

	while (r == 0 && (section = elf_nextscn(file->elf, section))) {
		if (!gelf_getshdr(section, &header) ||
		    (header.sh_type != SHT_DYNAMIC &&
			header.sh_type != SHT_DYNSYM))
			continue;
		data = elf_getdata(section, NULL);
		if (!data || !data->d_buf)
			continue;
		if (header.sh_type == SHT_DYNAMIC)
			r = read_dynamic(file, data, header.sh_link);
		else
			read_symbols(file, data, header.sh_link);
	}
	return r;
}
