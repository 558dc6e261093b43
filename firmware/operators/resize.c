#include "resize.h"

qb_status qb_prepare_resize(qb_interpreter *it, qb_node *node, unsigned first_field) {
    const qb_tensor *input = qb_input(it, node, 0), *size = qb_input(it, node, 1),
                    *output = qb_output(it, node);
    qb_table options = qb_options(it, node);
    const qk_resize_params p = {
        .batches = input->dims[0],
        .channels = input->dims[3],
        .input_height = input->dims[1],
        .input_width = input->dims[2],
        .output_height = output->dims[1],
        .output_width = output->dims[2],
        .align_corners = qb_u8(&it->file, options, first_field, 0) != 0,
        .half_pixel = qb_u8(&it->file, options, first_field + 1, 0) != 0,
    };
    QB_REQUIRE(it,
               (input->type == QB_INT8 || input->type == QB_INT16) && output->type == input->type &&
                   input->rank == 4 && output->rank == 4,
               "input and output must be int8, or int16, of rank 4");
    QB_REQUIRE(it, qb_same_quantization(input, output),
               "input and output must have the same scale and zero point");
    QB_REQUIRE(it,
               qb_is_constant_ints(size) && size->elements == 2 &&
                   qb_int_at(it, size, 0) == output->dims[1] && qb_int_at(it, size, 1) == output->dims[2] &&
                   input->dims[0] == output->dims[0] && input->dims[3] == output->dims[3],
               "the output's shape is not the one asked for");
    QB_REQUIRE(it,
               input->dims[1] < 1 << 16 && input->dims[2] < 1 << 16 && output->dims[1] < 1 << 16 &&
                   output->dims[2] < 1 << 16,
               "an image is wider or higher than 65535");
    QB_REQUIRE(it, !(p.align_corners && p.half_pixel),
               "align_corners and half_pixel_centers exclude each other");
    return qb_store_copy(it, node, &p, sizeof p);
}
