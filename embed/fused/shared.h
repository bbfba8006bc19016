// Packed weights that kernels of equal weights share, whatever session they belong to.
#ifndef MEKIKI_SHARED_H
#define MEKIKI_SHARED_H

#include <stddef.h>
#include <stdint.h>

// The head of every kind of packed weights.
typedef struct shared shared;
struct shared {
	uint64_t hash;
	size_t users;
	shared *next;
};

// A list of one kind of packed weights.
typedef struct {
	shared *first;
	int (*equal)(const shared *packed, const void *given); // whether they were packed from what is given
	shared *(*pack)(const void *given);                    // null where there is no memory
	void (*free)(shared *packed);
} shared_list;

uint64_t hash_of(uint64_t hash, const void *bytes, size_t size); // goes on with a hash
shared *shared_acquire(shared_list *list, uint64_t hash, const void *given);
void shared_release(shared_list *list, shared *packed);
// Tells the system that the pages of the file that weights were read from are not needed any more.
void leave_pages(const void *bytes, size_t size);

#endif
