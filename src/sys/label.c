/* SPDX-License-Identifier: Apache-2.0 */
#include "label.h"

#include "base/own.h"
#include "base/text.h"
#include "openat2.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>

static const char *const names[] = {
	[NOOK_LABEL_APPARMOR] = "AppArmor",
	[NOOK_LABEL_SELINUX] = "SELinux",
};

static int open_plain(int task, const char *file)
{
	return nook_openat2(task, file, O_RDWR, 0,
			    RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS |
				    RESOLVE_NO_SYMLINKS);
}

int nook_label_open(int task, enum nook_label kind, struct nook_error *err)
{
	int fd = kind == NOOK_LABEL_APPARMOR ? open_plain(task, "attr/apparmor/exec") : -ENOENT;

	/* SELinux has the old names for itself; AppArmor had, before it got a directory, and has
	 * where it is the only one. */
	if (fd == -ENOENT)
		fd = open_plain(task, "attr/exec");
	if (fd == -ENOENT) {
		nook_hint(err, "leave the label out of the config: this kernel has no %s",
			  names[kind]);
		return nook_fail(err, ENOENT, "open attr/exec in /proc, to set the %s label",
				 names[kind]);
	}
	return fd < 0 ? nook_fail(err, -fd, "open attr/exec in /proc") : fd;
}

static int explain(enum nook_label kind, const char *label, int error, struct nook_error *err)
{
	if (error == ENOENT && kind == NOOK_LABEL_APPARMOR)
		nook_hint(err, "load the profile first, by apparmor_parser(8); "
			       "/sys/kernel/security/apparmor/profiles lists those that are");
	else if (error == EINVAL)
		nook_hint(err,
			  "%s is not at work here, or its policy doesn't know the label: leave "
			  "the label out of the config, or correct it",
			  names[kind]);
	return nook_fail(err, error, "write the %s label \"%.200s\" to attr/exec in /proc",
			 names[kind], label);
}

int nook_label_write(int fd, enum nook_label kind, const char *label, struct nook_error *err)
{
	char text[4096];
	size_t len = nook_format(text, sizeof(text), "%s%s",
				 kind == NOOK_LABEL_APPARMOR ? "exec " : "", label);

	if (len + 1 >= sizeof(text))
		return nook_refuse(err, ENAMETOOLONG, "the %s label is too long: %.100s…",
				   names[kind], label);
	if (write(fd, text, len) != (ssize_t)len)
		return explain(kind, label, errno, err);

	/* Names come back as the module spells them; that there is one is what counts. */
	ssize_t n = pread(fd, text, sizeof(text), 0);

	if (n < 0)
		return nook_fail(err, errno, "read attr/exec in /proc");
	if (n == 0 || text[0] == '\0' || text[0] == '\n')
		return nook_refuse(err, EPERM, "the %s label %.200s did not stay", names[kind],
				   label);
	return 0;
}
