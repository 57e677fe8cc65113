/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of nook_probe_machine(): one function a group of lines. */
#ifndef NOOK_HOST_PROBE_H
#define NOOK_HOST_PROBE_H

#include "attempt.h"
#include "host.h"
#include "probes.h"

/* Adds a line; the caller fills in the rest. The pointer holds until the next line. */
struct nook_probe *nook_probe_add(struct nook_probes *p, const char *group, const char *id,
				  const char *title, enum nook_verdict verdict);

/* Adds a line about a thing that is missing, with a cause of the table: its meaning and fix. */
struct nook_probe *nook_probe_cause(struct nook_probes *p, const char *group, const char *id,
				    const char *title, enum nook_verdict verdict,
				    const char *cause);

/* @host was probed; when it could not be, @host is NULL. */
void nook_probe_kernel(struct nook_probes *p, const struct nook_host *host);
void nook_probe_namespaces(struct nook_probes *p, const struct nook_host *host);
void nook_probe_ids(struct nook_probes *p, const struct nook_host *host);
void nook_probe_mounts(struct nook_probes *p, const struct nook_host *host);
void nook_probe_idmaps(struct nook_probes *p, const struct nook_host *host);
void nook_probe_cgroups(struct nook_probes *p, const struct nook_host *host);
void nook_probe_security(struct nook_probes *p, const struct nook_host *host);
void nook_probe_devices(struct nook_probes *p, const struct nook_host *host);

#endif
