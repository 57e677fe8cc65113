/* SPDX-License-Identifier: Apache-2.0 */
#include "pidns.h"

#include "call.h"

#include <linux/nsfs.h>
#include <sys/ioctl.h>

/* Newer than the headers; include/uapi/linux/nsfs.h of Linux 6.11. */
#ifndef NS_GET_PID_FROM_PIDNS
#define NS_GET_PID_FROM_PIDNS  _IOR(NSIO, 0x6, int)
#define NS_GET_TGID_FROM_PIDNS _IOR(NSIO, 0x7, int)
#define NS_GET_PID_IN_PIDNS    _IOR(NSIO, 0x8, int)
#define NS_GET_TGID_IN_PIDNS   _IOR(NSIO, 0x9, int)
#endif

/* The number itself is the argument, for all that _IOR says. */
static int ask(int ns, unsigned long request, int pid)
{
	return (int)NOOK_CALL(SYS_ioctl, ns, request, (long)pid);
}

int nook_pidns_from(int ns, int pid, bool leader)
{
	return ask(ns, leader ? NS_GET_TGID_FROM_PIDNS : NS_GET_PID_FROM_PIDNS, pid);
}

int nook_pidns_in(int ns, int pid, bool leader)
{
	return ask(ns, leader ? NS_GET_TGID_IN_PIDNS : NS_GET_PID_IN_PIDNS, pid);
}
