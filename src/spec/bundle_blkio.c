/* SPDX-License-Identifier: Apache-2.0 */
/* What linux.resources says device by device: which may be used, and how fast. */
#include "bundle_reader.h"

#include <string.h>

#define UNSET NOOK_BUNDLE_ZERO_UNSET
#define NEED  NOOK_BUNDLE_REQUIRED

/* ---- devices ---- */

static int read_type(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	static const struct nook_bundle_word types[] = {
		{ "a", 'a' },
		{ "b", 'b' },
		{ "c", 'c' },
	};
	int64_t type = 'a';
	const char *text = NULL;
	int rc = nook_json_as_text(v, NOOK_BUNDLE_TEXT, &text, r->err);

	if (rc == 0 && *text)
		rc = nook_bundle_word(r, v, "type of device", types, &type);
	*(char *)into = (char)type;
	return rc;
}

static int read_number(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	return nook_json_as_i64(v, -1, UINT32_MAX, into, r->err);
}

static int read_access(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	static const char letters[] = "rwm"; /* the bits in this order */
	const char *text = NULL;
	int rc = nook_json_as_text(v, NOOK_BUNDLE_TEXT, &text, r->err);
	unsigned access = 0;

	if (rc < 0 || !*text)
		return rc;
	for (const char *p = text; *p; p++) {
		const char *at = strchr(letters, *p);

		if (!at)
			return nook_json_refuse(v, r->err, "\"%.64s\" is not made of r, w and m",
						text);
		access |= 1u << (at - letters);
	}
	*(unsigned *)into = access;
	return 0;
}

#define STRUCT struct nook_bundle_device_rule
int nook_bundle_read_device_rule(struct nook_bundle_reader *r, const struct nook_json_value *v,
				 void *into)
{
	static const struct nook_bundle_member rows[] = {
		{ .key = "allow",
		  .kind = NOOK_BUNDLE_BOOL,
		  .flags = NEED,
		  .at = offsetof(STRUCT, allow) },
		ROW_PART("type", type, NOOK_JSON_TEXT, read_type),
		ROW_PART("major", major, NOOK_JSON_NUMBER, read_number),
		ROW_PART("minor", minor, NOOK_JSON_NUMBER, read_number),
		ROW_PART("access", access, NOOK_JSON_TEXT, read_access),
	};
	struct nook_bundle_device_rule *rule = into;

	*rule = (struct nook_bundle_device_rule){
		.type = 'a',
		.major = -1,
		.minor = -1,
		.access = NOOK_DEVICE_READ | NOOK_DEVICE_WRITE | NOOK_DEVICE_MKNOD,
		.from = nook_bundle_from(r, v),
	};
	return nook_bundle_members(r, v, rule, rows);
}
#undef STRUCT

/* ---- blockIO ---- */

#define STRUCT struct nook_bundle_blkio_device
#define ROWS_NUMBERS                                                                               \
	ROW_U32("major", major, UINT32_MAX, NEED), ROW_U32("minor", minor, UINT32_MAX, NEED)

static int read_weight(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	static const struct nook_bundle_member rows[] = {
		ROWS_NUMBERS,
		ROW_OPT_U64("weight", weight, UINT16_MAX, 0),
		ROW_OPT_U64("leafWeight", leaf_weight, UINT16_MAX, 0),
	};
	struct nook_bundle_blkio_device *device = into;
	int rc = nook_bundle_members(r, v, device, rows);

	device->from = nook_bundle_from(r, v);
	if (rc == 0 && !device->weight.set && !device->leaf_weight.set)
		return nook_json_refuse(v, r->err, "weight, leafWeight or both are missing");
	return rc;
}

static int read_rate(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	static const struct nook_bundle_member rows[] = {
		ROWS_NUMBERS,
		ROW_U64("rate", rate, UINT64_MAX, NEED),
	};
	struct nook_bundle_blkio_device *device = into;

	device->from = nook_bundle_from(r, v);
	return nook_bundle_members(r, v, device, rows);
}
#undef ROWS_NUMBERS
#undef STRUCT

#define STRUCT struct nook_bundle_resources
#define THROTTLE(key, which)                                                                       \
	ROW_ITEMS(key, blkio.throttle[which], blkio.n_throttle[which], NOOK_JSON_ARRAY,            \
		  NOOK_JSON_OBJECT, read_rate)
int nook_bundle_read_blkio(struct nook_bundle_reader *r, const struct nook_json_value *v,
			   void *into)
{
	static const struct nook_bundle_member rows[] = {
		ROW_OPT_U64("weight", blkio.weight, UINT16_MAX, UNSET),
		ROW_OPT_U64("leafWeight", blkio.leaf_weight, UINT16_MAX, UNSET),
		ROW_ITEMS("weightDevice", blkio.weights, blkio.n_weights, NOOK_JSON_ARRAY,
			  NOOK_JSON_OBJECT, read_weight),
		THROTTLE("throttleReadBpsDevice", NOOK_READ_BPS),
		THROTTLE("throttleWriteBpsDevice", NOOK_WRITE_BPS),
		THROTTLE("throttleReadIOPSDevice", NOOK_READ_IOPS),
		THROTTLE("throttleWriteIOPSDevice", NOOK_WRITE_IOPS),
	};

	return nook_bundle_members(r, v, into, rows);
}
#undef THROTTLE
#undef STRUCT
