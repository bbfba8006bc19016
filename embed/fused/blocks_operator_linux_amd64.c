#include "blocks.h"
#include "host.h"

#include <stdlib.h>

// The inputs of the operator; all after the scales may be missing.
enum { INPUT_X, INPUT_WEIGHT, INPUT_SCALES, INPUT_BIAS, INPUT_ADD, INPUTS };

typedef struct {
	const function *api;
	packed_blocks *weights;
	size_t inner, width;
	int activation, gated;
} kernel;

static int in_range(const block_weights *w, int64_t count, int64_t bytes) {
	return (w->bits == 4 || w->bits == 8) && w->block >= BLOCK_STEP && w->block <= MOST_BLOCK && w->block % BLOCK_STEP == 0 && w->inner >= 1 &&
	       (size_t)count == (w->inner + w->block - 1) / w->block && (size_t)bytes == w->block * w->bits / 8;
}

static void *create(const operator *op, const function *api, const void *info, void **created) {
	(void)op;
	int64_t sizes[3], of_scales[2];
	int inner = 0, block = 0, activation = ACTIVATION_NONE, gated = 0;
	void *codes = NULL, *scales = NULL, *status = constant(api, info, INPUT_WEIGHT, sizes, 3, &codes);
	if (status || (status = constant(api, info, INPUT_SCALES, of_scales, 2, &scales)))
		return status;
	block_weights w = {.codes = codes, .scales = scales, .width = sizes[0]};
	if (!attribute(api, info, "inner", &inner) || !attribute(api, info, "block", &block) || !attribute(api, info, "bits", &w.bits) || inner < 1 || block < 1)
		return failed(api, "a product in blocks lacks its sizes");
	attribute(api, info, "activation", &activation);
	attribute(api, info, "gated", &gated);
	if (activation < ACTIVATION_NONE || activation >= ACTIVATIONS)
		return failed(api, "a product in blocks has another activation");
	w.inner = inner, w.block = block;
	if (!in_range(&w, sizes[1], sizes[2]) || of_scales[0] != sizes[0] || of_scales[1] != sizes[1])
		return failed(api, "the sizes of a product in blocks do not fit");
	kernel *k = calloc(1, sizeof *k);
	if (!k || !(k->weights = blocks_acquire(&w))) {
		free(k);
		return failed(api, "no memory");
	}
	k->api = api, k->inner = w.inner, k->width = w.width, k->activation = activation, k->gated = gated != 0;
	*created = k;
	return NULL;
}

static void destroy(void *created) {
	kernel *k = created;
	blocks_release(k->weights);
	free(k);
}

static void quantize_step(void *p, size_t i) { blocks_quantize(p, i); }
static void part_step(void *p, size_t i) { blocks_part(p, i); }

static void *run(const function *api, const void *context, block_product *p) {
	size_t size = blocks_scratch(p);
	void *scratch = borrow(&size);
	if (!scratch)
		return failed(api, "no memory");
	blocks_prepare(p, scratch);
	void *status = each(api, context, p, quantize_step, blocks_chunks(p), 1);
	if (!status)
		status = each(api, context, p, part_step, blocks_parts(p), 1);
	give_back(scratch, size);
	return status;
}

static void *compute(void *created, void *context) {
	const kernel *k = created;
	const function *api = k->api;
	tensor in[INPUTS] = {0}, y;
	for (size_t i = 0; i < INPUTS; i++)
		if (i != INPUT_WEIGHT && i != INPUT_SCALES) {
			void *status = input(api, context, i, &in[i]);
			if (status)
				return status;
		}
	y = in[INPUT_X];
	size_t last = y.dimensions - 1, read = k->inner * (k->gated ? 2 : 1);
	if (!y.dimensions || (size_t)y.sizes[last] != read || (in[INPUT_BIAS].data && in[INPUT_BIAS].count != k->width))
		return failed(api, "the sizes of a product in blocks do not fit");
	y.sizes[last] = k->width;
	if (y.count && !adds_up(&in[INPUT_ADD], &y))
		return failed(api, "what is added to a product does not fit");
	void *status = output(api, context, &y);
	if (status || !y.count)
		return status;
	block_product p = {.x = in[INPUT_X].data, .bias = in[INPUT_BIAS].data, .rows = in[INPUT_X].count / read, .activation = k->activation, .gated = k->gated, .weights = k->weights,
	                   .add = in[INPUT_ADD].data, .add_rows = in[INPUT_ADD].count / k->width, .y = y.data};
	return run(api, context, &p);
}

static const char *name(const operator *op) { return (void)op, "BlockProduct"; }
static size_t input_count(const operator *op) { return (void)op, INPUTS; }
static int input_type(const operator *op, size_t index) { return (void)op, index == INPUT_WEIGHT ? TYPE_UINT8 : TYPE_FLOAT; }
static int input_kind(const operator *op, size_t index) { return (void)op, index > INPUT_SCALES ? KIND_OPTIONAL : KIND_REQUIRED; }

const operator blocks_operator = {
	OPERATOR_DEFAULTS, .name = name, .input_type = input_type, .input_count = input_count, .input_kind = input_kind, .create_checked = create,
	.compute_checked = compute, .destroy = destroy,
};
