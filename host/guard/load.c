/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load: how busy the machine is, looked at once a second at most and only
 * where somebody asks.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "guard/guard_priv.h"

#define AGE_NS MONO_MS(1000)

static unsigned
look(const char *path)
{
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	unsigned whole, hundredths;
	char line[64];
	ssize_t got;

	if (fd < 0)
		return 0;
	got = read(fd, line, sizeof(line) - 1);
	if (got <= 0)
		return 0;
	line[got] = '\0';
	if (sscanf(line, "%6u.%2u", &whole, &hundredths) != 2)
		return 0;
	return whole * 100 + hundredths;
}

unsigned
load_percent(struct load *load, uint64_t now_ns)
{
	if (load->read_ns != 0 && now_ns >= load->read_ns &&
	    now_ns - load->read_ns < AGE_NS)
		return load->percent;
	load->percent = look(load->path);
	load->read_ns = now_ns;
	return load->percent;
}
