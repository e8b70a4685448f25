/* What every guest here has of a C library: see library.c. */
#include "world.h"

extern uint32_t live_blocks;
void *malloc(size_t size);
void free(void *ptr);
void *memcpy(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);
