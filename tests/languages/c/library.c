/* What generated code wants of a C library, what compilers make of loops, and an allocator that counts. */
#include <stddef.h>
#include <stdint.h>
typedef struct { size_t size; size_t unused; } block;
static unsigned char arena[1 << 22] __attribute__((aligned(16)));
static size_t used;
static block *spare[32];
uint32_t live_blocks;
static unsigned class_of(size_t size) {
    unsigned class = 4;
    while (((size_t)1 << class) < size) class++;
    return class;
}
void *memcpy(void *to, const void *from, size_t n) {
    for (size_t i = 0; i < n; i++) ((char *)to)[i] = ((const char *)from)[i];
    return to;
}
void *memset(void *to, int byte, size_t n) {
    for (size_t i = 0; i < n; i++) ((char *)to)[i] = (char)byte;
    return to;
}
int memcmp(const void *a, const void *b, size_t n) {
    for (size_t i = 0; i < n; i++) {
        int difference = ((const unsigned char *)a)[i] - ((const unsigned char *)b)[i];
        if (difference != 0) return difference;
    }
    return 0;
}
size_t strlen(const char *text) {
    size_t n = 0;
    while (text[n]) n++;
    return n;
}
void free(void *ptr) {
    if (ptr == NULL) return;
    block *freed = (block *)ptr - 1;
    if (freed->unused != 0xA110C) __builtin_trap();
    freed->unused = (size_t)spare[class_of(freed->size)];
    spare[class_of(freed->size)] = freed;
    live_blocks--;
}
void *realloc(void *ptr, size_t size) {
    unsigned class = class_of(size);
    block *made = spare[class];
    if (made != NULL) {
        spare[class] = (block *)made->unused;
    } else {
        if (used + sizeof *made + ((size_t)1 << class) > sizeof arena) return NULL;
        made = (block *)(arena + used);
        used += sizeof *made + ((size_t)1 << class);
    }
    made->size = (size_t)1 << class;
    made->unused = 0xA110C;
    live_blocks++;
    if (ptr != NULL) {
        size_t old = ((block *)ptr - 1)->size;
        memcpy(made + 1, ptr, old < size ? old : size);
        free(ptr);
    }
    return made + 1;
}
void *malloc(size_t size) { return realloc(NULL, size); }
