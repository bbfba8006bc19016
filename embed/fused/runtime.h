// What of ONNX Runtime's C interface the operators need: https://onnxruntime.ai/docs/api/c/. Functions are called by their
// places in the interface's table, which releases only ever extend.
#ifndef MEKIKI_RUNTIME_H
#define MEKIKI_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

typedef void (*function)(void);

typedef struct {
	const function *(*api)(uint32_t version);
	const char *(*version)(void);
} interface;

enum { API_VERSION = 17 }; // the first with parallel loops and constant inputs

// Places in the table.
enum {
	CREATE_STATUS = 0,
	CREATE_DOMAIN = 26,
	DOMAIN_ADD = 27,
	ADD_DOMAIN = 28,
	TENSOR_DATA = 51,
	DIMENSION_COUNT = 61,
	DIMENSIONS = 62,
	TENSOR_SHAPE = 65,
	ATTRIBUTE_FLOAT = 85,
	ATTRIBUTE_INTEGER = 86,
	CONTEXT_INPUT = 90,
	CONTEXT_OUTPUT = 91,
	RELEASE_STATUS = 93,
	RELEASE_SHAPE = 99,
	RELEASE_DOMAIN = 101,
	CONSTANT_INPUT = 249,
	PARALLEL_FOR = 274,
};

typedef struct operator operator;

// An operator of one's own, of API_VERSION.
struct operator {
	uint32_t version;
	void *(*create)(const operator *, const function *, const void *info);
	const char *(*name)(const operator *);
	const char *(*provider)(const operator *);
	int (*input_type)(const operator *, size_t);
	size_t (*input_count)(const operator *);
	int (*output_type)(const operator *, size_t);
	size_t (*output_count)(const operator *);
	void (*compute)(void *kernel, void *context);
	void (*destroy)(void *kernel);
	int (*input_kind)(const operator *, size_t);
	int (*output_kind)(const operator *, size_t);
	int (*input_memory)(const operator *, size_t);
	int (*variadic_input_least)(const operator *);
	int (*variadic_input_alike)(const operator *);
	int (*variadic_output_least)(const operator *);
	int (*variadic_output_alike)(const operator *);
	void *(*create_checked)(const operator *, const function *, const void *info, void **kernel);
	void *(*compute_checked)(void *kernel, void *context);
	void *(*infer_shape)(const operator *, void *context);
	int (*version_from)(const operator *);
	int (*version_to)(const operator *);
};

enum { TYPE_FLOAT = 1, TYPE_UINT8 = 2, TYPE_INT8 = 3, KIND_REQUIRED = 0, KIND_OPTIONAL = 1 };

// Adds the operators to the options of a session. Returns null, or what went wrong.
const char *register_operators(void *library, void *session_options);

#endif
