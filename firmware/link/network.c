#include "network.h"

#include <string.h>

/* Texts without stdio, which a board would pay for with kilobytes of flash. */
static void add_text(ql_network *network, const char *text) {
    size_t used = strlen(network->fault);
    while (*text && used + 1u < QL_FAULT_BYTES) network->fault[used++] = *text++;
    network->fault[used] = 0;
}

static void add_number(ql_network *network, uint32_t number) {
    char digits[11];
    char *at = digits + sizeof digits - 1;
    *at = 0;
    do *--at = (char)('0' + number % 10u);
    while ((number /= 10u) != 0);
    add_text(network, at);
}

static void tell_error(ql_network *network, const qb_error *error) {
    if (error->operator_index >= 0) {
        add_text(network, "operator ");
        add_number(network, (uint32_t)error->operator_index);
        add_text(network, " (builtin code ");
        add_number(network, (uint32_t)error->builtin_code);
        add_text(network, ", version ");
        add_number(network, (uint32_t)error->version);
        add_text(network, "): ");
    }
    add_text(network, error->what ? error->what : "the model does not fit");
    if (error->status == QB_NO_MEMORY) {
        add_text(network, "; bytes needed: ");
        add_number(network, error->needed);
        add_text(network, ", available: ");
        add_number(network, error->available);
    }
}

static ql_tensor describe(const qb_tensor *from) {
    ql_tensor to = {from->type, from->rank, {0}, 0.0f, 0};
    for (uint8_t i = 0; i < from->rank && i < QL_MAX_RANK; i++) to.shape[i] = (uint32_t)from->dims[i];
    if (from->scale_count > 0) {
        to.scale = from->scale;
        to.zero_point = from->zero_point;
    }
    return to;
}

static const char *invoke(void *context, const uint8_t *input, const uint8_t **output, uint64_t *count) {
    const ql_network *network = context;
    const qb_interpreter *it = &network->interpreter;
    const qb_tensor *in = qb_input_tensor(it, 0);
    memcpy(qb_tensor_data(it, in), input, in->bytes);
    uint64_t start = network->now();
    qb_invoke(it);
    *count = network->now() - start;
    *output = qb_tensor_data(it, qb_output_tensor(it, 0));
    return NULL;
}

void ql_network_open(ql_network *network, const uint8_t *file, uint32_t file_size, uint8_t *arena,
                     uint32_t arena_size, uint64_t (*now)(void)) {
    qb_interpreter *it = &network->interpreter;
    ql_model *model = &network->model;
    memset(network, 0, sizeof *network);
    network->now = now;
    ql_sha256(file, file_size, network->sha256);
    model->sha256 = network->sha256;
    model->bytes = file_size;
    model->arena_available = arena_size;
    model->invoke = invoke;
    model->context = network;
    if (qb_open(it, file, file_size, arena, arena_size) != QB_OK) {
        tell_error(network, &it->error);
    } else if (it->inputs.count != 1 || it->outputs.count != 1) {
        add_text(network, "the model has more than one input or output tensor");
    } else {
        model->input = describe(qb_input_tensor(it, 0));
        model->output = describe(qb_output_tensor(it, 0));
    }
    model->arena_used = it->used;
    model->fault = network->fault[0] ? network->fault : NULL;
}
