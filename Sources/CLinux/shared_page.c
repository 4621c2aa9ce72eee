#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int CLinux_make_shared_page(const char *name) {
    int descriptor = (int)syscall(SYS_memfd_create, name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (descriptor < 0) {
        return -errno;
    }
    // Sealed, or a process that shrank the file would end every other one by SIGBUS.
    if (ftruncate(descriptor, CLinux_SHARED_PAGE_SIZE) < 0
        || fcntl(descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
        int error = errno;
        close(descriptor);
        return -error;
    }
    return descriptor;
}

int CLinux_make_memory_file(const char *name) {
    int descriptor = (int)syscall(SYS_memfd_create, name, MFD_CLOEXEC);
    return descriptor < 0 ? -errno : descriptor;
}

int64_t *CLinux_map_shared_page(int descriptor) {
    int seals = fcntl(descriptor, F_GET_SEALS);
    if (seals < 0 || (seals & F_SEAL_SHRINK) == 0) {
        return NULL;
    }
    void *page = mmap(
        NULL, CLinux_SHARED_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    return page == MAP_FAILED ? NULL : page;
}

void CLinux_unmap_shared_page(int64_t *page) {
    munmap(page, CLinux_SHARED_PAGE_SIZE);
}

int64_t CLinux_atomic_load(const int64_t *value) {
    return __atomic_load_n(value, __ATOMIC_SEQ_CST);
}

int64_t CLinux_atomic_add(int64_t *value, int64_t amount) {
    return __atomic_add_fetch(value, amount, __ATOMIC_SEQ_CST);
}

int CLinux_atomic_exchange_if(int64_t *value, int64_t expected, int64_t wanted) {
    return __atomic_compare_exchange_n(
        value, &expected, wanted, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

void CLinux_atomic_store(int64_t *value, int64_t wanted) {
    __atomic_store_n(value, wanted, __ATOMIC_SEQ_CST);
}

int CLinux_keep_page_from_children(int64_t *page) {
    return madvise(page, CLinux_SHARED_PAGE_SIZE, MADV_DONTFORK) < 0 ? -errno : 0;
}
