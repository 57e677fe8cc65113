/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include "base/text.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>

const char nook_cap_words[] =
	"chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap "
	"linux_immutable net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner "
	"sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin sys_boot sys_nice "
	"sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap "
	"mac_override mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf "
	"checkpoint_restore";

/* The order of asm-generic; MIPS and SPARC have their own and would need a second list. */
const char nook_rlimit_words[] = "cpu fsize data stack core rss nproc nofile memlock as locks "
				 "sigpending msgqueue nice rtprio rttime";

const char nook_signal_words[] =
	"hup int quit ill trap abrt bus fpe kill usr1 segv usr2 pipe alrm term stkflt chld cont "
	"stop tstp ttin ttou urg xcpu xfsz vtalrm prof winch io pwr sys";

_Static_assert(RLIMIT_NOFILE == 7 && RLIMIT_AS == 9 && RLIMIT_RTTIME == 15 && RLIM_NLIMITS == 16,
	       "nook_rlimit_words is in asm-generic's order");
_Static_assert(SIGBUS == 7 && SIGUSR1 == 10 && SIGCHLD == 17 && SIGSYS == 31,
	       "nook_signal_words is in asm-generic's order");
_Static_assert(CAP_CHECKPOINT_RESTORE == 40, "nook_cap_words ends there");

static int word_number(const char *words, const char *prefix, const char *name)
{
	int number = 0;

	if (strncasecmp(name, prefix, strlen(prefix)) == 0)
		name += strlen(prefix);

	for (const char *p = words; *p; number++) {
		size_t len = strcspn(p, " ");

		if (strlen(name) == len && strncasecmp(p, name, len) == 0)
			return number;
		p += len + (p[len] == ' ');
	}
	return -EINVAL;
}

int nook_cap_number(const char *name)
{
	return word_number(nook_cap_words, "cap_", name);
}

int nook_rlimit_number(const char *name)
{
	return word_number(nook_rlimit_words, "rlimit_", name);
}

/* The kernel's real-time signals start at 32; the C library takes two. */
#define REAL_TIME_FIRST 34
#define REAL_TIME_LAST  64

int nook_signal_number(const char *name)
{
	const char *plain = strncasecmp(name, "sig", 3) == 0 ? name + 3 : name;
	uint64_t n = 0;

	if (nook_parse_u64(name, REAL_TIME_LAST, &n) == 0)
		return n == 0 || n == 32 || n == 33 ? -EINVAL : (int)n;

	if (strcasecmp(plain, "rtmin") == 0)
		return REAL_TIME_FIRST;
	if (strcasecmp(plain, "rtmax") == 0)
		return REAL_TIME_LAST;
	if (strncasecmp(plain, "rtmin+", 6) == 0)
		return nook_parse_u64(plain + 6, REAL_TIME_LAST - REAL_TIME_FIRST, &n) == 0
			       ? REAL_TIME_FIRST + (int)n
			       : -EINVAL;
	if (strncasecmp(plain, "rtmax-", 6) == 0)
		return nook_parse_u64(plain + 6, REAL_TIME_LAST - REAL_TIME_FIRST, &n) == 0
			       ? REAL_TIME_LAST - (int)n
			       : -EINVAL;

	/* Second names, signal(7). */
	if (strcasecmp(plain, "poll") == 0)
		return SIGPOLL;
	if (strcasecmp(plain, "iot") == 0)
		return SIGIOT;
	if (strcasecmp(plain, "cld") == 0)
		return SIGCHLD;

	int number = word_number(nook_signal_words, "sig", name);

	return number < 0 ? number : number + 1;
}
