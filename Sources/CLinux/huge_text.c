#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

// On machines with pages of 4 KiB; others have far larger ones, of which none is full of code.
#define HUGE_PAGE ((uintptr_t)2 << 20)
#define MAXIMUM_RANGES 64

struct ranges {
    size_t count;
    struct {
        uintptr_t start;
        size_t length;
        int protection;
    } items[MAXIMUM_RANGES];
};

// Written before the first fork, and read by every process.
static struct ranges moved_ranges;

static void add_piece(struct ranges *pieces, uintptr_t start, uintptr_t end, int protection) {
    if (start < end && pieces->count < MAXIMUM_RANGES) {
        pieces->items[pieces->count].start = start;
        pieces->items[pieces->count].length = end - start;
        pieces->items[pieces->count].protection = protection;
        pieces->count++;
    }
}

static int collect(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size;
    struct ranges *ranges = context;
    for (int index = 0; index < info->dlpi_phnum; index++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[index];
        if (header->p_type != PT_LOAD || (header->p_flags & PF_W) != 0) {
            continue;
        }
        uintptr_t first = info->dlpi_addr + header->p_vaddr;
        uintptr_t start = (first + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
        uintptr_t end = (first + header->p_filesz) & ~(HUGE_PAGE - 1);
        add_piece(ranges, start, end,
            PROT_READ | ((header->p_flags & PF_X) != 0 ? PROT_EXEC : 0));
    }
    return 0;
}

// Whether every session runs code of the object: the program, the C library, OpenSSL.
static int is_busy(const char *path) {
    static const char *const names[] = {"libc.so.", "libcrypto.so.", "libssl.so."};
    if (path == NULL || path[0] == 0) {
        return 1;
    }
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    for (size_t index = 0; index < sizeof names / sizeof names[0]; index++) {
        if (strncmp(name, names[index], strlen(names[index])) == 0) {
            return 1;
        }
    }
    return 0;
}

// The code of busy objects that does not lie in whole pages of 2 MiB by now, and what the linker has
// written to objects before it made it constant: no fork has to copy that page by page.
static int collect_pieces(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size;
    // The kernel's own object is none of ours to move, whatever it is called, nor is the linker, which
    // may change its mind.
    uintptr_t base = info->dlpi_addr;
    if (base == getauxval(AT_SYSINFO_EHDR) || base == getauxval(AT_BASE)) {
        return 0;
    }
    const uintptr_t page = 4096;
    for (int index = 0; index < info->dlpi_phnum; index++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[index];
        if (header->p_type == PT_GNU_RELRO) {
            // As the linker rounds it.
            uintptr_t start = (base + header->p_vaddr) & ~(page - 1);
            uintptr_t end = (base + header->p_vaddr + header->p_memsz) & ~(page - 1);
            add_piece(context, start, end, PROT_READ);
        }
    }
    if (!is_busy(info->dlpi_name)) {
        return 0;
    }
    for (int index = 0; index < info->dlpi_phnum; index++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[index];
        if (header->p_type != PT_LOAD || (header->p_flags & (PF_W | PF_X)) != PF_X) {
            continue;
        }
        uintptr_t start = info->dlpi_addr + header->p_vaddr;
        uintptr_t end = (start + header->p_filesz + page - 1) & ~(page - 1);
        start &= ~(page - 1);
        for (size_t moved = 0; moved < moved_ranges.count; moved++) {
            uintptr_t first = moved_ranges.items[moved].start;
            if (first >= start && first < end) {
                add_piece(context, start, first, PROT_READ | PROT_EXEC);
                start = first + moved_ranges.items[moved].length;
            }
        }
        add_piece(context, start, end, PROT_READ | PROT_EXEC);
    }
    return 0;
}

// A copy of several pieces, one behind the other, and zeros up to `length`.
static int make_copy(const struct ranges *pieces, size_t length) {
    const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int file = memfd_create("text", flags | MFD_EXEC);
    if (file < 0 && errno == EINVAL) {
        file = memfd_create("text", flags);
    }
    if (file < 0) {
        return -errno;
    }
    int failure = ftruncate(file, (off_t)length) < 0 ? errno : 0;
    for (size_t index = 0; index < pieces->count && failure == 0; index++) {
        const char *bytes = (const char *)pieces->items[index].start;
        size_t count = pieces->items[index].length;
        for (size_t written = 0; written < count && failure == 0;) {
            ssize_t result = write(file, bytes + written, count - written);
            if (result > 0) {
                written += (size_t)result;
            } else if (result == 0 || errno != EINTR) {
                failure = result == 0 ? EIO : errno;
            }
        }
    }
    const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    if (failure == 0 && fcntl(file, F_ADD_SEALS, seals) < 0) {
        failure = errno;
    }
    if (failure != 0) {
        close(file);
        return -failure;
    }
    return file;
}

// Puts `count` bytes of `file` in the place of what is there, which are the same.
//
// Tried in `room` beside the code that runs, so that nothing is left that may fail afterwards.
static int replace(
    char *start, size_t count, int protection, int file, size_t offset, char *room, int collapses) {
    if (mmap(room, count, protection, MAP_PRIVATE | MAP_FIXED, file, (off_t)offset) == MAP_FAILED) {
        return -errno;
    }
    if (collapses && madvise(room, count, MADV_COLLAPSE) < 0) {
        return -errno;
    }
    if (memcmp(room, start, count) != 0) {
        return -EIO;
    }
    void *moved = mremap(room, count, count, MREMAP_MAYMOVE | MREMAP_FIXED, start);
    return moved == MAP_FAILED ? -errno : 0;
}

// Addresses for `length` bytes that begin with a page of 2 MiB, or NULL; give_up_room() gives them back.
static char *find_room(size_t length, char **room) {
    *room = mmap(NULL, length + HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (*room == MAP_FAILED) {
        return NULL;
    }
    return (char *)(((uintptr_t)*room + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
}

static void give_up_room(size_t length, char *room) {
    munmap(room, length + HUGE_PAGE);
}

// Moves pieces that fill pages of 2 MiB into such pages.
static int move_range(char *start, size_t length, int protection) {
    struct ranges pieces = {.count = 1};
    pieces.items[0].start = (uintptr_t)start;
    pieces.items[0].length = length;
    int file = make_copy(&pieces, length);
    if (file < 0) {
        return file;
    }
    char *room;
    char *copy = find_room(length, &room);
    int failure = -ENOMEM;
    if (copy != NULL) {
        failure = replace(start, length, protection, file, 0, copy, 1);
        give_up_room(length, room);
    }
    close(file);
    return failure;
}

// Moves pieces that fill no page of 2 MiB into the memory of a few such pages.
//
// They are mapped page by page as before. What lies together in memory is mapped and unmapped at a
// fraction of the price that pages of a file in many places have.
static long move_pieces(const struct ranges *pieces) {
    size_t length = 0;
    for (size_t index = 0; index < pieces->count; index++) {
        length += pieces->items[index].length;
    }
    length = (length + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
    if (length == 0) {
        return 0;
    }
    int file = make_copy(pieces, length);
    if (file < 0) {
        return file;
    }
    long moved = 0;
    char *room;
    char *copy = find_room(length, &room);
    if (copy != NULL) {
        int result = 0;
        if (mmap(copy, length, PROT_READ, MAP_PRIVATE | MAP_FIXED, file, 0) == MAP_FAILED
            || madvise(copy, length, MADV_COLLAPSE) < 0) {
            result = -errno;
        }
        size_t offset = 0;
        for (size_t index = 0; index < pieces->count && result == 0; index++) {
            size_t count = pieces->items[index].length;
            result = replace((char *)pieces->items[index].start, count,
                pieces->items[index].protection, file, offset, copy + offset, 0);
            offset += count;
            moved += result == 0 ? (long)count : 0;
        }
        give_up_room(length, room);
    }
    close(file);
    return moved;
}

long CLinux_use_huge_text(void) {
    if (getpagesize() != 4096) {
        return 0;
    }
    struct ranges ranges = {0};
    dl_iterate_phdr(collect, &ranges);
    long moved = 0;
    int result = 0;
    for (size_t index = 0; index < ranges.count && result == 0; index++) {
        result = move_range((char *)ranges.items[index].start, ranges.items[index].length,
            ranges.items[index].protection);
        if (result == 0) {
            moved_ranges.items[moved_ranges.count] = ranges.items[index];
            moved_ranges.count++;
            moved += (long)ranges.items[index].length;
        }
    }
    CLinux_map_huge_text();
    if (moved > 0) {
        struct ranges pieces = {0};
        dl_iterate_phdr(collect_pieces, &pieces);
        long more = move_pieces(&pieces);
        moved += more > 0 ? more : 0;
    }
    return moved > 0 ? moved : result;
}

void CLinux_map_huge_text(void) {
    // Where the kernel does not know it, faults map the same pages one by one.
    for (size_t index = 0; index < moved_ranges.count; index++) {
        madvise((void *)moved_ranges.items[index].start, moved_ranges.items[index].length,
            MADV_POPULATE_READ);
    }
}
