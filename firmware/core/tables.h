/* The slots of a model's tables in the TFLite schema (tensorflow/compiler/mlir/lite/schema/schema.fbs), as
 * far as the reader needs them. Those of an operator's options are in operators/schema.h. */
#ifndef QB_TABLES_H
#define QB_TABLES_H

enum { QB_MODEL_VERSION = 0, QB_MODEL_OPERATOR_CODES = 1, QB_MODEL_SUBGRAPHS = 2, QB_MODEL_BUFFERS = 4 };
enum { QB_SUBGRAPH_TENSORS, QB_SUBGRAPH_INPUTS, QB_SUBGRAPH_OUTPUTS, QB_SUBGRAPH_OPERATORS };
enum {
    QB_TENSOR_SHAPE = 0,
    QB_TENSOR_TYPE = 1,
    QB_TENSOR_BUFFER = 2,
    QB_TENSOR_QUANTIZATION = 4,
    QB_TENSOR_IS_VARIABLE = 5,
    QB_TENSOR_SPARSITY = 6
};
enum { QB_QUANTIZATION_SCALE = 2, QB_QUANTIZATION_ZERO_POINT = 3, QB_QUANTIZATION_DIMENSION = 6 };
enum { QB_BUFFER_DATA, QB_BUFFER_OFFSET };
enum { QB_CODE_DEPRECATED_BUILTIN = 0, QB_CODE_VERSION = 2, QB_CODE_BUILTIN = 3 };
enum {
    QB_OPERATOR_CODE,
    QB_OPERATOR_INPUTS,
    QB_OPERATOR_OUTPUTS,
    QB_OPERATOR_OPTIONS_TYPE,
    QB_OPERATOR_OPTIONS
};

#endif
