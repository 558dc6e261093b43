/* PAD and PADV2: constant paddings of an int8, uint8, int32 or float32 tensor. */
#include "common.h"

typedef struct {
    int32_t before[QB_MAX_RANK];
    uint8_t fill[4]; /* bytes of the padding element, for PAD */
} plan;

static qb_status prepare(qb_interpreter *it, qb_node *node) {
    const qb_tensor *input = qb_input(it, node, 0), *paddings = qb_input(it, node, 1),
                    *value = qb_input(it, node, 2);
    const qb_tensor *output = qb_output(it, node);
    plan settings, *p;
    int32_t axis;
    memset(&settings, 0, sizeof settings);
    QB_REQUIRE(it, input->type == output->type && input->rank == output->rank && qb_width(input->type) <= 4,
               "input and output must have one type and rank");
    QB_REQUIRE(it, input->scale_count == 0 || qb_same_quantization(input, output),
               "input and output must have the same scale and zero point");
    QB_REQUIRE(it, qb_is_constant_ints(paddings) && paddings->elements == 2u * input->rank,
               "the paddings must be constant, two a dimension");
    for (axis = 0; axis < input->rank; axis++) {
        int64_t before = qb_int_at(it, paddings, 2 * (uint32_t)axis),
                after = qb_int_at(it, paddings, 2 * (uint32_t)axis + 1);
        QB_REQUIRE(it,
                   before >= 0 && after >= 0 && before <= output->dims[axis] && after <= output->dims[axis] &&
                       before + input->dims[axis] + after == output->dims[axis],
                   "the paddings do not make the output's shape");
        settings.before[axis] = (int32_t)before;
    }
    if (value != NULL) {
        QB_REQUIRE(it,
                   value->type == input->type && value->elements == 1 &&
                       (value->scale_count == 0 || qb_same_quantization(value, output)),
                   "the padding value must be one element of the output's type and scale");
    } else if (output->scale_count == 1) {
        settings.fill[0] = (uint8_t)output->zero_point;
    }
    p = qb_store(it, node, sizeof *p);
    if (p == NULL) return it->error.status;
    *p = settings;
    return QB_OK;
}

static uint8_t *fill(uint8_t *to, const uint8_t *element, uint32_t width, uint32_t count) {
    if (width == 1)
        memset(to, element[0], count);
    else
        for (uint32_t i = 0; i < count; i++) memcpy(to + i * width, element, width);
    return to + count * width;
}

static void eval(const qb_interpreter *it, const qb_node *node) {
    const plan *p = qb_prepared(it, node);
    const qb_tensor *input = qb_input(it, node, 0), *value = qb_input(it, node, 2),
                    *output = qb_output(it, node);
    const uint8_t *from = qb_data(it, input), *element = value ? qb_data(it, value) : p->fill;
    uint8_t *to = qb_tensor_data(it, output);
    const uint32_t width = qb_width(input->type), last = input->rank ? input->rank - 1u : 0;
    const uint32_t run = input->rank ? (uint32_t)input->dims[last] : 1,
                   line = input->rank ? (uint32_t)output->dims[last] : 1;
    int32_t index[QB_MAX_RANK] = {0};
    do {
        bool within = true;
        uint32_t axis;
        for (axis = 0; axis < last; axis++) {
            within =
                within && index[axis] >= p->before[axis] && index[axis] < p->before[axis] + input->dims[axis];
        }
        if (!within) {
            to = fill(to, element, width, line);
            continue;
        }
        to = fill(to, element, width, (uint32_t)p->before[last]);
        memcpy(to, from, run * width);
        from += run * width;
        to = fill(to + run * width, element, width, line - run - (uint32_t)p->before[last]);
    } while (qb_next_index(output->dims, last, index));
}

const qb_kernel qb_pad = {
    .builtin_code = QB_OP_PAD,
    .options_type = QB_PAD_OPTIONS,
    .max_version = 4,
    .min_inputs = 2,
    .max_inputs = 2,
    .prepare = prepare,
    .eval = eval,
};
const qb_kernel qb_padv2 = {
    .builtin_code = QB_OP_PADV2,
    .options_type = QB_PAD_V2_OPTIONS,
    .max_version = 4,
    .min_inputs = 3,
    .max_inputs = 3,
    .prepare = prepare,
    .eval = eval,
};
