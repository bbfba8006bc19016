// What the operators ask of ONNX Runtime, and share.
#ifndef MEKIKI_HOST_H
#define MEKIKI_HOST_H

#include "runtime.h"

#define CALL(api, place, type) ((type)(api)[place])

enum { MOST_DIMENSIONS = 8 };

// Functions that return a void * return a status: null, or what went wrong.

void *failed(const function *api, const char *message);

// An input or output of a kernel that is running.
typedef struct {
	float *data; // null where it is missing
	int64_t sizes[MOST_DIMENSIONS];
	size_t dimensions, count; // values
} tensor;

// Sizes of a tensor: how many dimensions there are; those beyond most are not stored.
void *shape_of(const function *api, const void *value, int64_t *sizes, size_t most, size_t *count);
void *data_of(const function *api, const void *value, void **data);
void *input(const function *api, const void *context, size_t index, tensor *t);
// The first output, of the sizes that t has.
void *output(const function *api, void *context, tensor *t);
// An attribute of a node, an integer; nothing is returned where there is none.
int attribute(const function *api, const void *info, const char *name, int *value);
int attribute_float(const function *api, const void *info, const char *name, float *value);

// An input that is a constant, its sizes (of as many dimensions as are asked for) and its data.
void *constant(const function *api, const void *info, size_t index, int64_t *sizes, size_t dimensions, void **data);
// Whether what is added to a result has its shape, or lacks batches that it has: then it stands for each of them.
int adds_up(const tensor *add, const tensor *y);

// Memory of earlier runs is kept for later ones, a few pieces in all. The size becomes that of the piece.
void *borrow(size_t *size);
void give_back(void *memory, size_t size);

// Runs step(of, i) for each i below steps on the threads of the run, width of them at once.
void *each(const function *api, const void *context, void *of, void (*step)(void *of, size_t i), size_t steps, size_t width);

// What operators of one output of floats have in common.
const char *provider(const operator *op);
size_t one_output(const operator *op);
int float_output(const operator *op, size_t index);
int required(const operator *op, size_t index);
int any_memory(const operator *op, size_t index);
void *create_unchecked(const operator *op, const function *api, const void *info);
void compute_unchecked(void *kernel, void *context);
int none(const operator *op);
int first_version(const operator *op);
int last_version(const operator *op);

#define OPERATOR_DEFAULTS \
	.version = API_VERSION, .create = create_unchecked, .provider = provider, .output_type = float_output, .output_count = one_output, \
	.compute = compute_unchecked, .output_kind = required, .input_memory = any_memory, .variadic_input_least = none, \
	.variadic_input_alike = none, .variadic_output_least = none, .variadic_output_alike = none, .infer_shape = NULL, \
	.version_from = first_version, .version_to = last_version

extern const operator product_operator, blocks_operator, attention_operator;

#endif
