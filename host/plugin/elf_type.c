/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * elf_type: what a type object says of itself while it still lies in the file.
 *
 * A factory is code, which is not run to judge a plugin.  But the object that
 * it gives is data, as BERTH_SERVICE() makes it: it begins with the numbers
 * that its note has, and points to the name of its symbol.  Where that is found
 * in the data of the file its flags are known before any code runs; an object
 * that is made in another way has to be asked once it is there.
 *
 * The file may be anything, as in elf.c; what can't be followed is not found,
 * and never an error.
 */
#include "plugin/plugin_priv.h"

#include <string.h>

/* The bytes of a section that are in the file; NULL: none. */
static const char *
bytes_of(Elf *elf, const GElf_Shdr *header)
{
	size_t size;
	const char *image = elf_rawfile(elf, &size);

	if (image == NULL || header->sh_type != SHT_PROGBITS ||
	    (header->sh_flags & SHF_ALLOC) == 0 || header->sh_offset > size ||
	    header->sh_size > size - header->sh_offset)
		return NULL;
	return image + header->sh_offset;
}

/* Is this text at the address? */
static bool
has_text(Elf *elf, uint64_t address, const char *text)
{
	size_t size = strlen(text) + 1;
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while ((section = elf_nextscn(elf, section)) != NULL) {
		const char *bytes;

		if (gelf_getshdr(section, &header) == NULL ||
		    address < header.sh_addr ||
		    address - header.sh_addr >= header.sh_size ||
		    (bytes = bytes_of(elf, &header)) == NULL)
			continue;
		address -= header.sh_addr;
		return header.sh_size - address >= size &&
		       memcmp(bytes + address, text, size) == 0;
	}
	return false;
}

static bool
find_addend(Elf_Data *data, uint64_t place, uint64_t *ret_value)
{
	GElf_Rela entry;

	for (int i = 0; gelf_getrela(data, i, &entry) != NULL; i++) {
		if (entry.r_offset != place)
			continue;
		*ret_value = (uint64_t)entry.r_addend;
		return true;
	}
	return false;
}

/* What the loader will make of the pointer there, before it adds the address
 * of the file: where there are addends they count, else what is there. */
static uint64_t
pointer_at(Elf *elf, uint64_t place, const char *bytes)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	uintptr_t in_place;
	uint64_t value;

	while ((section = elf_nextscn(elf, section)) != NULL) {
		Elf_Data *data;

		if (gelf_getshdr(section, &header) == NULL ||
		    header.sh_type != SHT_RELA)
			continue;
		data = elf_getdata(section, NULL);
		if (data != NULL && find_addend(data, place, &value))
			return value;
	}
	memcpy(&in_place, bytes, sizeof(in_place));
	return in_place;
}

/* bytes: as many as a type of services has, at that address.  Is it one? */
static bool
take_type(struct elf_file *file, const char *bytes, uint64_t address)
{
	uint64_t symbol = address + offsetof(struct berth_type_header, symbol);
	struct facts *facts = file->facts;
	struct berth_service_type type;

	memcpy(&type, bytes, sizeof(type));
	if (type.header.magic != BERTH_MAGIC ||
	    type.header.kind != BERTH_KIND_SERVICE ||
	    type.header.size != sizeof(type))
		return false;
	symbol = pointer_at(file->elf, symbol,
	    bytes + offsetof(struct berth_type_header, symbol));
	for (unsigned i = 0; i < facts->offer_count; i++) {
		struct offer *offer = &facts->offers[i];

		if (memchr(offer->descriptor.symbol, '\0',
			sizeof(offer->descriptor.symbol)) == NULL ||
		    !has_text(file->elf, symbol, offer->descriptor.symbol))
			continue;
		offer->flags_known = true;
		offer->flags = type.flags;
	}
	return true;
}

/* All of a section; budget: so many more are looked at. */
static void
read_section(struct elf_file *file, const GElf_Shdr *header, const char *bytes,
    unsigned *budget)
{
	const uint64_t size = sizeof(struct berth_service_type);
	const uint64_t step = _Alignof(struct berth_service_type);
	uint64_t at = 0;

	for (; *budget > 0 && at <= header->sh_size &&
	       header->sh_size - at >= size;
	     at += step)
		if (take_type(file, bytes + at, header->sh_addr + at))
			(*budget)--;
}

void
elf_read_types(struct elf_file *file)
{
	unsigned budget = FACTS_OFFERS_MAX;
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while ((section = elf_nextscn(file->elf, section)) != NULL) {
		const char *bytes;

		/* Its pointers are the loader's to complete. */
		if (gelf_getshdr(section, &header) == NULL ||
		    (header.sh_flags & SHF_WRITE) == 0)
			continue;
		bytes = bytes_of(file->elf, &header);
		if (bytes != NULL)
			read_section(file, &header, bytes, &budget);
	}
}
