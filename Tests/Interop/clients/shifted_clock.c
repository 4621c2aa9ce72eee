// Preloaded into a daemon: its time(2) is ahead by what a file says, in seconds.
//
// The file is mapped once, before the daemon forks and gives up its rights.

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *ahead;

__attribute__((constructor)) static void map_file(void) {
    const char *name = getenv("SHIFTED_CLOCK");
    int descriptor = name == NULL ? -1 : open(name, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return;
    }
    void *start = mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, descriptor, 0);
    ahead = start == MAP_FAILED ? NULL : start;
    close(descriptor);
}

time_t time(time_t *result) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    time_t shifted = now.tv_sec + (ahead == NULL ? 0 : (time_t)*ahead);
    if (result != NULL) {
        *result = shifted;
    }
    return shifted;
}
