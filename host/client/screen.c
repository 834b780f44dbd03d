/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * screen: how wide it is, whether it has colours, and how many columns a text
 * takes on it.
 *
 * COLUMNS goes before the terminal's own word, as POSIX has it.  What is no
 * terminal has no width, so that nothing is cut for a program that reads it.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "client/client.h"

#define COLUMNS_USUAL 80
#define COLUMNS_MOST 10000

static unsigned
columns_of_environment(void)
{
	const char *value = getenv("COLUMNS");
	unsigned long columns;
	char *end;

	if (value == NULL || *value < '0' || *value > '9')
		return 0;
	columns = strtoul(value, &end, 10);
	return *end == '\0' && columns <= COLUMNS_MOST ? (unsigned)columns : 0;
}

static unsigned
columns_of_terminal(int fd)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return COLUMNS_USUAL;
	return size.ws_col;
}

void
screen_init(struct screen *screen, int fd)
{
	bool terminal = isatty(fd) == 1;
	const char *no_color = getenv("NO_COLOR"), *kind = getenv("TERM");

	screen->columns = columns_of_environment();
	if (screen->columns == 0 && terminal)
		screen->columns = columns_of_terminal(fd);
	screen->colour = terminal &&
			 (no_color == NULL || no_color[0] == '\0') &&
			 kind != NULL && strcmp(kind, "dumb") != 0;
}

void
screen_paint(const struct screen *screen, enum paint paint, const char *data,
    size_t size, struct text *text)
{
	static const unsigned codes[] = {
	    [PAINT_BOLD] = 1,
	    [PAINT_GREEN] = 32,
	    [PAINT_YELLOW] = 33,
	    [PAINT_RED] = 31,
	};
	bool plain = !screen->colour || paint == PAINT_NONE || size == 0;

	if (!plain)
		text_printf(text, "\033[%um", codes[paint]);
	text_add(text, data, size);
	if (!plain)
		text_printf(text, "\033[0m");
}

/* Bytes of the next character; what is none is a byte of one column. */
static size_t
next(const char *data, size_t size, unsigned *ret_width)
{
	mbstate_t state = {0};
	wchar_t wide;
	size_t taken = mbrtowc(&wide, data, size, &state);
	int width;

	*ret_width = 1;
	if (taken == 0 || taken > size)
		return 1;
	width = wcwidth(wide);
	if (width >= 0)
		*ret_width = (unsigned)width;
	return taken;
}

unsigned
screen_width(const char *data, size_t size)
{
	unsigned width;

	screen_fit(data, size, (unsigned)-1, &width);
	return width;
}

size_t
screen_fit(const char *data, size_t size, unsigned columns, unsigned *ret_width)
{
	unsigned width = 0, one;
	size_t at = 0, taken;

	while (at < size) {
		taken = next(data + at, size - at, &one);
		if (one > columns - width)
			break;
		width += one;
		at += taken;
	}
	*ret_width = width;
	return at;
}
