#include "reader.h"

#include "operator.h"
#include "packed.h"
#include "tables.h"

#define SCHEMA_VERSION 3
#define MAX_TABLE_ENTRIES 0x7FFFu /* steps and tensor indices are 16 bits wide */
#define CUSTOM_OPERATOR 32

static bool is_big_endian(void) {
    const uint16_t one = 1;
    uint8_t first;
    memcpy(&first, &one, 1);
    return first == 0;
}

uint32_t qb_width(uint8_t type) {
    switch (type) {
        case QB_INT8:
        case QB_UINT8:
            return 1;
        case QB_INT16:
            return 2;
        case QB_FLOAT32:
        case QB_INT32:
            return 4;
        case QB_INT64:
            return 8;
        default:
            return 0;
    }
}

static qb_status read_shape(qb_interpreter *it, qb_table from, qb_tensor *tensor) {
    qb_vector shape = qb_elements(&it->file, from, QB_TENSOR_SHAPE, sizeof(int32_t));
    uint64_t elements = 1;
    uint32_t i;
    if (shape.count > QB_MAX_RANK) return qb_fail(it, QB_UNSUPPORTED, "a tensor has more than 6 dimensions");
    tensor->rank = (uint8_t)shape.count;
    for (i = 0; i < shape.count; i++) {
        int32_t dim = qb_i32_in(&it->file, shape, i);
        if (dim < 0) return qb_fail(it, QB_UNSUPPORTED, "a tensor has a dimension of unknown size");
        tensor->dims[i] = dim;
        elements *= (uint32_t)dim;
        if (elements > INT32_MAX / 8)
            return qb_fail(it, QB_UNSUPPORTED, "a tensor has more than 2^28 elements");
    }
    tensor->elements = (uint32_t)elements;
    tensor->bytes = tensor->elements * qb_width(tensor->type);
    return QB_OK;
}

static void read_quantization(qb_interpreter *it, qb_table from, qb_tensor *tensor) {
    qb_flatbuffer *file = &it->file;
    qb_table quantization = qb_child(file, from, QB_TENSOR_QUANTIZATION);
    qb_vector scales = qb_elements(file, quantization, QB_QUANTIZATION_SCALE, sizeof(float));
    qb_vector zero_points = qb_elements(file, quantization, QB_QUANTIZATION_ZERO_POINT, sizeof(int64_t));
    int32_t axis = qb_i32(file, quantization, QB_QUANTIZATION_DIMENSION, 0);
    uint32_t i;
    tensor->uniform_zero = 1;
    if (scales.count == 0) return;
    tensor->scales = scales.at;
    tensor->scale_count = scales.count;
    tensor->scale = qb_load_f32(file->base + scales.at);
    tensor->channel_axis = (uint8_t)(axis >= 0 && axis < tensor->rank ? axis : QB_MAX_RANK);
    for (i = 0; i < zero_points.count; i++) {
        int64_t zero = qb_load_i64(file->base + zero_points.at + i * sizeof(int64_t));
        int32_t narrow = zero < INT32_MIN || zero > INT32_MAX ? INT32_MAX : (int32_t)zero;
        if (i == 0) tensor->zero_point = narrow;
        if (narrow != tensor->zero_point) tensor->uniform_zero = 0;
    }
}

static qb_status take_packed(qb_interpreter *it, qb_vector data, qb_tensor *tensor) {
    if (!qb_is_packed(it->file.base + data.at, data.count, tensor->elements))
        return qb_fail(it, QB_DAMAGED,
                       "a packed constant has not the length that its shape and bits ask for");
    tensor->constant = 1;
    tensor->unpack_from = data.at;
    return QB_OK;
}

static qb_status read_data(qb_interpreter *it, qb_table from, qb_vector buffers, uint8_t type,
                           qb_tensor *tensor) {
    uint32_t index = (uint32_t)qb_i32(&it->file, from, QB_TENSOR_BUFFER, 0);
    qb_table buffer = qb_table_in(&it->file, buffers, index);
    qb_vector data = qb_elements(&it->file, buffer, QB_BUFFER_DATA, 1);
    if (qb_u64(&it->file, buffer, QB_BUFFER_OFFSET, 0) > 1)
        return qb_fail(it, QB_UNSUPPORTED, "constants outside the flatbuffer");
    if (type == QB_PACKED_INT8) return take_packed(it, data, tensor);
    if (data.count == 0 && tensor->elements != 0) return QB_OK;
    if (data.count < tensor->bytes)
        return qb_fail(it, QB_DAMAGED, "a constant is shorter than its shape says");
    if (tensor->type == QB_INT16 && (uintptr_t)(it->file.base + data.at) % sizeof(int16_t) != 0)
        return qb_fail(it, QB_DAMAGED, "a constant of 16-bit elements lies at an odd address");
    tensor->constant = 1;
    if (is_big_endian() && qb_width(tensor->type) > 1)
        tensor->unpack_from = data.at;
    else
        tensor->data = data.at;
    return QB_OK;
}

static qb_status read_tensor(qb_interpreter *it, qb_table from, qb_vector buffers, qb_tensor *tensor) {
    const uint8_t type = qb_u8(&it->file, from, QB_TENSOR_TYPE, QB_FLOAT32);
    memset(tensor, 0, sizeof *tensor);
    tensor->type = type == QB_PACKED_INT8 ? QB_INT8 : type;
    tensor->owner = (uint16_t)(tensor - it->tensors);
    tensor->first_use = QB_NEVER;
    if (read_shape(it, from, tensor) != QB_OK) return it->error.status;
    read_quantization(it, from, tensor);
    if (read_data(it, from, buffers, type, tensor) != QB_OK) return it->error.status;
    if (qb_u8(&it->file, from, QB_TENSOR_IS_VARIABLE, 0))
        return qb_fail(it, QB_UNSUPPORTED, "a tensor keeps state between runs");
    if (qb_child(&it->file, from, QB_TENSOR_SPARSITY).at)
        return qb_fail(it, QB_UNSUPPORTED, "a tensor is sparse");
    return it->file.damaged ? qb_damaged(it) : QB_OK;
}

static qb_status find_operator(qb_interpreter *it, qb_table code, qb_node *node) {
    int32_t deprecated = (int8_t)qb_u8(&it->file, code, QB_CODE_DEPRECATED_BUILTIN, 0);
    int32_t builtin = qb_i32(&it->file, code, QB_CODE_BUILTIN, 0);
    uint8_t i;
    it->error.builtin_code = builtin > deprecated ? builtin : deprecated;
    it->error.version = qb_i32(&it->file, code, QB_CODE_VERSION, 1);
    if (it->error.builtin_code == CUSTOM_OPERATOR) return qb_refuse(it, "custom operators are not supported");
    for (i = 0; i < qb_operator_count; i++) {
        if (qb_operators[i]->builtin_code != it->error.builtin_code) continue;
        QB_REQUIRE(it, it->error.version >= 1 && it->error.version <= qb_operators[i]->max_version,
                   "this version of the operator is not supported");
        node->op = i;
        node->version = (uint8_t)it->error.version;
        return QB_OK;
    }
    return qb_refuse(it, "this operator is not supported");
}

/* Tensor `index` of a list in the file; NULL with the error recorded when there is no such tensor. */
static qb_tensor *tensor_named(qb_interpreter *it, qb_vector list, uint32_t index) {
    int32_t tensor = qb_i32_in(&it->file, list, index);
    if (tensor >= 0 && tensor < it->tensor_count) return &it->tensors[tensor];
    qb_fail(it, QB_DAMAGED, "an operator names a tensor that is not there");
    return NULL;
}

static qb_status write_at(qb_interpreter *it, qb_tensor *tensor, uint32_t step) {
    if (tensor->constant) return qb_fail(it, QB_DAMAGED, "a constant is written to");
    if (tensor->first_use != QB_NEVER) return qb_fail(it, QB_DAMAGED, "a tensor is written twice");
    if (tensor->bytes == 0) return qb_fail(it, QB_UNSUPPORTED, "a tensor is empty or of an unsupported type");
    tensor->first_use = tensor->last_use = (uint16_t)step;
    return QB_OK;
}

static qb_status read_at(qb_interpreter *it, qb_tensor *tensor, uint32_t step) {
    if (qb_in_file(tensor)) return QB_OK;
    if (tensor->first_use == QB_NEVER && tensor->unpack_from) tensor->first_use = (uint16_t)step;
    if (tensor->first_use == QB_NEVER)
        return qb_fail(it, QB_DAMAGED, "a tensor is read before it is written");
    tensor->last_use = (uint16_t)step;
    return QB_OK;
}

/* Note the tensors that operator `index` reads and writes, and when. */
static qb_status connect(qb_interpreter *it, qb_table from, qb_node *node, uint32_t index) {
    qb_vector inputs = qb_elements(&it->file, from, QB_OPERATOR_INPUTS, sizeof(int32_t));
    qb_vector outputs = qb_elements(&it->file, from, QB_OPERATOR_OUTPUTS, sizeof(int32_t));
    const qb_operator *op = qb_operators[node->op];
    uint32_t i;
    if (it->file.damaged) return qb_damaged(it);
    QB_REQUIRE(it, inputs.count >= op->min_inputs && inputs.count < QB_ANY_NUMBER,
               "too few or too many inputs");
    QB_REQUIRE(it, op->max_inputs == QB_ANY_NUMBER || inputs.count <= op->max_inputs, "too many inputs");
    QB_REQUIRE(it, outputs.count == 1, "the operator must have one output");
    node->inputs = inputs.at;
    node->outputs = outputs.at;
    node->input_count = (uint8_t)inputs.count;
    for (i = 0; i < inputs.count; i++) {
        qb_tensor *tensor;
        if (qb_i32_in(&it->file, inputs, i) == QB_ABSENT) {
            QB_REQUIRE(it, i >= op->min_inputs, "an input is missing");
            continue;
        }
        tensor = tensor_named(it, inputs, i);
        if (tensor == NULL || read_at(it, tensor, index + 1) != QB_OK) return it->error.status;
    }
    {
        qb_tensor *output = tensor_named(it, outputs, 0);
        if (output == NULL || write_at(it, output, index + 1) != QB_OK) return it->error.status;
    }
    return QB_OK;
}

static qb_status read_operator(qb_interpreter *it, qb_table from, qb_vector codes, uint32_t index) {
    qb_node *node = &it->nodes[index];
    uint32_t code = (uint32_t)qb_i32(&it->file, from, QB_OPERATOR_CODE, 0);
    memset(node, 0, sizeof *node);
    it->error.operator_index = (int32_t)index;
    if (find_operator(it, qb_table_in(&it->file, codes, code), node) != QB_OK) return it->error.status;
    node->options_type = qb_u8(&it->file, from, QB_OPERATOR_OPTIONS_TYPE, 0);
    node->options = qb_child(&it->file, from, QB_OPERATOR_OPTIONS).at;
    if (it->file.damaged) return qb_damaged(it);
    QB_REQUIRE(it,
               node->options == 0 || node->options_type == qb_operators[node->op]->options_type ||
                   qb_operators[node->op]->options_type == 0,
               "the operator's options are of another operator");
    return connect(it, from, node, index);
}

/* Take the subgraph's inputs as written before the first step, its outputs as read after the last. */
static qb_status read_ends(qb_interpreter *it, bool outputs) {
    qb_vector ends = outputs ? it->outputs : it->inputs;
    uint32_t i;
    for (i = 0; i < ends.count; i++) {
        qb_tensor *tensor = tensor_named(it, ends, i);
        if (tensor == NULL) return it->error.status;
        if (outputs && tensor->constant) return qb_fail(it, QB_UNSUPPORTED, "an output is a constant");
        if ((outputs ? read_at(it, tensor, it->node_count + 1u) : write_at(it, tensor, 0)) != QB_OK)
            return it->error.status;
    }
    return QB_OK;
}

static qb_status read_subgraph(qb_interpreter *it, qb_table model, qb_table graph) {
    qb_flatbuffer *file = &it->file;
    qb_vector codes = qb_elements(file, model, QB_MODEL_OPERATOR_CODES, QB_OFFSET_BYTES);
    qb_vector buffers = qb_elements(file, model, QB_MODEL_BUFFERS, QB_OFFSET_BYTES);
    qb_vector tensors = qb_elements(file, graph, QB_SUBGRAPH_TENSORS, QB_OFFSET_BYTES);
    qb_vector operators = qb_elements(file, graph, QB_SUBGRAPH_OPERATORS, QB_OFFSET_BYTES);
    uint32_t i;
    it->inputs = qb_elements(file, graph, QB_SUBGRAPH_INPUTS, sizeof(int32_t));
    it->outputs = qb_elements(file, graph, QB_SUBGRAPH_OUTPUTS, sizeof(int32_t));
    if (file->damaged) return qb_damaged(it);
    if (tensors.count > MAX_TABLE_ENTRIES || operators.count > MAX_TABLE_ENTRIES)
        return qb_fail(it, QB_UNSUPPORTED, "more than 32767 tensors or operators");
    if (it->inputs.count == 0 || it->outputs.count == 0)
        return qb_fail(it, QB_DAMAGED, "no input or no output");
    it->tensor_count = (uint16_t)tensors.count;
    it->node_count = (uint16_t)operators.count;
    {
        uint32_t at_tensors = qb_reserve(it, tensors.count * (uint32_t)sizeof(qb_tensor));
        uint32_t at_nodes = qb_reserve(it, operators.count * (uint32_t)sizeof(qb_node));
        if (it->error.status != QB_OK) return it->error.status;
        it->tensors = (qb_tensor *)(void *)(it->arena + at_tensors);
        it->nodes = (qb_node *)(void *)(it->arena + at_nodes);
    }
    for (i = 0; i < tensors.count; i++) {
        if (read_tensor(it, qb_table_in(file, tensors, i), buffers, &it->tensors[i]) != QB_OK)
            return it->error.status;
    }
    if (read_ends(it, false) != QB_OK) return it->error.status;
    for (i = 0; i < operators.count; i++) {
        if (read_operator(it, qb_table_in(file, operators, i), codes, i) != QB_OK) return it->error.status;
    }
    it->error.operator_index = -1;
    return read_ends(it, true);
}

qb_status qb_read_model(qb_interpreter *it) {
    const bool packed = it->file.size >= 8 && memcmp(it->file.base + 4, QB_PACKED_MODEL, 4) == 0;
    qb_table model = qb_root(&it->file, packed ? QB_PACKED_MODEL : "TFL3");
    qb_vector graphs = qb_elements(&it->file, model, QB_MODEL_SUBGRAPHS, QB_OFFSET_BYTES);
    if (it->file.damaged) return qb_fail(it, QB_DAMAGED, "not a TFLite file, or cut short");
    if (qb_i32(&it->file, model, QB_MODEL_VERSION, 0) != SCHEMA_VERSION)
        return qb_fail(it, QB_UNSUPPORTED, "another version of the TFLite schema");
    return read_subgraph(it, model, qb_table_in(&it->file, graphs, 0));
}
