#include "shared.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

static pthread_mutex_t sharing = PTHREAD_MUTEX_INITIALIZER;

uint64_t hash_of(uint64_t hash, const void *bytes, size_t size) {
	hash ^= size;
	for (size_t i = 0; i + 8 <= size; i += 8) {
		uint64_t word;
		memcpy(&word, (const char *)bytes + i, 8);
		hash = (hash ^ word) * 0x9E3779B97F4A7C15ull;
		hash ^= hash >> 29;
	}
	return hash;
}

shared *shared_acquire(shared_list *list, uint64_t hash, const void *given) {
	pthread_mutex_lock(&sharing);
	shared *s = list->first;
	while (s && !(s->hash == hash && list->equal(s, given)))
		s = s->next;
	if (!s && (s = list->pack(given)))
		s->hash = hash, s->users = 0, s->next = list->first, list->first = s;
	if (s)
		s->users++;
	pthread_mutex_unlock(&sharing);
	return s;
}

void shared_release(shared_list *list, shared *packed) {
	pthread_mutex_lock(&sharing);
	if (--packed->users == 0) {
		shared **at = &list->first;
		while (*at != packed)
			at = &(*at)->next;
		*at = packed->next;
		list->free(packed);
	}
	pthread_mutex_unlock(&sharing);
}

void leave_pages(const void *bytes, size_t size) {
#ifdef MADV_PAGEOUT
	uintptr_t from = ((uintptr_t)bytes + 4095) & ~(uintptr_t)4095, to = ((uintptr_t)bytes + size) & ~(uintptr_t)4095;
	if (to > from)
		madvise((void *)from, to - from, MADV_PAGEOUT);
#endif
}
