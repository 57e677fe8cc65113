/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

static const struct {
	unsigned major, minor;
	const char *name;
} features[NOOK_FEATURE_COUNT] = {
	[NOOK_FEATURE_IDMAP_MOUNT] = { 5, 12, "idmapped mounts" },
	[NOOK_FEATURE_CGROUP_KILL] = { 5, 14, "cgroup.kill" },
	[NOOK_FEATURE_OVERLAY_IDMAP] = { 5, 19, "overlayfs on idmapped layers" },
	[NOOK_FEATURE_TMPFS_IDMAP] = { 6, 3, "idmapped tmpfs" },
	[NOOK_FEATURE_CLONE3_TIME] = { 6, 3, "time namespaces by clone3" },
	[NOOK_FEATURE_OVERLAY_LOWERDIR_ADD] = { 6, 5, "overlayfs layers given one by one" },
	[NOOK_FEATURE_TMPFS_USER_XATTR] = { 6, 6, "user extended attributes on tmpfs" },
	[NOOK_FEATURE_STATMOUNT] = { 6, 8, "statmount and listmount" },
	[NOOK_FEATURE_PIDFD_GET_NS] = { 6, 11, "namespaces by pidfd" },
	[NOOK_FEATURE_DETACHED_CLONE] = { 6, 15, "mounts cloned from detached mounts" },
};

/* Digits up to the first other character. Kernel versions are small: three digits are plenty. */
static int read_number(const char **at, unsigned *ret)
{
	char digits[4];
	size_t len = strspn(*at, "0123456789");
	uint64_t value = 0;

	if (len == 0 || len >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, *at, len);
	digits[len] = '\0';
	if (nook_parse_u64(digits, 999, &value) < 0)
		return -EINVAL;

	*at += len;
	*ret = (unsigned)value;
	return 0;
}

int nook_kernel_parse(const char *release, unsigned *ret_major, unsigned *ret_minor)
{
	unsigned major = 0, minor = 0;

	if (read_number(&release, &major) < 0 || *release++ != '.' ||
	    read_number(&release, &minor) < 0)
		return -EINVAL;

	*ret_major = major;
	*ret_minor = minor;
	return 0;
}

void nook_kernel_features(unsigned major, unsigned minor, bool feature[NOOK_FEATURE_COUNT])
{
	for (size_t i = 0; i < NOOK_FEATURE_COUNT; i++)
		feature[i] = major > features[i].major ||
			     (major == features[i].major && minor >= features[i].minor);
}

const char *nook_feature_name(enum nook_feature f)
{
	return features[f].name;
}

void nook_feature_version(enum nook_feature f, unsigned *ret_major, unsigned *ret_minor)
{
	*ret_major = features[f].major;
	*ret_minor = features[f].minor;
}

int nook_kernel_probe(struct nook_arena *a, struct nook_host *host, struct nook_error *err)
{
	struct utsname name;

	if (uname(&name) < 0)
		return nook_fail(err, errno, "uname");
	if (nook_kernel_parse(name.release, &host->major, &host->minor) < 0)
		return nook_refuse(err, EINVAL,
				   "uname: the kernel's release \"%s\" does not begin with a "
				   "version such as 6.1",
				   name.release);

	host->release = nook_strdup(a, name.release);
	host->hostname = nook_strdup(a, name.nodename);
	nook_kernel_features(host->major, host->minor, host->feature);
	return 0;
}
