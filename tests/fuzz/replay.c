/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay: libFuzzer's place where it is not: runs the fuzzer once for every
 * file that is named, so that what was found once is tried at every check.
 */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>

#define INPUT_MAX (1u << 20)

static int
replay(const char *name)
{
	FILE *file = fopen(name, "re");
	uint8_t *data = malloc(INPUT_MAX);
	size_t size;

	if (file == NULL || data == NULL) {
		perror(name);
		return 1;
	}
	size = fread(data, 1, INPUT_MAX, file);
	fclose(file);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 0;
}

int
main(int argc, char **argv)
{
	int result = 0;

	for (int i = 1; i < argc; i++)
		result |= replay(argv[i]);
	printf("%d inputs\n", argc - 1);
	return argc > 1 ? result : 1;
}
