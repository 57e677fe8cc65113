/* SPDX-License-Identifier: Apache-2.0 */
/* The last probe of all: a container with the defaults. What the others can't tell, it does. */
#include "check.h"

#include "base/own.h"
#include "host/attempt.h"
#include "nook/container.h"
#include "spec/words.h"

/* Killing it would leave work for `nook rm`, so that comes late. */
#define PATIENCE_MS 20000

static int try_run(void *data, struct nook_error *err)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_run_words words;
	char *argv[] = { "--", "true", NULL };
	int status = 0;
	int rc = nook_arena_open(&a, err);

	if (rc < 0)
		return rc;
	rc = nook_attempt_mute(err);
	rc = rc < 0 ? rc : nook_words_run(&a, argv, &words, err);
	rc = rc < 0 ? rc : nook_run(&words.spec, NULL, &status, err);
	if (rc == 0 && status)
		return nook_refuse(err, EPROTO, "the program true ended with status %d", status);
	return rc;
}

void nook_check_run(struct nook_probes *probes)
{
	struct nook_error err = { 0 };
	int rc = nook_attempt_for(PATIENCE_MS, try_run, NULL, &err);
	struct nook_probe *row = nook_probe_outcome(probes, "container", "container.run",
						    "nook run true", rc, &err, true);

	row->needed = true;
	if (rc == 0)
		row->detail = "a container with the defaults ran";
}
