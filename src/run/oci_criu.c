/* SPDX-License-Identifier: Apache-2.0 */
/* What checkpoint and restore both tell CRIU. */
#include "oci_restore.h"

#include "base/own.h"
#include "base/text.h"
#include "ns/kinds.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define DEFAULT_IMAGES "checkpoint"

static int open_dir(const char *path, const char *option, bool make, struct nook_error *err)
{
	if (make && mkdir(path, 0700) < 0 && errno != EEXIST) {
		nook_where(err, "%s", option);
		return nook_fail(err, errno, "mkdir %s", path);
	}

	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		nook_where(err, "%s", option);
		return nook_fail(err, errno, "open %s", path);
	}
	return fd;
}

int nook_criu_dirs_open(const struct nook_oci_criu *w, bool make, struct nook_criu_dirs *ret,
			struct nook_error *err)
{
	struct nook_criu_dirs d = NOOK_CRIU_NO_DIRS;

	d.images_path = w->image_path && w->image_path[0] ? w->image_path : DEFAULT_IMAGES;
	d.work_path = w->work_path && w->work_path[0] ? w->work_path : d.images_path;
	d.images = open_dir(d.images_path, "--image-path", make, err);
	if (d.images < 0)
		return d.images;
	d.work = open_dir(d.work_path, "--work-path", true, err);
	if (d.work < 0) {
		close_fd(&d.images);
		return d.work;
	}
	*ret = d;
	return 0;
}

void nook_criu_dirs_close(struct nook_criu_dirs *d)
{
	close_fd(&d->images);
	close_fd(&d->work);
}

static int put_page_server(const char *text, struct nook_criu_message *options,
			   struct nook_error *err)
{
	const char *colon = strrchr(text, ':');
	struct nook_criu_message server = { .arena = options->arena };
	uint64_t port;

	if (!colon || colon == text || nook_parse_u64(colon + 1, 65535, &port) < 0) {
		nook_where(err, "--page-server %s", text);
		return nook_refuse(err, EINVAL,
				   "use --page-server ADDRESS:PORT to specify page "
				   "server");
	}
	nook_criu_text(&server, 1, nook_strndup(options->arena, text, (size_t)(colon - text)));
	nook_criu_number(&server, 2, port);
	nook_criu_part(options, NOOK_CRIU_PAGE_SERVER, &server);
	return 0;
}

/* criu_cg_mode */
static int put_cgroups_mode(const char *text, struct nook_criu_message *options,
			    struct nook_error *err)
{
	static const struct {
		const char *name;
		unsigned mode;
	} modes[] = { { "ignore", 0 }, { "soft", 3 }, { "full", 4 }, { "strict", 5 } };

	nook_criu_number(options, NOOK_CRIU_MANAGE_CGROUPS, true);
	if (!text || !text[0])
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		if (strcmp(modes[i].name, text) == 0) {
			nook_criu_number(options, NOOK_CRIU_CGROUPS_MODE, modes[i].mode);
			return 0;
		}
	}
	nook_where(err, "--manage-cgroups-mode %s", text);
	return nook_refuse(err, EINVAL,
			   "invalid manage-cgroups-mode value: it is soft, full, "
			   "strict or ignore");
}

static int put_empty_ns(const char *const *kinds, struct nook_criu_message *options,
			struct nook_error *err)
{
	uint64_t flags = 0;

	for (; kinds && *kinds; kinds++) {
		int kind = nook_ns_kind(*kinds);

		if (kind < 0) {
			nook_where(err, "--empty-ns %s", *kinds);
			return nook_refuse(err, EINVAL, "namespace \"%s\" is not supported",
					   *kinds);
		}
		flags |= nook_ns_kinds[kind].clone_flag;
	}
	if (flags)
		nook_criu_number(options, NOOK_CRIU_EMPTY_NS, flags);
	return 0;
}

/* Opened by CRIU as /proc/PID/fd/N of ours. */
static int put_status_fd(const char *text, struct nook_criu_message *options,
			 struct nook_error *err)
{
	uint64_t fd;

	if (!text || strcmp(text, "-1") == 0)
		return 0;
	if (nook_parse_u64(text, 1u << 20, &fd) < 0 || fcntl((int)fd, F_GETFD) < 0) {
		nook_where(err, "--status-fd %s", text);
		return nook_refuse(err, EBADF, "it names no open descriptor");
	}
	nook_criu_number(options, NOOK_CRIU_STATUS_FD, fd);
	return 0;
}

int nook_criu_common(const struct nook_oci_criu *w, const struct nook_criu_dirs *d, const char *log,
		     struct nook_criu_message *options, struct nook_error *err)
{
	const struct {
		bool set;
		enum nook_criu_option option;
	} flags[] = {
		{ w->tcp_established, NOOK_CRIU_TCP_ESTABLISHED },
		{ w->tcp_skip_in_flight, NOOK_CRIU_TCP_SKIP_IN_FLIGHT },
		{ w->tcp_close, NOOK_CRIU_TCP_CLOSE },
		{ w->link_remap, NOOK_CRIU_LINK_REMAP },
		{ w->ext_unix_sk, NOOK_CRIU_EXT_UNIX_SK },
		{ w->shell_job, NOOK_CRIU_SHELL_JOB },
		{ w->lazy_pages, NOOK_CRIU_LAZY_PAGES },
		{ w->file_locks, NOOK_CRIU_FILE_LOCKS },
		{ w->auto_dedup, NOOK_CRIU_AUTO_DEDUP },
	};
	int rc = 0;

	nook_criu_number(options, NOOK_CRIU_IMAGES_DIR, (uint64_t)d->images);
	nook_criu_number(options, NOOK_CRIU_WORK_DIR, (uint64_t)d->work);
	nook_criu_number(options, NOOK_CRIU_LOG_LEVEL, 4);
	nook_criu_text(options, NOOK_CRIU_LOG_FILE, log);
	nook_criu_number(options, NOOK_CRIU_NOTIFY_SCRIPTS, true);
	nook_criu_number(options, NOOK_CRIU_ORPHAN_PTS_MASTER, true);
	/* What comes from outside may get what is mounted there. */
	nook_criu_number(options, NOOK_CRIU_EXTERNAL_SHARING, true);
	nook_criu_number(options, NOOK_CRIU_EXTERNAL_MASTERS, true);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (flags[i].set)
			nook_criu_number(options, flags[i].option, true);
	}
	if (w->page_server && w->page_server[0])
		rc = put_page_server(w->page_server, options, err);
	if (rc == 0)
		rc = put_cgroups_mode(w->cgroups_mode, options, err);
	if (rc == 0)
		rc = put_empty_ns(w->empty_ns, options, err);
	return rc < 0 ? rc : put_status_fd(w->status_fd, options, err);
}
