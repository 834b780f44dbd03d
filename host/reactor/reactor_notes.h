/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside the reactor: notifications, posts and additions on their way in.  All
 * under the reactor's lock but what is atomic.
 */
#ifndef REACTOR_REACTOR_NOTES_H
#define REACTOR_REACTOR_NOTES_H

#include "reactor/reactor.h"

enum note_kind { NOTE_POST, NOTE_NOTIFY, NOTE_ADD };

struct reactor_note {
	TAILQ_ENTRY(reactor_note) queue;
	LIST_ENTRY(reactor_note) held;
	struct reactor_owner *owner;
	union {
		struct {
			berth_post_fn *fn;
			void *arg;
		};
		struct {
			struct berth_handler *handler;
			int fd;
			unsigned mask;
		};
	};
	enum note_kind kind;
	bool queued; /* or being delivered */
};

TAILQ_HEAD(note_queue, reactor_note);
TAILQ_HEAD(letter_queue, reactor_letter);

struct notes {
	struct note_queue queue;
	struct reactor_notes free;
	unsigned free_count;
	unsigned limit; /* a turn; 0: none */
	struct letter_queue letters;
	atomic_uint queued;    /* how many, letters too */
	atomic_uint additions; /* of them, NOTE_ADD */
	int fd;		       /* eventfd, edge-triggered, never read */
};

int notes_init(struct reactor *r, unsigned limit);
void notes_fini(struct reactor *r);
void notes_deliver(struct reactor *r);
int notes_add(struct reactor_owner *owner, struct berth_handler *handler,
    int fd, unsigned mask);
/* letters.c */
void letters_deliver(struct reactor *r);
void notes_settle_additions(struct reactor *r);
void notes_revoke(struct reactor_owner *owner, bool dont_call);

#endif
