#include "attention.h"
#include "host.h"

#include <math.h>
#include <stdlib.h>

// The inputs of the operator; the biases may be missing. Query, key and value may be one tensor.
enum { INPUT_QUERY, INPUT_KEY, INPUT_VALUE, INPUT_BIAS, INPUT_SCORE_BIAS, INPUTS };

typedef struct {
	const function *api;
	int heads, width;      // width: of all heads together; 0 means that of the query's tensor
	int query, key, value; // the columns at which they begin in the rows of their tensors
	float scale;           // 0 means 1/√depth
	int half, no_tiles;
} kernel;

static void *create(const operator *op, const function *api, const void *info, void **created) {
	(void)op;
	kernel *k = calloc(1, sizeof *k);
	if (!k)
		return failed(api, "no memory");
	int whole = 0; // floats of 32 bits are asked for
	attribute(api, info, "float32", &whole);
	attribute(api, info, "no_tiles", &k->no_tiles);
	k->api = api, k->half = attention_half() && !whole;
	if (!attribute(api, info, "heads", &k->heads) || !attribute(api, info, "width", &k->width) || !attribute(api, info, "query", &k->query) ||
	    !attribute(api, info, "key", &k->key) || !attribute(api, info, "value", &k->value) || !attribute_float(api, info, "scale", &k->scale) ||
	    k->heads < 1 || k->width < 0 || k->query < 0 || k->key < 0 || k->value < 0) {
		free(k);
		return failed(api, "the sizes of an attention do not fit");
	}
	*created = k;
	return NULL;
}

static void destroy(void *created) { free(created); }

// A run, for its threads.
typedef struct {
	const attention *of;
	size_t scratch;
	int failed; // written by any thread
} heads;

static void head_step(void *given, size_t i) {
	heads *h = given;
	size_t size = h->scratch;
	void *scratch = borrow(&size);
	if (!scratch) {
		__atomic_store_n(&h->failed, 1, __ATOMIC_RELAXED);
		return;
	}
	attention_head(h->of, i, scratch);
	give_back(scratch, size);
}

// Heads whose work is less than so many multiplications are taken several at once.
enum { LEAST_WORK = 1 << 20 };

static void *run(const function *api, const void *context, const attention *a) {
	heads h = {a, attention_scratch(a), 0};
	size_t work = 2 * a->queries * a->keys * a->depth;
	void *status = each(api, context, &h, head_step, a->batches * a->heads, 1 + LEAST_WORK / (work + 1));
	return status || !h.failed ? status : failed(api, "no memory");
}

// The rows of a tensor [batches or 1, rows, columns] from a column on.
static int rows_fit(const tensor *t, int64_t column, int64_t width, int64_t batches, rows_of *rows) {
	if (t->dimensions != 3 || t->sizes[2] < column + width || (t->sizes[0] != batches && t->sizes[0] != 1))
		return 0;
	*rows = (rows_of){t->data + column, t->sizes[2], t->sizes[0] == 1 ? 0 : t->sizes[1] * t->sizes[2]};
	return 1;
}

static int score_bias_fits(const tensor *t, attention *a) {
	if (!t->data)
		return 1;
	if (t->dimensions != 4 || (t->sizes[0] != 1 && (size_t)t->sizes[0] != a->batches) || (t->sizes[1] != 1 && (size_t)t->sizes[1] != a->heads) ||
	    (size_t)t->sizes[2] != a->queries || (size_t)t->sizes[3] != a->keys)
		return 0;
	size_t one = a->queries * a->keys;
	a->score_bias = t->data, a->score_head = t->sizes[1] == 1 ? 0 : one, a->score_batch = t->sizes[0] == 1 ? 0 : one * t->sizes[1];
	return 1;
}

static void *compute(void *created, void *context) {
	const kernel *k = created;
	const function *api = k->api;
	tensor in[INPUTS], y;
	for (size_t i = 0; i < INPUTS; i++) {
		void *status = input(api, context, i, &in[i]);
		if (status)
			return status;
	}
	y = in[INPUT_QUERY];
	int64_t width = k->width ? k->width : y.sizes[2];
	attention a = {.batches = y.sizes[0], .heads = k->heads, .depth = width / k->heads, .queries = y.sizes[1], .keys = in[INPUT_KEY].sizes[1], .half = k->half, .tiles = !k->no_tiles};
	a.scale = k->scale ? k->scale : 1 / sqrtf(a.depth);
	if (y.dimensions != 3 || width < 1 || width % k->heads || !rows_fit(&in[INPUT_QUERY], k->query, width, y.sizes[0], &a.query) || !rows_fit(&in[INPUT_KEY], k->key, width, y.sizes[0], &a.key) ||
	    !rows_fit(&in[INPUT_VALUE], k->value, width, y.sizes[0], &a.value) || in[INPUT_VALUE].sizes[1] != in[INPUT_KEY].sizes[1] ||
	    (in[INPUT_BIAS].data && in[INPUT_BIAS].count != 3 * (size_t)width) || !score_bias_fits(&in[INPUT_SCORE_BIAS], &a))
		return failed(api, "the sizes of an attention do not fit");
	if (in[INPUT_BIAS].data)
		a.query_bias = in[INPUT_BIAS].data, a.value_bias = in[INPUT_BIAS].data + 2 * width;
	y.sizes[2] = width;
	void *status = output(api, context, &y);
	a.y = y.data;
	if (status || !y.count)
		return status;
	return a.keys ? run(api, context, &a) : failed(api, "an attention without keys");
}

static const char *name(const operator *op) { return (void)op, "FusedAttention"; }
static size_t input_count(const operator *op) { return (void)op, INPUTS; }
static int input_type(const operator *op, size_t index) { return (void)op, (void)index, TYPE_FLOAT; }
static int input_kind(const operator *op, size_t index) { return (void)op, index > INPUT_VALUE ? KIND_OPTIONAL : KIND_REQUIRED; }

const operator attention_operator = {
	OPERATOR_DEFAULTS, .name = name, .input_type = input_type, .input_count = input_count, .input_kind = input_kind, .create_checked = create,
	.compute_checked = compute, .destroy = destroy,
};
