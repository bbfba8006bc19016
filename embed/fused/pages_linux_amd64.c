#include "pages.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { LARGE_PAGE = 2 << 20, SMALL_PAGE = 4 << 10, SLAB = 32 << 20 };

// Pieces of memory are taken from a slab one after another. It goes back when all of them have; the pages of each do so at once.
typedef struct slab slab;
struct slab {
	char *memory;
	size_t size, used, pieces;
	slab *next;
};

static slab *slabs; // the last one first
static pthread_mutex_t taking = PTHREAD_MUTEX_INITIALIZER;

static uintptr_t round_up(uintptr_t size, size_t unit) { return (size + unit - 1) / unit * unit; }

// Memory that begins where a large page does.
static char *map(size_t size) {
	char *mapped = mmap(NULL, size + LARGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mapped == MAP_FAILED)
		return NULL;
	char *memory = (char *)round_up((uintptr_t)mapped, LARGE_PAGE);
	if (memory > mapped)
		munmap(mapped, memory - mapped);
	if (memory < mapped + LARGE_PAGE)
		munmap(memory + size, mapped + LARGE_PAGE - memory);
	madvise(memory, size, MADV_HUGEPAGE); // which systems without such pages refuse
	return memory;
}

static slab *new_slab(size_t size) {
	slab *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->size = round_up(size > SLAB ? size : SLAB, LARGE_PAGE), s->memory = map(s->size);
	if (!s->memory) {
		free(s);
		return NULL;
	}
	s->next = slabs, slabs = s;
	return s;
}

void *pages_take(size_t size) {
	void *memory = NULL;
	size = round_up(size, 64);
	pthread_mutex_lock(&taking);
	slab *s = slabs;
	if (!s || s->size - s->used < size)
		s = new_slab(size);
	if (s)
		memory = s->memory + s->used, s->used += size, s->pieces++;
	pthread_mutex_unlock(&taking);
	return memory;
}

void pages_give(void *memory, size_t size) {
	if (!memory)
		return;
	uintptr_t from = round_up((uintptr_t)memory, SMALL_PAGE), to = ((uintptr_t)memory + round_up(size, 64)) / SMALL_PAGE * SMALL_PAGE;
	pthread_mutex_lock(&taking);
	slab **at = &slabs;
	while ((char *)memory < (*at)->memory || (char *)memory >= (*at)->memory + (*at)->size)
		at = &(*at)->next;
	slab *s = *at;
	if (--s->pieces == 0) {
		*at = s->next;
		munmap(s->memory, s->size);
		free(s);
	} else if (to > from) {
		madvise((void *)from, to - from, MADV_DONTNEED);
	}
	pthread_mutex_unlock(&taking);
}
