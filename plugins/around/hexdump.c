/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hexdump: a module that writes what passes as hexadecimal lines into the log,
 * or a file; see berth-around(8).
 *
 *	hexdump:make_hexdump()	[-f FILE] [-m SIZE]
 *
 * A line has the connection's number, its direction, the offset in that
 * direction, and sixteen bytes:
 *
 *	7 > 00000010  68 65 6c 6c 6f 0a                                 hello.
 *
 * After -m bytes of a direction no more of it is written.  What can't be
 * written is lost, and the connection does not notice.
 */
#include <berth/berth.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "words.h"

#define WIDTH 16u
#define LINE_MAX_BYTES 160

struct hexdump {
	const char *path; /* NULL: the log */
	size_t most;	  /* bytes of a direction; 0: all */
	int fd;
};

struct dump {
	uint64_t up;
	uint64_t down;
};

static int
hexdump_init(struct berth_service *module, int argc, char **argv)
{
	static const struct word table[] = {
	    {'f', WORD_TEXT, offsetof(struct hexdump, path), 0, 0},
	    {'m', WORD_SIZE, offsetof(struct hexdump, most), 1, 0},
	    {'\0', WORD_END, 0, 0, 0}};
	struct hexdump *hexdump = module->state;
	int result = words_read(module, table, hexdump, argc, argv);

	hexdump->fd = -1;
	if (result != 0 || hexdump->path == NULL)
		return result;
	hexdump->fd = open(hexdump->path,
	    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
	    0640);
	if (hexdump->fd < 0)
		return berth_fail(
		    module, errno, "%s: %s", hexdump->path, strerror(errno));
	return 0;
}

static void
hexdump_fini(struct berth_service *module)
{
	const struct hexdump *hexdump = module->state;

	if (hexdump->fd >= 0)
		close(hexdump->fd);
}

/* Without a newline; its length. */
static int
make_line(const unsigned char *data, size_t size, char *line, int at)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < WIDTH; i++) {
		line[at++] = ' ';
		line[at++] = i < size ? digits[data[i] >> 4] : ' ';
		line[at++] = i < size ? digits[data[i] & 15] : ' ';
	}
	line[at++] = ' ';
	line[at++] = ' ';
	for (i = 0; i < size; i++)
		line[at++] = data[i] > 0x1f && data[i] < 0x7f ? (char)data[i]
							      : '.';
	line[at] = '\0';
	return at;
}

static void
put(const struct hexdump *hexdump, struct berth_service *module,
    const char *line, int size)
{
	ssize_t done;

	if (hexdump->fd < 0) {
		berth_log(module, BERTH_INFO, "%s", line);
		return;
	}
	/* One call a line, so that those of several threads don't mix. */
	do {
		done = write(hexdump->fd, line, (size_t)size);
	} while (done < 0 && errno == EINTR);
}

static void
dump(struct berth_filter *f, char direction, struct berth_bytes bytes,
    uint64_t *offset)
{
	const struct hexdump *hexdump = f->module->state;
	const unsigned char *data = bytes.data;
	char line[LINE_MAX_BYTES];
	size_t piece;
	int size;

	for (; bytes.size > 0; bytes.size -= piece, data += piece) {
		if (hexdump->most != 0 && *offset >= hexdump->most)
			return;
		piece = bytes.size < WIDTH ? bytes.size : WIDTH;
		size = snprintf(line, sizeof(line), "%llu %c %08llx ",
		    (unsigned long long)berth_session_id(f->session), direction,
		    (unsigned long long)*offset);
		size = make_line(data, piece, line, size);
		if (hexdump->fd >= 0)
			line[size++] = '\n';
		put(hexdump, f->module, line, size);
		*offset += piece;
	}
}

static int
up(struct berth_filter *f, struct berth_bytes in)
{
	struct dump *state = f->state;
	int result;

	dump(f, '>', in, &state->up);
	result = berth_pass_up(f, in);
	return result < 0 ? result : (int)in.size;
}

static int
down(struct berth_filter *f, struct berth_bytes out)
{
	struct dump *state = f->state;
	int result;

	dump(f, '<', out, &state->down);
	result = berth_pass_down(f, out);
	return result < 0 ? result : (int)out.size;
}

static const struct berth_filter_type filter = {
    .state_size = sizeof(struct dump),
    .up = up,
    .down = down,
};

BERTH_FILTER(make_hexdump, .summary = "writes what passes in hexadecimal",
    .state_size = sizeof(struct hexdump), .init = hexdump_init,
    .fini = hexdump_fini, .filter = &filter);
