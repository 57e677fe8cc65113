/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's version, and what came with which. */
#ifndef NOOK_HOST_KERNEL_H
#define NOOK_HOST_KERNEL_H

#include "host.h"

/* The oldest kernel that nook works with. */
#define NOOK_KERNEL_MAJOR 5
#define NOOK_KERNEL_MINOR 14

/**
 * nook_kernel_parse() - the two numbers that a release begins with
 * @release: as uname(2) has it: "6.1.0-13-amd64", "5.14.0-70.el9"
 *
 * Return: 0; -EINVAL when it does not begin with NUMBER.NUMBER, and @ret_ are untouched.
 */
int nook_kernel_parse(const char *release, unsigned *ret_major, unsigned *ret_minor);

/* Sets host->release, major, minor, feature and hostname from uname(2). Refuses no version. */
int nook_kernel_probe(struct nook_arena *a, struct nook_host *host, struct nook_error *err);

/* Which features a mainline kernel of this version has. A vendor may have brought one back to an
 * older version: nook then does without. */
void nook_kernel_features(unsigned major, unsigned minor, bool feature[NOOK_FEATURE_COUNT]);

/* In a few words, for people: "idmapped mounts". Static. */
const char *nook_feature_name(enum nook_feature f);

/* First kernel with it: 5, 12. */
void nook_feature_version(enum nook_feature f, unsigned *ret_major, unsigned *ret_minor);

#endif
