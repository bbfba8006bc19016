#include "host.h"
#include "product.h"

#include <stdlib.h>

// The inputs of the operator; all after the scale may be missing.
enum { INPUT_X, INPUT_WEIGHT, INPUT_SCALE, INPUT_SHIFT, INPUT_BIAS, INPUT_BIAS2, INPUT_ADD, INPUTS };

typedef struct {
	const function *api;
	packed *weights;
	size_t inner, width;
	int mode, gelu, no_tiles;
} kernel;

static void *create(const operator *op, const function *api, const void *info, void **created) {
	(void)op;
	int64_t sizes[2];
	void *codes = NULL, *status = constant(api, info, INPUT_WEIGHT, sizes, 2, &codes);
	if (status)
		return status;
	kernel *k = calloc(1, sizeof *k);
	if (!k)
		return failed(api, "no memory");
	attribute(api, info, "no_tiles", &k->no_tiles);
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

// Blocks of rows that are quantised at once, since each takes a few microseconds.
enum { BLOCKS_AT_ONCE = 4 };

static void range_step(void *p, size_t i) { product_range(p, i); }
static void quantize_step(void *p, size_t i) { product_quantize(p, i); }
static void part_step(void *p, size_t i) { product_part(p, i); }

static void *run(const function *api, const void *context, product *p) {
	size_t size = product_scratch(p), blocks = product_blocks(p);
	void *scratch = borrow(&size), *status = NULL;
	if (!scratch)
		return failed(api, "no memory");
	product_prepare(p, scratch);
	if (p->mode == MODE_RUN) {
		status = each(api, context, p, range_step, blocks, BLOCKS_AT_ONCE);
		product_join(p);
	}
	if (!status)
		status = each(api, context, p, quantize_step, blocks, BLOCKS_AT_ONCE);
	if (!status)
		status = each(api, context, p, part_step, product_parts(p), 1);
	give_back(scratch, size);
	return status;
}

static int fits(const tensor *t, size_t count) { return !t->data || t->count == count; }

static void *compute(void *created, void *context) {
	const kernel *k = created;
	const function *api = k->api;
	tensor in[INPUTS] = {0}, y;
	for (size_t i = 0; i < INPUTS; i++)
		if (i != INPUT_WEIGHT) {
			void *status = input(api, context, i, &in[i]);
			if (status)
				return status;
		}
	y = in[INPUT_X];
	size_t last = y.dimensions - 1;
	if (!y.dimensions || (size_t)y.sizes[last] != k->inner || in[INPUT_SCALE].count != k->width ||
	    (in[INPUT_SHIFT].count > 1 && in[INPUT_SHIFT].count != k->inner) || !fits(&in[INPUT_BIAS], k->width) || !fits(&in[INPUT_BIAS2], k->width))
		return failed(api, "the sizes of a product do not fit");
	y.sizes[last] = k->width;
	if (y.count && !adds_up(&in[INPUT_ADD], &y))
		return failed(api, "what is added to a product does not fit");
	void *status = output(api, context, &y);
	if (status || !y.count)
		return status;
	product p = {.x = in[INPUT_X].data, .shift = in[INPUT_SHIFT].data, .shifts = in[INPUT_SHIFT].count, .scale = in[INPUT_SCALE].data,
	             .bias = in[INPUT_BIAS].data, .bias2 = in[INPUT_BIAS2].data, .rows = in[INPUT_X].count / k->inner,
	             .add = in[INPUT_ADD].data, .add_rows = in[INPUT_ADD].count / k->width, .mode = k->mode, .gelu = k->gelu, .tiles = !k->no_tiles, .weights = k->weights, .y = y.data};
	return run(api, context, &p);
}

static const char *name(const operator *op) { return (void)op, "QuantizedProduct"; }
static size_t input_count(const operator *op) { return (void)op, INPUTS; }
static int input_type(const operator *op, size_t index) { return (void)op, index == INPUT_WEIGHT ? TYPE_INT8 : TYPE_FLOAT; }
static int input_kind(const operator *op, size_t index) { return (void)op, index > INPUT_SCALE ? KIND_OPTIONAL : KIND_REQUIRED; }

const operator product_operator = {
	OPERATOR_DEFAULTS, .name = name, .input_type = input_type, .input_count = input_count, .input_kind = input_kind, .create_checked = create,
	.compute_checked = compute, .destroy = destroy,
};
