/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of --plan of what is mounted below the container's root. */
#include "stage.h"

#include "base/own.h"
#include "texts.h"

#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static const char *options_text(const struct nook_plan_mount *m, struct nook_rows *rows)
{
	const char *text = "";

	for (size_t i = 0; i < m->n_options; i++)
		text = nook_printf(rows->arena, "%s, %s%s%s", text, m->options[i].key,
				   m->options[i].value ? "=" : "",
				   m->options[i].value ? m->options[i].value : "");
	return text;
}

static void show_fs(const struct nook_plan_mount *m, struct nook_rows *rows)
{
	static const struct {
		const char *fstype, *what;
	} known[] = {
		{ "tmpfs", "empty, in memory" },   { "sysfs", "the kernel's devices" },
		{ "cgroup2", "its cgroups" },      { "mqueue", "its message queues" },
		{ "devpts", "its own terminals" },
	};
	const char *what = "a file system of its own";

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(m->fstype, known[i].fstype) == 0)
			what = known[i].what;
	}
	if (m->from)
		what = nook_printf(rows->arena, "for %s", m->from);
	else if (m->optional)
		what = nook_printf(rows->arena, "%s, if the kernel has them", what);
	if (m->by_page) {
		nook_show(rows, what, "mount(\"%s\"%s), mount_setattr(%s), move_mount(\"%s\")",
			  m->fstype, options_text(m, rows), nook_attrs_text(rows, m->attrs),
			  m->target);
		return;
	}
	nook_show(rows, what, "fsopen(\"%s\"%s), fsmount(%s), move_mount(\"%s\")", m->fstype,
		  options_text(m, rows), nook_attrs_text(rows, m->attrs), m->target);
	if (m->copy_up)
		nook_show(rows, "a copy of what the root has there", "copy(\"%s\")", m->target);
}

static void show_bind(const struct nook_plan *plan, const struct nook_plan_mount *m,
		      struct nook_rows *rows)
{
	const struct nook_plan_source *src = &plan->sources[m->source];
	const char *what = m->from         ? nook_printf(rows->arena, "for %s", m->from)
			   : src->rdev     ? "a device of the host's"
			   : src->optional ? "the host's own, if it is there"
					   : "the host's own";

	nook_show(rows, what, "move_mount(\"%s\" -> \"%s\")", src->path, m->target);
}

static void show_change(const char *target, uint64_t set, uint64_t clear, bool below,
			struct nook_rows *rows)
{
	if (!set && !clear)
		return;
	nook_show(rows, below ? "as asked, below it too" : "as asked",
		  "mount_setattr(\"%s\"%s%s%s%s%s)", target, below ? ", RECURSIVE" : "",
		  set ? ", +" : "", nook_attrs_text(rows, set), clear ? ", -" : "",
		  nook_attrs_text(rows, clear));
}

/* Of bundles: what is done to a mount before it is attached, and after. */
static void show_changes(const struct nook_plan_mount *m, struct nook_rows *rows)
{
	show_change(m->target, m->change.set, m->change.clear, false, rows);
	show_change(m->target, m->change.set_below, m->change.clear_below, true, rows);
	for (size_t i = 0; i < m->n_propagation; i++)
		nook_show(rows, "who hears of mounts there", "mount_setattr(\"%s\", %s%s)",
			  m->target, m->propagation[i] & MS_REC ? "RECURSIVE, " : "",
			  nook_propagation_text(m->propagation[i] & ~(unsigned long)MS_REC));
}

static void show_mount(const struct nook_plan *plan, const struct nook_plan_mount *m,
		       struct nook_rows *rows)
{
	switch (m->kind) {
	case NOOK_PLAN_BIND:
		show_bind(plan, m, rows);
		break;
	case NOOK_PLAN_FS:
	case NOOK_PLAN_DEVPTS:
		show_fs(m, rows);
		break;
	case NOOK_PLAN_PROC:
		nook_show(rows, "its processes", "move_mount(procfs -> \"%s\")", m->target);
		break;
	case NOOK_PLAN_OVERLAY:
		nook_overlay_show(plan, m->overlay, rows);
		nook_show(rows, "a copy of what the host has there",
			  "move_mount(overlay -> \"%s\")", m->target);
		break;
	case NOOK_PLAN_MASK:
		nook_show(rows, "hidden, if it is there", "move_mount(empty -> \"%s\")", m->target);
		break;
	case NOOK_PLAN_READONLY:
		nook_show(rows, "read-only, if it is there",
			  "open_tree(\"%s\"), mount_setattr(RDONLY), move_mount", m->target);
		break;
	case NOOK_PLAN_SYMLINK:
		nook_show(rows, "a usual name", "symlinkat(\"%s\" -> \"%s\")", m->target, m->text);
		break;
	case NOOK_PLAN_DEVICE:
		nook_show(rows, "a device", "mknodat(\"%s\", %c %u:%u, mode 0%o, owner %u:%u)",
			  m->target,
			  S_ISBLK(m->mode)   ? 'b'
			  : S_ISCHR(m->mode) ? 'c'
					     : 'p',
			  major(m->rdev), minor(m->rdev), m->mode & 07777, m->uid, m->gid);
		return;
	case NOOK_PLAN_REMOUNT:
		if (m->n_options)
			nook_show(rows, "other options for the file system",
				  "fspick(\"%s\"%s), fsconfig(RECONFIGURE)", m->target,
				  options_text(m, rows));
		break;
	case NOOK_PLAN_CONSOLE:
		nook_show(rows, "a new terminal", "ioctl(TIOCGPTPEER), move_mount(tty -> \"%s\")",
			  m->target);
		break;
	}
	show_changes(m, rows);
}

void mount_all_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	for (size_t i = 0; i < plan->n_mounts; i++)
		show_mount(plan, &plan->mounts[i], rows);
}
