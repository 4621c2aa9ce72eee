#include "learned_objects.h"

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "CRemoteKey.h"

#define PAGE_COUNT ((size_t)8192)
#define SITE_COUNT ((size_t)2048)
#define OBJECT_COUNT ((size_t)1024)
// What has no room for a lock or for a counter beside something else: texts and parts of lists, of which
// there are thousands.
#define SMALLEST ((size_t)64)
// Of what is made so seldom, the first may be needed here and the second there.
#define FEW ((uint32_t)6)
// The numbers of what comes and goes tell nothing, and locks are small.
#define FEW_UNNUMBERED ((uint32_t)32)

// A line of OpenSSL's source that makes objects of one size.
struct site {
    const char *file;
    size_t size;
    int line;
    // Locks are all made in one line, each for what was made before it.
    const char *owner_file;
    int owner_line;
    // How many it has made in this process and how many of them were given back; and how many in the
    // process that finds out, before its session.
    uint32_t made, given_back, known, known_given_back;
    // Which of those that are known are written to, and whether any at all is.
    uint8_t is_written[OBJECT_COUNT / 8];
    uint8_t is_any_written;
};

// Which object lies in a page; the site is none in one that was given back.
struct object {
    struct site *site;
    uint32_t number;
    // The page that was given back before.
    uint32_t previous;
};

// Shared with the process that finds out, until it has.
static struct site *sites;

// Of that process alone.
static char *pages;
static struct object *objects;
static size_t page_size, page_count;
// The page that was given back last, counted from one.
static uint32_t spare;
static struct object latest;
static int is_watching, is_away;
// The pages that were written to while nobody looked.
static uint32_t missed[PAGE_COUNT];
static size_t missed_count;

// What was made last that is no lock, and whether a session writes to it.
static const char *owner_file;
static int owner_line;
static int is_owner_written;

static struct site *site_for(size_t size, const char *file, int line) {
    if (sites == NULL || file == NULL || line <= 0) {
        return NULL;
    }
    if (strstr(file, "threads_") == NULL) {
        owner_file = file;
        owner_line = line;
    }
    if (size < SMALLEST) {
        return NULL;
    }
    size_t start = ((uintptr_t)file / 8 + (uintptr_t)owner_file / 8
                    + (size_t)(unsigned int)line + (size_t)(unsigned int)owner_line + size)
        % SITE_COUNT;
    for (size_t step = 0; step < SITE_COUNT; step++) {
        struct site *site = &sites[(start + step) % SITE_COUNT];
        if (site->line == 0) {
            site->file = file;
            site->line = line;
            site->size = size;
            site->owner_file = owner_file;
            site->owner_line = owner_line;
        }
        if (site->file == file && site->line == line && site->size == size
            && site->owner_file == owner_file && site->owner_line == owner_line) {
            return site;
        }
    }
    return NULL;
}

void learned_objects_open(void) {
    const size_t size = SITE_COUNT * sizeof *sites;
    void *start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    sites = start == MAP_FAILED ? NULL : start;
}

void learned_objects_close(void) {
    if (sites != NULL) {
        munmap(sites, SITE_COUNT * sizeof *sites);
        sites = NULL;
    }
}

enum learned_kind learned_objects_next(size_t size, const char *file, int line) {
    struct site *site = site_for(size, file, line);
    latest = (struct object){site, site == NULL ? 0 : site->made, 0};
    if (site != NULL) {
        site->made++;
    }
    if (pages != NULL) {
        return learned_observed;
    }
    if (site == NULL) {
        is_owner_written = 0;
        return learned_constant;
    }
    uint32_t number = latest.number;
    int is_lock = site->file != site->owner_file;
    int is_numbered = !is_lock && site->known_given_back == 0;
    uint32_t few = is_numbered ? FEW : FEW_UNNUMBERED;
    int is_written = is_lock && is_owner_written;
    if (is_written) {
        // Its owner's lock.
    } else if (site->known - site->known_given_back <= few || number >= site->known) {
        is_written = site->is_any_written;
    } else if (is_numbered && number < OBJECT_COUNT) {
        is_written = site->is_written[number / 8] >> number % 8 & 1;
    }
    if (!is_lock) {
        is_owner_written = is_written;
    }
    return is_written ? learned_written : learned_constant;
}

void *learned_objects_page(void) {
    size_t index = spare == 0 ? page_count : spare - 1;
    // What the session itself makes is nobody else's.
    if (index == PAGE_COUNT || is_watching || latest.site == NULL) {
        return NULL;
    }
    if (spare == 0) {
        page_count++;
    } else {
        spare = objects[index].previous;
    }
    objects[index] = latest;
    return pages + page_size * index;
}

void learned_objects_give_back(const void *bytes) {
    size_t index = (size_t)((const char *)bytes - pages) / page_size;
    if (objects[index].site != NULL) {
        objects[index].site->given_back++;
    }
    objects[index] = (struct object){NULL, 0, spare};
    spare = (uint32_t)index + 1;
}

int learned_objects_has(const void *bytes) {
    return pages != NULL && (const char *)bytes >= pages
        && (const char *)bytes < pages + page_size * PAGE_COUNT;
}

// MARK: Finding out

// The first write to a page is noted, and none after it.
static void note_write(int number, siginfo_t *fault, void *context) {
    (void)context;
    if (!learned_objects_has(fault->si_addr)) {
        signal(number, SIG_DFL);
        return;
    }
    size_t page = (size_t)((char *)fault->si_addr - pages) / page_size;
    struct object object = objects[page];
    if (is_away) {
        missed[missed_count++] = (uint32_t)page;
    } else if (object.site != NULL) {
        object.site->is_any_written = 1;
        if (object.number < OBJECT_COUNT) {
            object.site->is_written[object.number / 8] |= (uint8_t)(1u << object.number % 8);
        }
    }
    mprotect(pages + page_size * page, page_size, PROT_READ | PROT_WRITE);
}

int CRemoteKey_observe_objects(void) {
    const int access = PROT_READ | PROT_WRITE;
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    page_size = (size_t)getpagesize();
    void *room = mmap(NULL, page_size * PAGE_COUNT, access, flags, -1, 0);
    void *list = mmap(NULL, PAGE_COUNT * sizeof *objects, access, flags, -1, 0);
    if (sites == NULL || room == MAP_FAILED || list == MAP_FAILED) {
        return 0;
    }
    pages = room;
    objects = list;
    return 1;
}

void CRemoteKey_remember_objects(void) {
    for (size_t index = 0; index < SITE_COUNT; index++) {
        sites[index].known = sites[index].made;
        sites[index].known_given_back = sites[index].given_back;
    }
}

int CRemoteKey_watch_objects(void) {
    struct sigaction action = {.sa_sigaction = note_write, .sa_flags = SA_SIGINFO};
    is_watching = sigaction(SIGSEGV, &action, NULL) == 0
        && mprotect(pages, page_size * page_count, PROT_READ) == 0;
    return is_watching;
}

void CRemoteKey_look_away(int now) {
    is_away = now;
    while (!is_away && missed_count > 0) {
        mprotect(pages + page_size * missed[--missed_count], page_size, PROT_READ);
    }
}

void CRemoteKey_use_learned_objects(void) {
    if (sites == NULL) {
        return;
    }
    const size_t size = SITE_COUNT * sizeof *sites;
    void *own = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (own != MAP_FAILED) {
        memcpy(own, sites, size);
    }
    // Nobody else has a say any more.
    munmap(sites, size);
    sites = own == MAP_FAILED ? NULL : own;
    for (size_t index = 0; sites != NULL && index < SITE_COUNT; index++) {
        sites[index].made = 0;
    }
}
