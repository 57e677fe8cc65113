/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOOK_KINDS_H
#define NOOK_KINDS_H

#ifdef __cplusplus
extern "C" {
#endif

/* The eight kinds of namespace, namespaces(7), in the order in which a caller with no privilege
 * joins them. */
enum nook_ns_kind {
	NOOK_NS_USER,
	NOOK_NS_MNT,
	NOOK_NS_CGROUP,
	NOOK_NS_IPC,
	NOOK_NS_UTS,
	NOOK_NS_NET,
	NOOK_NS_PID,
	NOOK_NS_TIME,
	NOOK_NS_COUNT,
};

#ifdef __cplusplus
}
#endif

#endif
