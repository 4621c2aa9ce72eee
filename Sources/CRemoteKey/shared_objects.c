#include "CRemoteKey.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <openssl/crypto.h>

#include "learned_objects.h"

// Room for all that is put in one place, several times over: addresses, and no memory before it is used.
#define CAPACITY ((size_t)2 * 1024 * 1024)
#define GRAIN ((size_t)16)
// Larger ones are connections and buffers, which come and go.
#define LARGEST ((size_t)2048)

// In front of each piece; what follows is aligned as malloc(3) would.
union header {
    size_t size;
    char space[GRAIN];
};

struct place {
    char *start;
    size_t used;
    // Pieces that were given back, by their size, each of which begins with the address of the next.
    void *free[LARGEST / GRAIN + 1];
};

// What is only read is kept apart as well: it would lie between what Swift counts holders of.
enum { written, constant, place_count };
static struct place places[place_count];
static int is_open;

static struct place *place_of(const void *bytes) {
    for (int index = 0; index < place_count; index++) {
        struct place *place = &places[index];
        if (place->start != NULL && (const char *)bytes >= place->start
            && (const char *)bytes < place->start + CAPACITY) {
            return place;
        }
    }
    return NULL;
}

// Pieces of either kind have their size in front of them.
static int has_header(const void *bytes) {
    return place_of(bytes) != NULL || learned_objects_has(bytes);
}

static size_t size_of(const void *bytes) {
    return ((const union header *)bytes - 1)->size;
}

static void *allocate(size_t size, const char *file, int line) {
    if (size == 0) {
        return NULL;
    }
    if (!is_open || size > LARGEST) {
        return malloc(size);
    }
    size_t rounded = (size + GRAIN - 1) & ~(GRAIN - 1);
    enum learned_kind kind = learned_objects_next(rounded, file, line);
    if (kind == learned_observed) {
        union header *header = learned_objects_page();
        if (header == NULL) {
            return malloc(size);
        }
        header->size = rounded;
        return header + 1;
    }
    struct place *place = &places[kind == learned_written ? written : constant];
    void **first = &place->free[rounded / GRAIN];
    if (*first != NULL) {
        void *bytes = *first;
        memcpy(first, bytes, sizeof *first);
        return bytes;
    }
    if (CAPACITY - place->used < rounded + sizeof(union header)) {
        return malloc(size);
    }
    union header *header = (union header *)(void *)(place->start + place->used);
    place->used += rounded + sizeof(union header);
    header->size = rounded;
    return header + 1;
}

static void release(void *bytes, const char *file, int line) {
    (void)file, (void)line;
    struct place *place = place_of(bytes);
    if (place == NULL) {
        if (learned_objects_has(bytes)) {
            learned_objects_give_back(bytes);
        } else {
            free(bytes);
        }
        return;
    }
    // Later nothing is taken from here any more, and nobody else writes where it lay.
    if (!is_open) {
        return;
    }
    void **first = &place->free[size_of(bytes) / GRAIN];
    memcpy(bytes, first, sizeof *first);
    *first = bytes;
}

static void *resize(void *bytes, size_t size, const char *file, int line) {
    if (bytes == NULL) {
        return allocate(size, file, line);
    }
    if (size == 0) {
        release(bytes, file, line);
        return NULL;
    }
    if (!has_header(bytes)) {
        return realloc(bytes, size);
    }
    size_t present = size_of(bytes);
    if (size <= present) {
        return bytes;
    }
    void *moved = allocate(size, file, line);
    if (moved != NULL) {
        memcpy(moved, bytes, present);
        release(bytes, file, line);
    }
    return moved;
}

int CRemoteKey_gather_objects(void) {
    // Zeros, and none of them there before they are written to.
    const size_t size = CAPACITY * place_count;
    char *start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) {
        return 0;
    }
    if (CRYPTO_set_mem_functions(allocate, resize, release) != 1) {
        munmap(start, size);
        return 0;
    }
    for (int index = 0; index < place_count; index++) {
        places[index].start = start + CAPACITY * (size_t)index;
    }
    learned_objects_open();
    is_open = 1;
    return 1;
}

void CRemoteKey_settle_objects(void) {
    is_open = 0;
    learned_objects_close();
}
