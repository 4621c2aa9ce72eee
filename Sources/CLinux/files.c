#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// Linux 6.6; headers older than that do not name it. The number is the same everywhere.
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

int CLinux_openat2(
    int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
    long result = syscall(SYS_openat2, directory, path, &how, sizeof how);
    return result < 0 ? -errno : (int)result;
}

long CLinux_getdents64(int directory, void *buffer, size_t size) {
    long result = syscall(SYS_getdents64, directory, buffer, size);
    return result < 0 ? -errno : result;
}

int CLinux_fchmod_path(int descriptor, uint32_t mode) {
    long result = syscall(SYS_fchmodat2, descriptor, "", mode, AT_EMPTY_PATH);
    return result < 0 ? -errno : 0;
}

int CLinux_set_modification_time(int descriptor, int64_t seconds) {
    struct timespec times[2] = {
        {.tv_sec = 0, .tv_nsec = UTIME_OMIT},
        {.tv_sec = seconds, .tv_nsec = 0},
    };
    return utimensat(descriptor, "", times, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

int CLinux_set_group(int descriptor, uint32_t group) {
    return fchownat(descriptor, "", (uid_t)-1, group, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

int CLinux_renameat(
    int from_directory, const char *from, int to_directory, const char *to, int replaces) {
    unsigned int flags = replaces ? 0 : RENAME_NOREPLACE;
    return renameat2(from_directory, from, to_directory, to, flags) < 0 ? -errno : 0;
}

int CLinux_sync_file_system(int descriptor) {
    return syncfs(descriptor) < 0 ? -errno : 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place) {
    (void)status, (void)kind, (void)place;
    return remove(path);
}

int CLinux_remove_tree(const char *path) {
    return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) < 0 ? -errno : 0;
}
