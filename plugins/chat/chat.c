/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chat: clients log in by a name and then read what each of them says.
 *
 *	[-m MEMBERS] [-n]
 *
 * A client is in one of two rooms: before the door, where `login NAME` is all
 * that he can do, and inside, with `say TEXT`, `look` and `logout`.  What each
 * command is answered is in berth-chat(8), to the byte.
 *
 * Invariants: who is inside is in `members`, has a name, and nobody else has
 * that name; who goes, in whatever way, is gone from there before the next
 * hook.  A member's queue is the host's, bounded by output_limit; who does not
 * read until it is full loses his connection, so that he holds up nobody.
 */
#include <berth/berth.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/queue.h>

#define NAME_BYTES 33u /* with the NUL */
#define LINE_BYTES 1024u
#define MEMBERS 1000u
#define MEMBERS_MOST 100000u

struct member {
	TAILQ_ENTRY(member) link;
	struct berth_session *session;
	bool inside;
	char name[NAME_BYTES];
};

struct chat {
	TAILQ_HEAD(, member) members; /* who is inside, in order of coming */
	unsigned count;
	unsigned most;
	const char *newline; /* behind answers that have none of their own */
};

static struct chat *
chat_of(const struct member *member)
{
	return member->session->service->state;
}

/* --- what is said ----------------------------------------------------------*/

/* All of it or nothing; who has no room for it has not read for long. */
static void
tell(struct member *member, const char *text, size_t size)
{
	struct berth_session *session = member->session;

	if (berth_writable(session) < size ||
	    berth_write(session, berth_bytes(text, size)) < 0)
		berth_abort(session);
}

static void
answer(struct member *member, const char *text)
{
	tell(member, text, strlen(text));
	tell(
	    member, chat_of(member)->newline, strlen(chat_of(member)->newline));
}

/* "WHO", what he does, and the rest of the line, to all who are inside. */
static void
tell_all(struct chat *chat, const char *who, const char *what,
    struct berth_bytes rest)
{
	char line[NAME_BYTES + LINE_BYTES + 32];
	size_t name = strlen(who), verb = strlen(what);
	size_t size = name + verb + rest.size;
	struct member *member;

	memcpy(line, who, name);
	memcpy(line + name, what, verb);
	memcpy(line + name + verb, rest.data, rest.size);
	line[size++] = '\n';
	TAILQ_FOREACH (member, &chat->members, link)
		tell(member, line, size);
}

/* --- rooms -----------------------------------------------------------------*/

static struct member *
find(struct chat *chat, struct berth_bytes name)
{
	struct member *member;

	TAILQ_FOREACH (member, &chat->members, link)
		if (strlen(member->name) == name.size &&
		    memcmp(member->name, name.data, name.size) == 0)
			break;
	return member;
}

static void
leave(struct member *member)
{
	struct chat *chat = chat_of(member);

	if (!member->inside)
		return;
	member->inside = false;
	TAILQ_REMOVE(&chat->members, member, link);
	chat->count--;
	tell_all(chat, member->name, " has left the room.", berth_str(""));
}

static void
enter(struct member *member, struct berth_bytes name)
{
	struct chat *chat = chat_of(member);

	memcpy(member->name, name.data, name.size);
	member->name[name.size] = '\0';
	answer(member, "login success");
	tell_all(chat, member->name, " has entered the room. ", berth_str(""));
	TAILQ_INSERT_TAIL(&chat->members, member, link);
	chat->count++;
	member->inside = true;
}

/* --- commands --------------------------------------------------------------*/

static void
do_login(struct member *member, struct berth_bytes rest)
{
	struct chat *chat = chat_of(member);

	if (rest.size == 0)
		answer(member, "Username empty");
	else if (rest.size >= NAME_BYTES)
		answer(member, "Username too long");
	else if (find(chat, rest) != NULL)
		answer(member, "Username exists");
	else if (chat->count >= chat->most)
		answer(member, "Room full");
	else
		enter(member, rest);
}

static void
do_say(struct member *member, struct berth_bytes rest)
{
	tell_all(chat_of(member), member->name, ":", rest);
}

static void
do_look(struct member *member, struct berth_bytes rest)
{
	const struct member *other;

	(void)rest;
	tell(member, "Online Users:\n", 14);
	TAILQ_FOREACH (other, &chat_of(member)->members, link) {
		char line[NAME_BYTES + 1];
		size_t size = strlen(other->name);

		memcpy(line, other->name, size);
		line[size] = '\n';
		tell(member, line, size + 1);
	}
}

static void
do_logout(struct member *member, struct berth_bytes rest)
{
	(void)rest;
	leave(member);
}

static const struct command {
	const char *word;
	bool inside; /* where it is known */
	void (*run)(struct member *member, struct berth_bytes rest);
} commands[] = {
    {"login", false, do_login},
    {"say", true, do_say},
    {"look", true, do_look},
    {"logout", true, do_logout},
};

static bool
is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

/* Without blanks around it. */
static struct berth_bytes
strip(const char *text, size_t size)
{
	while (size > 0 && is_blank(text[size - 1]))
		size--;
	while (size > 0 && is_blank(*text)) {
		text++;
		size--;
	}
	return berth_bytes(text, size);
}

static void
run(struct member *member, const char *line, size_t size)
{
	const char *blank = memchr(line, ' ', size);
	size_t word = blank != NULL ? (size_t)(blank - line) : size;
	struct berth_bytes rest = strip(line + word, size - word);

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (commands[i].inside == member->inside &&
		    strlen(commands[i].word) == word &&
		    memcmp(commands[i].word, line, word) == 0) {
			commands[i].run(member, rest);
			return;
		}
	answer(member, "Unknown command");
}

/* Others' terminals shall show it, not obey it. */
static size_t
make_harmless(struct berth_bytes from, char *line)
{
	const char *text = from.data;
	size_t size = 0;

	for (size_t i = 0; i < from.size; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (byte == '\t' || (byte >= 0x20 && byte != 0x7f))
			line[size++] = text[i];
	}
	return size;
}

/* --- hooks -----------------------------------------------------------------*/

static int
chat_open(struct berth_session *session)
{
	struct member *member = session->state;

	member->session = session;
	answer(member, "Connect Success");
	return 0;
}

static int
chat_input(struct berth_session *session, struct berth_bytes in)
{
	static const struct berth_frame_codec lines = {
	    .kind = BERTH_FRAME_LINE, .size = LINE_BYTES};
	struct member *member = session->state;
	struct berth_bytes frame;
	size_t done = 0;
	int used;

	while ((used = berth_frame_next(
		    &lines, berth_bytes_from(in, done), &frame)) > 0) {
		char line[LINE_BYTES];
		size_t size = make_harmless(frame, line);

		if (strip(line, size).size > 0)
			run(member, line, size);
		done += (size_t)used;
	}
	if (used == 0)
		return (int)done;
	answer(member, "Line too long");
	leave(member);
	berth_close(session);
	return (int)in.size;
}

/* What others say from now on is not for him. */
static int
chat_eof(struct berth_session *session, struct berth_bytes rest)
{
	(void)rest;
	leave(session->state);
	berth_close(session);
	return 0;
}

static void
chat_closed(struct berth_session *session, int reason)
{
	(void)reason;
	leave(session->state);
}

static int
chat_init(struct berth_service *service, int argc, char **argv)
{
	struct chat *chat = service->state;

	TAILQ_INIT(&chat->members);
	chat->most = MEMBERS;
	chat->newline = "";
	for (int at = 1; at < argc; at++) {
		char *end;
		long most;

		if (strcmp(argv[at], "-n") == 0) {
			chat->newline = "\n";
			continue;
		}
		if (strcmp(argv[at], "-m") != 0 || at + 1 == argc)
			return berth_fail(service, EINVAL,
			    "'%s': -m MEMBERS and -n are all that there is",
			    argv[at]);
		most = strtol(argv[++at], &end, 10);
		if (*end != '\0' || most < 1 || most > MEMBERS_MOST)
			return berth_fail(service, EINVAL,
			    "-m: a number from 1 to %u, not '%s'", MEMBERS_MOST,
			    argv[at]);
		chat->most = (unsigned)most;
	}
	return 0;
}

static void
chat_info(struct berth_service *service, struct berth_text *text)
{
	const struct chat *chat = service->state;

	berth_text_printf(text, "%u of %u members", chat->count, chat->most);
}

BERTH_SERVICE(make_chat, .summary = "a room to talk in",
    .state_size = sizeof(struct chat), .init = chat_init, .info = chat_info,
    .session = {.state_size = sizeof(struct member),
	.open = chat_open,
	.input = chat_input,
	.eof = chat_eof,
	.closed = chat_closed});
