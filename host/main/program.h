/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * program: one run of berthd, and what it does.
 */
#ifndef MAIN_PROGRAM_H
#define MAIN_PROGRAM_H

#include "control/control.h"
#include "main/main.h"
#include "main/options.h"

/* On main()'s stack; program_init() and program_fini(). */
struct program {
	struct options options;
	struct log_sink sink;
	struct errors *errors;
	struct host *host;
	struct notify notify;
	struct signals signals;
	struct pid_file pid_file;
	struct daemon daemon;
	int door_fd;	 /* low, for starts of programs; 0: none */
	int self_fd;	 /* this program's file, for workers; -1: none */
	unsigned handed; /* sockets from LISTEN_FDS_FIRST on */
};

/* 0 or -ENOMEM; program_fini() is due after both. */
int program_init(struct program *program);
void program_fini(struct program *program);

/* Runs services until told to stop. */
enum status program_run(struct program *program);
/* --worker: runs one service for the host that started this process. */
enum status program_work(struct program *program);
/* -t and -T: reads, resolves and plans; nothing is bound, loaded, written. */
enum status program_check(struct program *program);

/* Makes program->host as the options say; event may be NULL. */
int program_open_host(
    struct program *program, void (*event)(void *context, enum host_event event,
				 bool failed, const char *text));
void program_close_host(struct program *program);
/* For a host's options: where a callback is that does not end. */
void program_print_stack(void *context, pthread_t thread);
/* Prints what was collected in program->errors. */
void program_print_errors(struct program *program);

#endif
