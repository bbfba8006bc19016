#include "product.h"
#include "runtime.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// The inputs of the operator; all after the scale may be missing.
enum { INPUT_X, INPUT_WEIGHT, INPUT_SCALE, INPUT_SHIFT, INPUT_BIAS, INPUT_BIAS2, INPUTS };

typedef struct {
	const function *api;
	packed *weights;
	size_t inner, width;
	int mode, gelu;
} kernel;

#define CALL(api, place, type) ((type)(api)[place])

static void *failed(const function *api, const char *message) {
	return CALL(api, CREATE_STATUS, void *(*)(int, const char *))(1, message);
}

// Sizes of a tensor: how many dimensions there are; those beyond most are not stored.
static void *shape_of(const function *api, const void *value, int64_t *sizes, size_t most, size_t *count) {
	void *shape = NULL, *status = CALL(api, TENSOR_SHAPE, void *(*)(const void *, void **))(value, &shape);
	if (status)
		return status;
	status = CALL(api, DIMENSION_COUNT, void *(*)(const void *, size_t *))(shape, count);
	if (!status && *count <= most)
		status = CALL(api, DIMENSIONS, void *(*)(const void *, int64_t *, size_t))(shape, sizes, *count);
	CALL(api, RELEASE_SHAPE, void (*)(void *))(shape);
	return status;
}

static void *data_of(const function *api, const void *value, void **data) {
	return CALL(api, TENSOR_DATA, void *(*)(const void *, void **))(value, data);
}

static int attribute(const function *api, const void *info, const char *name, int *value) {
	int64_t wide = 0;
	void *status = CALL(api, ATTRIBUTE_INTEGER, void *(*)(const void *, const char *, int64_t *))(info, name, &wide);
	if (status)
		CALL(api, RELEASE_STATUS, void (*)(void *))(status);
	*value = (int)wide;
	return !status;
}

static void *create(const operator *op, const function *api, const void *info, void **created) {
	(void)op;
	int constant = 0;
	const void *weight = NULL;
	void *status = CALL(api, CONSTANT_INPUT, void *(*)(const void *, size_t, int *, const void **))(info, INPUT_WEIGHT, &constant, &weight);
	if (status)
		return status;
	int64_t sizes[2];
	size_t count = 0;
	void *codes = NULL;
	if (!constant || (status = shape_of(api, weight, sizes, 2, &count)) || count != 2 || sizes[0] < 1 || sizes[1] < 1 || (status = data_of(api, weight, &codes)))
		return status ? status : failed(api, "the weights of a product must be a constant matrix");
	kernel *k = calloc(1, sizeof *k);
	if (!k)
		return failed(api, "no memory");
	k->api = api, k->inner = sizes[0], k->width = sizes[1];
	if (!attribute(api, info, "mode", &k->mode) || !attribute(api, info, "gelu", &k->gelu) || !(k->weights = packed_acquire(codes, k->inner, k->width))) {
		free(k);
		return failed(api, "a product cannot be prepared");
	}
	*created = k;
	return NULL;
}

static void destroy(void *created) {
	kernel *k = created;
	packed_release(k->weights);
	free(k);
}

// Memory of earlier runs is kept for later ones, a few pieces in all.
enum { KEPT = 4 };

static struct {
	void *memory;
	size_t size;
} kept[KEPT];
static pthread_mutex_t keeping = PTHREAD_MUTEX_INITIALIZER;

static void *borrow(size_t *size) {
	void *memory = NULL;
	pthread_mutex_lock(&keeping);
	for (int i = 0; i < KEPT && !memory; i++)
		if (kept[i].size >= *size)
			memory = kept[i].memory, *size = kept[i].size, kept[i].memory = NULL, kept[i].size = 0;
	pthread_mutex_unlock(&keeping);
	return memory ? memory : aligned_alloc(64, (*size + 63) / 64 * 64);
}

static void give_back(void *memory, size_t size) {
	pthread_mutex_lock(&keeping);
	int smallest = 0;
	for (int i = 1; i < KEPT; i++)
		if (kept[i].size < kept[smallest].size)
			smallest = i;
	if (kept[smallest].size < size) {
		void *other = kept[smallest].memory;
		kept[smallest].memory = memory, kept[smallest].size = size, memory = other;
	}
	pthread_mutex_unlock(&keeping);
	free(memory);
}

typedef struct {
	product *product;
	void (*step)(product *, size_t);
	size_t steps, width; // width steps at once
} loop;

static void some_steps(void *given, size_t turn) {
	loop *l = given;
	for (size_t i = turn * l->width; i < l->steps && i < (turn + 1) * l->width; i++)
		l->step(l->product, i);
}

static void *each(const function *api, const void *context, product *p, void (*step)(product *, size_t), size_t steps, size_t width) {
	loop l = {p, step, steps, width};
	size_t turns = (steps + width - 1) / width;
	if (turns <= 1) {
		some_steps(&l, 0);
		return NULL;
	}
	return CALL(api, PARALLEL_FOR, void *(*)(const void *, void (*)(void *, size_t), size_t, size_t, void *))(context, some_steps, turns, 0, &l);
}

// Blocks of rows that are quantised at once, since each takes a few microseconds.
enum { BLOCKS_AT_ONCE = 4 };

static void *run(const function *api, const void *context, product *p) {
	size_t size = product_scratch(p), blocks = product_blocks(p);
	void *scratch = borrow(&size), *status = NULL;
	if (!scratch)
		return failed(api, "no memory");
	product_prepare(p, scratch);
	if (p->mode == MODE_RUN) {
		status = each(api, context, p, product_range, blocks, BLOCKS_AT_ONCE);
		product_join(p);
	}
	if (!status)
		status = each(api, context, p, product_quantize, blocks, BLOCKS_AT_ONCE);
	if (!status)
		status = each(api, context, p, product_part, product_parts(p), 1);
	give_back(scratch, size);
	return status;
}

// What an input holds and how many values; nothing where it is missing.
static void *values(const kernel *k, const void *context, size_t index, const float **data, size_t *count) {
	const void *value = NULL;
	void *status = CALL(k->api, CONTEXT_INPUT, void *(*)(const void *, size_t, const void **))(context, index, &value);
	*data = NULL, *count = 0;
	if (status || !value)
		return status;
	int64_t sizes[8];
	size_t dimensions = 0;
	if ((status = shape_of(k->api, value, sizes, 8, &dimensions)))
		return status;
	*count = 1;
	for (size_t i = 0; i < dimensions && i < 8; i++)
		*count *= sizes[i];
	return data_of(k->api, value, (void **)data);
}

static void *compute(void *created, void *context) {
	const kernel *k = created;
	const function *api = k->api;
	const float *inputs[INPUTS];
	size_t counts[INPUTS];
	for (size_t i = 0; i < INPUTS; i++)
		if (i != INPUT_WEIGHT) {
			void *status = values(k, context, i, &inputs[i], &counts[i]);
			if (status)
				return status;
		}
	int64_t sizes[8];
	size_t dimensions = 0;
	const void *x = NULL;
	void *y = NULL, *output = NULL, *status = CALL(api, CONTEXT_INPUT, void *(*)(const void *, size_t, const void **))(context, INPUT_X, &x);
	if (status || (status = shape_of(api, x, sizes, 8, &dimensions)))
		return status;
	if (!dimensions || dimensions > 8 || (size_t)sizes[dimensions - 1] != k->inner || counts[INPUT_SCALE] != k->width ||
	    (counts[INPUT_SHIFT] > 1 && counts[INPUT_SHIFT] != k->inner) || (inputs[INPUT_BIAS] && counts[INPUT_BIAS] != k->width) ||
	    (inputs[INPUT_BIAS2] && counts[INPUT_BIAS2] != k->width))
		return failed(api, "the sizes of a product do not fit");
	sizes[dimensions - 1] = k->width;
	status = CALL(api, CONTEXT_OUTPUT, void *(*)(void *, size_t, const int64_t *, size_t, void **))(context, 0, sizes, dimensions, &output);
	if (status || (status = data_of(api, output, &y)) || !counts[INPUT_X])
		return status;
	product p = {.x = inputs[INPUT_X], .shift = inputs[INPUT_SHIFT], .shifts = counts[INPUT_SHIFT], .scale = inputs[INPUT_SCALE],
	             .bias = inputs[INPUT_BIAS], .bias2 = inputs[INPUT_BIAS2], .rows = counts[INPUT_X] / k->inner,
	             .mode = k->mode, .gelu = k->gelu, .weights = k->weights, .y = y};
	return run(api, context, &p);
}

static const char *name(const operator *op) { return (void)op, "QuantizedProduct"; }
static const char *provider(const operator *op) { return (void)op, NULL; } // the processor
static size_t input_count(const operator *op) { return (void)op, INPUTS; }
static size_t output_count(const operator *op) { return (void)op, 1; }
static int input_type(const operator *op, size_t index) { return (void)op, index == INPUT_WEIGHT ? TYPE_INT8 : TYPE_FLOAT; }
static int output_type(const operator *op, size_t index) { return (void)op, (void)index, TYPE_FLOAT; }
static int input_kind(const operator *op, size_t index) { return (void)op, index > INPUT_SCALE ? KIND_OPTIONAL : KIND_REQUIRED; }
static int output_kind(const operator *op, size_t index) { return (void)op, (void)index, KIND_REQUIRED; }
static int memory(const operator *op, size_t index) { return (void)op, (void)index, 0; }
static void *create_unchecked(const operator *op, const function *api, const void *info) { return (void)op, (void)api, (void)info, NULL; }
static void compute_unchecked(void *kernel, void *context) { (void)kernel, (void)context; }
static int none(const operator *op) { return (void)op, 0; }
static int first(const operator *op) { return (void)op, 1; }
static int last(const operator *op) { return (void)op, INT32_MAX; }

static const operator product_operator = {
	.version = API_VERSION, .create = create_unchecked, .name = name, .provider = provider, .input_type = input_type, .input_count = input_count,
	.output_type = output_type, .output_count = output_count, .compute = compute_unchecked, .destroy = destroy, .input_kind = input_kind,
	.output_kind = output_kind, .input_memory = memory, .variadic_input_least = none, .variadic_input_alike = none,
	.variadic_output_least = none, .variadic_output_alike = none, .create_checked = create, .compute_checked = compute,
	.infer_shape = NULL, .version_from = first, .version_to = last,
};

const char *register_product(void *library, void *session_options) {
	const interface *(*base)(void) = (const interface *(*)(void))dlsym(library, "OrtGetApiBase");
	const function *api = base ? base()->api(API_VERSION) : NULL;
	if (!api)
		return "the library has another interface";
	// A domain lives as long as the program: sessions that use it may outlive these options.
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	static const function *of;
	static void *domain;
	void *status = NULL;
	pthread_mutex_lock(&mutex);
	if (of != api) {
		void *made = NULL;
		status = CALL(api, CREATE_DOMAIN, void *(*)(const char *, void **))("mekiki", &made);
		if (!status)
			status = CALL(api, DOMAIN_ADD, void *(*)(void *, const operator *))(made, &product_operator);
		if (!status)
			of = api, domain = made;
	}
	if (!status)
		status = CALL(api, ADD_DOMAIN, void *(*)(void *, void *))(session_options, domain);
	pthread_mutex_unlock(&mutex);
	if (!status)
		return NULL;
	CALL(api, RELEASE_STATUS, void (*)(void *))(status);
	return "the runtime refuses the operator";
}
