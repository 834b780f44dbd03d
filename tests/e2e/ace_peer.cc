/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ace_peer: both ends of a logging connection as programs of the real libace
 * make them, for 69_ace.py, which compiles this.
 *
 *	ace_peer client PORT TEXT ...	sends each text as ACE_Log_Msg does
 *	ace_peer server			prints its port, then the records of
 *					one client: type|pid|secs|usecs|text
 */
#include <ace/CDR_Stream.h>
#include <ace/INET_Addr.h>
#include <ace/Log_Msg.h>
#include <ace/Log_Record.h>
#include <ace/Message_Block.h>
#include <ace/OS_NS_string.h>
#include <ace/SOCK_Acceptor.h>
#include <ace/SOCK_Stream.h>

#include <cstdio>
#include <cstdlib>

static int
client(int argc, char **argv)
{
	char where[64];

	snprintf(where, sizeof(where), "127.0.0.1:%s", argv[2]);
	if (ACE_LOG_MSG->open("ace_peer", ACE_Log_Msg::LOGGER, where) != 0)
		return 1;
	for (int i = 3; i < argc; i++)
		ACE_ERROR((LM_ERROR, ACE_TEXT("%C"), argv[i]));
	ACE_DEBUG((LM_DEBUG, ACE_TEXT("that is all")));
	return 0;
}

/* As the logging servers of C++NPv2 do it: header, then payload. */
static int
one_record(ACE_SOCK_Stream &peer)
{
	ACE_Message_Block header(ACE_DEFAULT_CDR_BUFSIZE);
	ACE_CDR::mb_align(&header);
	if (peer.recv_n(header.wr_ptr(), 8) != 8)
		return -1;
	header.wr_ptr(8);
	ACE_InputCDR head(&header);
	ACE_CDR::Boolean order;
	ACE_CDR::ULong length;
	if (!(head >> ACE_InputCDR::to_boolean(order)))
		return -1;
	head.reset_byte_order(order);
	if (!(head >> length))
		return -1;

	ACE_Message_Block payload(length + ACE_CDR::MAX_ALIGNMENT);
	ACE_CDR::mb_align(&payload);
	if (peer.recv_n(payload.wr_ptr(), length) != (ssize_t)length)
		return -1;
	payload.wr_ptr(length);
	ACE_InputCDR body(&payload);
	body.reset_byte_order(order);
	ACE_Log_Record record;
	if (!(body >> record))
		return -1;
	printf("%u|%ld|%ld|%ld|%s\n", (unsigned)record.type(), record.pid(),
	    (long)record.time_stamp().sec(), (long)record.time_stamp().usec(),
	    record.msg_data());
	return 0;
}

static int
server()
{
	ACE_INET_Addr where((u_short)0, "127.0.0.1"), own;
	ACE_SOCK_Acceptor acceptor;
	ACE_SOCK_Stream peer;

	if (acceptor.open(where) != 0 || acceptor.get_local_addr(own) != 0)
		return 1;
	printf("%u\n", own.get_port_number());
	fflush(stdout);
	if (acceptor.accept(peer) != 0)
		return 1;
	while (one_record(peer) == 0)
		continue;
	peer.close();
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc > 3 && ACE_OS::strcmp(argv[1], "client") == 0)
		return client(argc, argv);
	if (argc == 2 && ACE_OS::strcmp(argv[1], "server") == 0)
		return server();
	return 2;
}
