/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts, id maps and device nodes: config.md, "Mounts"; config-linux.md, "Devices". */
#include "bundle_reader.h"

#include <string.h>
#include <sys/stat.h>

/* Of the kernel's dev_t: 12 and 20 bits. */
#define MAJOR_LAST 4095
#define MINOR_LAST 1048575

#define STRUCT struct nook_idmap
int nook_bundle_read_idmap(struct nook_bundle_reader *r, const struct nook_json_value *v,
			   void *into)
{
	static const struct nook_bundle_member rows[] = {
		ROW_U32("containerID", inside, NOOK_BUNDLE_ID_LAST, NOOK_BUNDLE_REQUIRED),
		ROW_U32("hostID", outside, NOOK_BUNDLE_ID_LAST, NOOK_BUNDLE_REQUIRED),
		ROW_U32("size", count, UINT32_MAX, NOOK_BUNDLE_REQUIRED),
	};
	struct nook_idmap *map = into;
	int rc = nook_bundle_members(r, v, map, rows);

	if (rc < 0)
		return rc;
	if (v->index >= NOOK_BUNDLE_IDMAP)
		return nook_json_refuse(v->up, r->err, "the kernel takes %u lines at most",
					NOOK_BUNDLE_IDMAP);
	if (map->count == 0)
		return nook_json_refuse(v, r->err, "a size of 0 maps no ids");
	if (map->count - 1 > NOOK_BUNDLE_ID_LAST - map->inside ||
	    map->count - 1 > NOOK_BUNDLE_ID_LAST - map->outside)
		return nook_json_refuse(v, r->err, "the range goes past id %u",
					NOOK_BUNDLE_ID_LAST);
	return 0;
}
#undef STRUCT

#define STRUCT struct nook_bundle_mount
int nook_bundle_read_mount(struct nook_bundle_reader *r, const struct nook_json_value *v,
			   void *into)
{
	static const struct nook_bundle_member rows[] = {
		ROW_NEED_TEXT("destination", destination, NOOK_BUNDLE_PATH, nook_bundle_check_said),
		ROW_TEXT("type", type, NOOK_BUNDLE_TEXT, NULL),
		ROW_TEXT("source", source, NOOK_BUNDLE_TEXT, NULL),
		ROW_TEXTS("options", options, NOOK_BUNDLE_TEXT, NULL),
		ROW_ITEMS("uidMappings", uid_map, n_uid_map, NOOK_JSON_ARRAY, NOOK_JSON_OBJECT,
			  nook_bundle_read_idmap),
		ROW_ITEMS("gidMappings", gid_map, n_gid_map, NOOK_JSON_ARRAY, NOOK_JSON_OBJECT,
			  nook_bundle_read_idmap),
	};
	struct nook_bundle_mount *mount = into;

	mount->options = nook_bundle_no_texts;
	mount->from = nook_bundle_from(r, v);

	int rc = nook_bundle_members(r, v, mount, rows);

	if (rc == 0 && !mount->n_uid_map != !mount->n_gid_map)
		return nook_json_refuse(v, r->err,
					"uidMappings and gidMappings go together: one is missing");
	return rc;
}
#undef STRUCT

/* ---- devices ---- */

static int read_type(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	/* An unbuffered character device was something else on other systems. */
	static const struct nook_bundle_word types[] = {
		{ "c", 'c' },
		{ "b", 'b' },
		{ "u", 'c' },
		{ "p", 'p' },
	};
	int64_t type = 0;
	int rc = nook_bundle_word(r, v, "type of device", types, &type);

	*(char *)into = (char)type;
	return rc;
}

static int read_mode(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	struct nook_bundle_device *device = into;
	uint64_t mode = 0;
	int rc = nook_json_as_u64(v, UINT32_MAX, &mode, r->err);

	/* The type's bits too, and Go's own: Podman writes st_mode there. */
	device->has_mode = true;
	device->mode = (uint32_t)mode & ALLPERMS;
	return rc;
}

#define STRUCT struct nook_bundle_device
int nook_bundle_read_device(struct nook_bundle_reader *r, const struct nook_json_value *v,
			    void *into)
{
	static const struct nook_bundle_member rows[] = {
		ROW_NEED_PART("type", type, NOOK_JSON_TEXT, read_type),
		ROW_NEED_TEXT("path", path, NOOK_BUNDLE_PATH, nook_bundle_check_absolute),
		ROW_WHOLE("fileMode", NOOK_JSON_NUMBER, read_mode),
		ROW_U32("uid", uid, NOOK_BUNDLE_ID_LAST, 0),
		ROW_U32("gid", gid, NOOK_BUNDLE_ID_LAST, 0),
	};
	static const struct nook_bundle_member numbers[] = {
		ROW_U32("major", major, MAJOR_LAST, NOOK_BUNDLE_REQUIRED),
		ROW_U32("minor", minor, MINOR_LAST, NOOK_BUNDLE_REQUIRED),
	};
	struct nook_bundle_device *device = into;
	int rc = nook_bundle_members(r, v, device, rows);

	device->from = nook_bundle_from(r, v);
	if (rc == 0 && device->type != 'p')
		rc = nook_bundle_members(r, v, device, numbers);
	return rc;
}
#undef STRUCT
