/* SPDX-License-Identifier: Apache-2.0 */
#include "fcc-sim/encode.h"
#include "fcc-sim/gateway.h"

void answer_init(struct answer *answer)
{
	*answer = (struct answer){0};
	outcome_init(&answer->outcome);
	buffer_init(&answer->csrs, ANSWER_MAX_SIZE_CSR);
}

void answer_fini(struct answer *answer)
{
	outcome_fini(&answer->outcome);
	buffer_fini(&answer->csrs);
}

bool answer_encode(const struct answer *answer, struct buffer *out)
{
	const struct outcome *outcome = &answer->outcome;

	buffer_init(out, answer->csr_stage ? ANSWER_MAX_SIZE_CSR : ANSWER_MAX_SIZE);
	encode_map_start(out);
	if (answer->csr_stage && outcome->status == STATUS_SUCCESS) {
		encode_text(out, span_text("Csrs"));
		encode_array(out, answer->csr_count);
		buffer_append(out, answer->csrs.data, answer->csrs.size);
	}
	encode_text(out, span_text("SchemeVersion"));
	encode_text(out, span_text("0.0.1"));
	if (answer->has_sid) {
		encode_text(out, span_text("SID"));
		encode_text(out, answer->sid);
	}
	encode_text(out, span_text("ReturnStatus"));
	encode_uint(out, outcome->status);
	encode_text(out, span_text("InfoMessage"));
	encode_text(out, outcome_info(outcome));
	if (outcome->warnings.size > 0) {
		encode_text(out, span_text("WarningInfo"));
		encode_text(out, (struct span){(const uint8_t *)outcome->warnings.data, outcome->warnings.size});
	}
	encode_break(out);
	return !out->failed && !outcome->info.failed && !outcome->warnings.failed && !answer->is_closed;
}
