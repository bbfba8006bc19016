// Memory for packed weights, in large pages where the system has them: weights are read from one end to the other, and
// looking up small pages takes a third of that time.
#ifndef MEKIKI_PAGES_H
#define MEKIKI_PAGES_H

#include <stddef.h>

void *pages_take(size_t size); // 64-byte aligned, zero; null where there is none
void pages_give(void *memory, size_t size);

#endif
