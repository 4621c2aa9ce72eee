#include "CRemoteKey.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <openssl/crypto.h>

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

// There are hundreds of locks, and the few that are taken were made first. What is only read is kept
// apart as well: it would lie between what Swift counts holders of.
enum { locks, counted, constant, place_count };
static struct place places[place_count];
static int is_open;

// What OpenSSL makes once and writes to in every handshake: holders are counted in it, locks are taken,
// generators count. It lies among hundreds of thousands of bytes that are only read.
static const char *const written[] = {
    "threads_pthread.c", "keymgmt_meth.c", "signature.c", "exchange.c", "mac_meth.c", "kdf_meth.c",
    "digest.c", "p_lib.c", "ec_kmeth.c", "cipher_aes.c", "drbg.c", "drbg_ctr.c", "drbg_hash.c",
    "drbg_hmac.c", "evp_rand.c", "err.c", "ssl_lib.c", "ssl_cert.c", "provider_core.c",
    "tasn_new.c", "evp_enc.c", "err_blocks.c",
};

static struct place *place_for(size_t size, const char *file) {
    const char *slash = file == NULL ? NULL : strrchr(file, '/');
    const char *name = slash == NULL ? file : slash + 1;
    if (size > LARGEST) {
        return NULL;
    }
    if (name == NULL) {
        return &places[constant];
    }
    for (size_t index = 0; index < sizeof written / sizeof written[0]; index++) {
        if (strcmp(name, written[index]) == 0) {
            return &places[index == 0 ? locks : counted];
        }
    }
    return &places[constant];
}

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

static void *allocate(size_t size, const char *file, int line) {
    (void)line;
    if (size == 0) {
        return NULL;
    }
    struct place *place = is_open ? place_for(size, file) : NULL;
    if (place == NULL) {
        return malloc(size);
    }
    size_t rounded = (size + GRAIN - 1) & ~(GRAIN - 1);
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
        free(bytes);
        return;
    }
    // Later nothing is taken from here any more, and nobody else writes where it lay.
    if (!is_open) {
        return;
    }
    void **first = &place->free[((union header *)bytes - 1)->size / GRAIN];
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
    if (place_of(bytes) == NULL) {
        return realloc(bytes, size);
    }
    size_t present = ((union header *)bytes - 1)->size;
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
    is_open = 1;
    return 1;
}

void CRemoteKey_settle_objects(void) {
    is_open = 0;
}
