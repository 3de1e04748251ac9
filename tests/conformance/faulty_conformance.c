/* SPDX-License-Identifier: Apache-2.0
 *
 * Without rules the faulty plugin is the store that it wraps: what its faults show is then the caller's doing, not its own.
 */
#include "faulty_place.h"

int main(void)
{
	struct faulty_place *place = faulty_place_new();
	struct storage_facts facts = faulty_place_facts(place);
	int failed = storage_suite_run(&facts);

	faulty_place_free(place);
	return failed;
}
