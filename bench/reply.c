/* SPDX-License-Identifier: BSD-2-Clause */
/* reply: the program that bench/spawn starts for each connection. */
#include <unistd.h>

int
main(void)
{
	static const char line[] = "Sat Nov 21 22:13:14 2026\r\n";

	return write(1, line, sizeof(line) - 1) != sizeof(line) - 1;
}
