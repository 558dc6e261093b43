#include "extremum.h"

qb_status qb_prepare_extremum(qb_interpreter *it, qb_node *node) {
    const qb_tensor *a = qb_input(it, node, 0), *b = qb_input(it, node, 1), *output = qb_output(it, node);
    qk_broadcast walk;
    QB_REQUIRE(it, qb_is_int8(a) && qb_is_int8(b) && qb_is_int8(output),
               "inputs and output must be int8, quantized");
    QB_REQUIRE(it, qb_same_quantization(a, output) && qb_same_quantization(b, output),
               "the inputs must have the output's scale and zero point");
    QB_REQUIRE(it, qb_broadcast_fit(a, b, output, &walk), "the shapes cannot be broadcast to the output's");
    return qb_store_copy(it, node, &walk, sizeof walk);
}
