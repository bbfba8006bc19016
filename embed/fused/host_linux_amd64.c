#include "host.h"

#include <pthread.h>
#include <stdlib.h>

void *failed(const function *api, const char *message) {
	return CALL(api, CREATE_STATUS, void *(*)(int, const char *))(1, message);
}

void *shape_of(const function *api, const void *value, int64_t *sizes, size_t most, size_t *count) {
	void *shape = NULL, *status = CALL(api, TENSOR_SHAPE, void *(*)(const void *, void **))(value, &shape);
	if (status)
		return status;
	status = CALL(api, DIMENSION_COUNT, void *(*)(const void *, size_t *))(shape, count);
	if (!status && *count <= most)
		status = CALL(api, DIMENSIONS, void *(*)(const void *, int64_t *, size_t))(shape, sizes, *count);
	CALL(api, RELEASE_SHAPE, void (*)(void *))(shape);
	return status;
}

void *data_of(const function *api, const void *value, void **data) {
	return CALL(api, TENSOR_DATA, void *(*)(const void *, void **))(value, data);
}

static void count_values(tensor *t) {
	t->count = 1;
	for (size_t i = 0; i < t->dimensions; i++)
		t->count *= t->sizes[i];
}

void *input(const function *api, const void *context, size_t index, tensor *t) {
	const void *value = NULL;
	void *data = NULL, *status = CALL(api, CONTEXT_INPUT, void *(*)(const void *, size_t, const void **))(context, index, &value);
	*t = (tensor){0};
	if (status || !value)
		return status;
	if ((status = shape_of(api, value, t->sizes, MOST_DIMENSIONS, &t->dimensions)))
		return status;
	if (t->dimensions > MOST_DIMENSIONS)
		return failed(api, "a tensor has too many dimensions");
	count_values(t);
	status = data_of(api, value, &data);
	t->data = data;
	return status;
}

void *output(const function *api, void *context, tensor *t) {
	void *value = NULL, *data = NULL;
	void *status = CALL(api, CONTEXT_OUTPUT, void *(*)(void *, size_t, const int64_t *, size_t, void **))(context, 0, t->sizes, t->dimensions, &value);
	if (!status)
		status = data_of(api, value, &data);
	t->data = data;
	count_values(t);
	return status;
}

static int was_there(const function *api, void *status) {
	if (status)
		CALL(api, RELEASE_STATUS, void (*)(void *))(status);
	return !status;
}

int attribute(const function *api, const void *info, const char *name, int *value) {
	int64_t wide = 0;
	int there = was_there(api, CALL(api, ATTRIBUTE_INTEGER, void *(*)(const void *, const char *, int64_t *))(info, name, &wide));
	*value = (int)wide;
	return there;
}

int attribute_float(const function *api, const void *info, const char *name, float *value) {
	return was_there(api, CALL(api, ATTRIBUTE_FLOAT, void *(*)(const void *, const char *, float *))(info, name, value));
}

void *constant(const function *api, const void *info, size_t index, int64_t *sizes, size_t dimensions, void **data) {
	int is_constant = 0;
	size_t count = 0;
	const void *value = NULL;
	void *status = CALL(api, CONSTANT_INPUT, void *(*)(const void *, size_t, int *, const void **))(info, index, &is_constant, &value);
	if (status)
		return status;
	if (!is_constant || (status = shape_of(api, value, sizes, dimensions, &count)) || count != dimensions)
		return status ? status : failed(api, "what a product is made of must be constant, and of its rank");
	for (size_t i = 0; i < count; i++)
		if (sizes[i] < 1)
			return failed(api, "what a product is made of is empty");
	return data_of(api, value, data);
}

int adds_up(const tensor *add, const tensor *y) {
	size_t i = 0;
	if (!add->data)
		return 1;
	while (i < add->dimensions && i < y->dimensions && add->sizes[add->dimensions - 1 - i] == y->sizes[y->dimensions - 1 - i])
		i++;
	for (; i < add->dimensions; i++)
		if (add->sizes[add->dimensions - 1 - i] != 1)
			return 0;
	return add->count && add->dimensions <= y->dimensions;
}

enum { KEPT = 8 };

static struct {
	void *memory;
	size_t size;
} kept[KEPT];
static pthread_mutex_t keeping = PTHREAD_MUTEX_INITIALIZER;

void *borrow(size_t *size) {
	void *memory = NULL;
	int best = -1;
	pthread_mutex_lock(&keeping);
	for (int i = 0; i < KEPT; i++)
		if (kept[i].size >= *size && (best < 0 || kept[i].size < kept[best].size))
			best = i;
	if (best >= 0)
		memory = kept[best].memory, *size = kept[best].size, kept[best].memory = NULL, kept[best].size = 0;
	pthread_mutex_unlock(&keeping);
	return memory ? memory : aligned_alloc(64, (*size + 63) / 64 * 64);
}

void give_back(void *memory, size_t size) {
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
	void *of;
	void (*step)(void *, size_t);
	size_t steps, width;
} loop;

static void some_steps(void *given, size_t turn) {
	loop *l = given;
	for (size_t i = turn * l->width; i < l->steps && i < (turn + 1) * l->width; i++)
		l->step(l->of, i);
}

void *each(const function *api, const void *context, void *of, void (*step)(void *, size_t), size_t steps, size_t width) {
	loop l = {of, step, steps, width};
	size_t turns = (steps + width - 1) / width;
	if (turns <= 1) {
		some_steps(&l, 0);
		return NULL;
	}
	return CALL(api, PARALLEL_FOR, void *(*)(const void *, void (*)(void *, size_t), size_t, size_t, void *))(context, some_steps, turns, 0, &l);
}

const char *provider(const operator *op) { return (void)op, NULL; } // the processor
size_t one_output(const operator *op) { return (void)op, 1; }
int float_output(const operator *op, size_t index) { return (void)op, (void)index, TYPE_FLOAT; }
int required(const operator *op, size_t index) { return (void)op, (void)index, KIND_REQUIRED; }
int any_memory(const operator *op, size_t index) { return (void)op, (void)index, 0; }
void *create_unchecked(const operator *op, const function *api, const void *info) { return (void)op, (void)api, (void)info, NULL; }
void compute_unchecked(void *kernel, void *context) { (void)kernel, (void)context; }
int none(const operator *op) { return (void)op, 0; }
int first_version(const operator *op) { return (void)op, 1; }
int last_version(const operator *op) { return (void)op, INT32_MAX; }
