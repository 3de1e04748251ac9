/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/subscription.h"

#include "core/base/clock.h"
#include "core/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_shared(const struct subscription *subscription)
{
	return storage_flags(subscription->note.storage) & PEP_STORAGE_SHARED;
}

/* An earlier start of this server: the names of the servers of a store differ, and that start is over. */
static bool is_own(const struct subscription *subscription, const char *holder)
{
	size_t name_size = strcspn(subscription->owner, "/");

	return strncmp(holder, subscription->owner, name_size) == 0 && holder[name_size] == '/';
}

/* Room for any text, got once: running out of memory must not keep a server from noting what it did. */
static char *reserve_text(struct subscription *subscription)
{
	if (!subscription->text.limit)
		buffer_init(&subscription->text, PEP_NOTE_SIZE + 1);
	subscription->text.size = 0;
	subscription->text.failed = false;
	return buffer_reserve(&subscription->text, PEP_NOTE_SIZE + 1);
}

/* The note as it is; an empty one if there is none. */
static pep_status read_note(struct subscription *subscription, struct progress *progress, struct pep_error *err)
{
	struct pep_error why = {0};
	char *text = reserve_text(subscription);
	pep_status status = text ? note_read(&subscription->note, text, err) : pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");

	if (status != PEP_OK || subscription->note.revision == 0)
		return status;
	status = progress_read(text, progress, &why);
	return status == PEP_OK
		       ? PEP_OK
		       : pep_fail(err, PEP_INTERNAL, 0, "note %s cannot be read: %.300s", subscription->note.name, why.message);
}

static pep_status check_holder(const struct subscription *subscription, const struct progress *progress, struct pep_error *err)
{
	int64_t now_ms;
	pep_status status;

	if (!is_shared(subscription) || !*progress->holder || is_own(subscription, progress->holder))
		return PEP_OK;
	status = storage_now(subscription->note.storage, &now_ms, err);
	if (status == PEP_OK && progress->until_ms > now_ms)
		return pep_fail(err, PEP_CONFLICT, 0, "server %.200s does it", progress->holder);
	return status;
}

pep_status subscription_take(struct subscription *subscription, struct pep_error *err)
{
	struct progress *progress = &subscription->progress;
	pep_status status;

	progress_fini(progress);
	status = read_note(subscription, progress, err);
	if (status == PEP_OK)
		status = check_holder(subscription, progress, err);
	subscription->is_held = status == PEP_OK;
	subscription->is_changed = true;
	return status;
}

static pep_status write_note(struct subscription *subscription, struct pep_error *err)
{
	struct progress *progress = &subscription->progress;
	struct buffer *text = &subscription->text;
	int64_t now_ms;
	pep_status status = storage_now(subscription->note.storage, &now_ms, err);

	if (status != PEP_OK)
		return status;
	progress->until_ms = *progress->holder ? now_ms + SUBSCRIPTION_LEASE_MS : 0;
	if (!reserve_text(subscription))
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	progress_write(progress, text);
	buffer_byte(text, '\0');
	if (text->failed)
		return pep_fail(err, PEP_LIMIT, 0, "note %s is too long", subscription->note.name);
	return note_write(&subscription->note, text->data, err);
}

/* The revision has moved, or may have: by a write of ours whose answer was lost, or by another server's. */
static pep_status look_again(struct subscription *subscription, pep_status before, struct pep_error *err)
{
	struct progress *progress = calloc(1, sizeof(*progress));
	struct pep_error ignored = {0};
	pep_status status = progress ? read_note(subscription, progress, &ignored) : PEP_NO_MEMORY;

	if (status == PEP_OK && !text_equal(progress->holder, subscription->owner)) {
		subscription->is_held = false;
		if (*progress->holder && !is_own(subscription, progress->holder))
			before = pep_fail(err, PEP_CONFLICT, 0, "server %.200s has taken over", progress->holder);
	}
	if (progress)
		progress_fini(progress);
	free(progress);
	return before;
}

pep_status subscription_write(struct subscription *subscription, struct pep_error *err)
{
	pep_status status;

	(void)snprintf(subscription->progress.holder, sizeof(subscription->progress.holder), "%s", subscription->owner);
	status = write_note(subscription, err);
	if (status == PEP_OK) {
		subscription->is_changed = false;
		subscription->written_ms = clock_boot_ms();
		return PEP_OK;
	}
	if (status == PEP_CONFLICT || status == PEP_UNKNOWN)
		return look_again(subscription, PEP_UNAVAILABLE, err);
	return status;
}

void subscription_leave(struct subscription *subscription)
{
	struct pep_error ignored = {0};

	if (!subscription->is_held)
		return;
	subscription->is_held = false;
	subscription->progress.holder[0] = '\0';
	/* If this fails, some are told again, and another server waits until the time has passed. */
	(void)write_note(subscription, &ignored);
}

bool subscription_is_due(const struct subscription *subscription)
{
	return is_shared(subscription) && clock_boot_ms() - subscription->written_ms >= SUBSCRIPTION_LEASE_MS / 3;
}
