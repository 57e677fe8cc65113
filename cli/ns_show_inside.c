/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a namespace: the part of `nook ns show` that differs by kind. */
#include "ns_show.h"

#include "base/own.h"
#include "ns/kinds.h"
#include "ns/look.h"
#include "table.h"

#include <inttypes.h>
#include <string.h>

#define FILE_MAX ((size_t)64 << 10)

static void heading(const char *text)
{
	printf("\n  %s\n", text);
}

/* A part that can't be shown, and why. */
static void refused(const struct nook_show *s, const char *key, const char *words,
		    const struct nook_error *err)
{
	if (s->w) {
		nook_json_put_null(s->w, key);
		return;
	}
	heading(words);
	printf("    unknown: %s\n", nook_cli_safe(s->a, err->why));
}

/* ---- user ---- */

/* "0 100000 65536", a line a range: user_namespaces(7) */
static void show_map(const struct nook_show *s, const struct nook_ns *ns, const char *file,
		     const char *words)
{
	struct nook_error err = { 0 };
	char *text, *save = NULL;

	if (nook_look_file(s->g, ns, file, FILE_MAX, s->a, &text, &err) < 0) {
		refused(s, file, words, &err);
		return;
	}
	if (s->w)
		nook_json_array(s->w, file);
	else
		heading(words);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		unsigned inside, outside, count;

		if (sscanf(line, "%u %u %u", &inside, &outside, &count) != 3)
			continue;
		if (!s->w) {
			printf("    %u to %u are %u to %u outside\n", inside, inside + count - 1,
			       outside, outside + count - 1);
			continue;
		}
		nook_json_object(s->w, NULL);
		nook_json_put_u64(s->w, "inside", inside);
		nook_json_put_u64(s->w, "outside", outside);
		nook_json_put_u64(s->w, "count", count);
		nook_json_end(s->w);
	}
	if (s->w)
		nook_json_end(s->w);
}

static void show_limits(const struct nook_show *s, const struct nook_ns *ns)
{
	struct nook_look_limits limits;
	struct nook_error err = { 0 };

	if (nook_look_limits(s->g, ns, &limits, &err) < 0) {
		refused(s, "limits", "limits", &err);
		return;
	}
	if (s->w)
		nook_json_object(s->w, "limits");
	else
		heading("limits for each user, and the namespaces seen in it and below it");
	for (int k = 0; k < NOOK_NS_COUNT; k++) {
		if (!limits.known[k])
			continue;
		if (!s->w) {
			printf("    %-24s %" PRIu64 ", %zu seen\n", nook_ns_kinds[k].sysctl,
			       limits.max[k], limits.seen[k]);
			continue;
		}
		nook_json_object(s->w, nook_ns_kinds[k].sysctl);
		nook_json_put_u64(s->w, "max", limits.max[k]);
		nook_json_put_u64(s->w, "seen", limits.seen[k]);
		nook_json_end(s->w);
	}
	if (s->w)
		nook_json_end(s->w);
}

static void show_owned(const struct nook_show *s, const struct nook_ns *ns)
{
	if (s->w)
		nook_json_array(s->w, "owns");
	else
		heading("owns");
	for (size_t i = 0; i < s->g->n; i++) {
		const struct nook_ns *other = s->g->all[i];

		if (other->owner != ns)
			continue;
		if (s->w)
			nook_cli_ns_json_ref(s->w, NULL, other);
		else
			printf("    %s  %s\n", nook_cli_ns_ref(s->a, other),
			       nook_cli_ns_held(s->a, other, true));
	}
	if (s->w)
		nook_json_end(s->w);
}

/* ---- mnt ---- */

/* "36 35 98:0 /root /point options… - type source super": proc_pid_mountinfo(5) */
static void show_mount(const struct nook_show *s, char *line)
{
	char *fields[6], *save = NULL, *type = strstr(line, " - ");

	if (!type)
		return;
	*type = '\0';
	type += strlen(" - ");
	type[strcspn(type, " ")] = '\0';
	for (int i = 0; i < 6; i++) {
		fields[i] = strtok_r(i ? NULL : line, " ", &save);
		if (!fields[i])
			return;
	}
	if (!s->w) {
		printf("    %s  %s  %s\n", nook_cli_safe(s->a, fields[4]),
		       nook_cli_safe(s->a, type), fields[5]);
		return;
	}
	nook_json_object(s->w, NULL);
	nook_json_put_text(s->w, "point", fields[4]);
	nook_json_put_text(s->w, "root", fields[3]);
	nook_json_put_text(s->w, "type", type);
	nook_json_put_text(s->w, "options", fields[5]);
	nook_json_end(s->w);
}

static void show_mounts(const struct nook_show *s, const struct nook_ns *ns)
{
	struct nook_error err = { 0 };
	char *text, *save = NULL;
	size_t n = 0;

	if (nook_look_mounts(s->g, ns, s->a, &text, &err) < 0) {
		refused(s, "mount_count", "mounts", &err);
		return;
	}
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		n++;
	if (s->w)
		nook_json_put_u64(s->w, "mount_count", n);
	else
		printf("\n  %zu mounts%s\n", n, s->verbose ? "" : "; -v lists them");
	if (!s->verbose)
		return;
	if (s->w)
		nook_json_array(s->w, "mounts");
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		show_mount(s, line);
	if (s->w)
		nook_json_end(s->w);
}

/* ---- net ---- */

static void show_addresses(const struct nook_show *s, const struct nook_look_net *net,
			   unsigned index)
{
	for (size_t i = 0; i < net->n_addresses; i++) {
		if (net->addresses[i].link != index)
			continue;
		if (s->w)
			nook_json_put_text(s->w, NULL, net->addresses[i].text);
		else
			printf("  %s", net->addresses[i].text);
	}
}

static void show_net(const struct nook_show *s, const struct nook_ns *ns)
{
	struct nook_look_net net;
	struct nook_error err = { 0 };

	if (nook_look_net(s->g, ns, s->a, &net, &err) < 0) {
		refused(s, "links", "links", &err);
		return;
	}
	if (s->w)
		nook_json_array(s->w, "links");
	else
		heading("links");
	for (size_t i = 0; i < net.n_links; i++) {
		const struct nook_look_link *l = &net.links[i];

		if (!s->w) {
			printf("    %u %s%s%s  %s  mtu %u", l->index, nook_cli_safe(s->a, l->name),
			       l->kind[0] ? "  " : "", nook_cli_safe(s->a, l->kind),
			       l->up ? "up" : "down", l->mtu);
			if (l->address[0])
				printf("  %s", l->address);
			show_addresses(s, &net, l->index);
			putchar('\n');
			continue;
		}
		nook_json_object(s->w, NULL);
		nook_json_put_u64(s->w, "index", l->index);
		nook_json_put_text(s->w, "name", l->name);
		nook_json_put_text(s->w, "kind", l->kind[0] ? l->kind : NULL);
		nook_json_put_bool(s->w, "up", l->up);
		nook_json_put_u64(s->w, "mtu", l->mtu);
		nook_json_put_text(s->w, "address", l->address[0] ? l->address : NULL);
		nook_json_array(s->w, "addresses");
		show_addresses(s, &net, l->index);
		nook_json_end(s->w);
		nook_json_end(s->w);
	}
	if (s->w)
		nook_json_end(s->w);
}

/* ---- uts, time ---- */

static void show_uts(const struct nook_show *s, const struct nook_ns *ns)
{
	const char *host, *domain;
	struct nook_error err = { 0 };

	if (nook_look_uts(s->g, ns, s->a, &host, &domain, &err) < 0) {
		refused(s, "hostname", "host name", &err);
		return;
	}
	if (s->w) {
		nook_json_put_text(s->w, "hostname", host);
		nook_json_put_text(s->w, "domainname", domain);
		return;
	}
	printf("\n  host name    %s\n  domain name  %s\n", nook_cli_safe(s->a, host),
	       nook_cli_safe(s->a, domain));
}

/* "monotonic   -3600   0": time_namespaces(7). The file tells of the namespace for children; nobody
 * is in another. */
static void show_time(const struct nook_show *s, const struct nook_ns *ns)
{
	struct nook_error err = { 0 };
	char *text, *save = NULL;

	if (!ns->first || ns->first->time_for_children != ns ||
	    nook_look_file(s->g, ns, "timens_offsets", FILE_MAX, s->a, &text, &err) < 0) {
		if (!err.errnum)
			(void)nook_refuse(&err, ENOENT, "no process is in it that could tell");
		refused(s, "offsets", "offsets", &err);
		return;
	}
	if (s->w)
		nook_json_object(s->w, "offsets");
	else
		heading("seconds added to the clocks");
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char clock[32];
		int64_t seconds;

		if (sscanf(line, "%31s %" SCNd64, clock, &seconds) != 2)
			continue;
		if (s->w)
			nook_json_put_i64(s->w, clock, seconds);
		else
			printf("    %-10s %" PRId64 "\n", clock, seconds);
	}
	if (s->w)
		nook_json_end(s->w);
}

/* ---- pid ---- */

static void show_pid(const struct nook_show *s, const struct nook_ns *ns)
{
	if (s->w)
		nook_json_array(s->w, "members");
	else
		heading("processes: pid there, pid here, command");
	for (const struct nook_ns_process *p = ns->first; p; p = p->next) {
		if (p->in[NOOK_NS_PID] != ns)
			continue;

		const char *command = nook_ns_command(s->g, p);
		unsigned there = nook_look_inner_pid(p->pid);

		if (!s->w) {
			printf("    %-8u %-8d %s\n", there, p->pid,
			       nook_cli_cut(s->a, nook_cli_safe(s->a, command), 60));
			continue;
		}
		nook_json_object(s->w, NULL);
		nook_json_put_i64(s->w, "pid", p->pid);
		nook_json_put_u64(s->w, "inner_pid", there);
		nook_json_put_text(s->w, "command", command);
		nook_json_end(s->w);
	}
	if (s->w)
		nook_json_end(s->w);
}

void nook_show_inside(const struct nook_show *s, const struct nook_ns *ns)
{
	switch (ns->kind) {
	case NOOK_NS_USER:
		show_map(s, ns, "uid_map", "uids");
		show_map(s, ns, "gid_map", "gids");
		show_limits(s, ns);
		show_owned(s, ns);
		break;
	case NOOK_NS_MNT:
		show_mounts(s, ns);
		break;
	case NOOK_NS_NET:
		show_net(s, ns);
		break;
	case NOOK_NS_UTS:
		show_uts(s, ns);
		break;
	case NOOK_NS_TIME:
		show_time(s, ns);
		break;
	case NOOK_NS_PID:
		show_pid(s, ns);
		break;
	default:
		break; /* nothing to tell of cgroup and ipc */
	}
}
