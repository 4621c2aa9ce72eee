#include "CLinux.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

struct start {
    void *(*body)(void *);
    void *context;
};

int CLinux_start_thread(size_t stack, void *(*body)(void *), void *context) {
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error != 0) {
        return -error;
    }
    // The new thread inherits the mask: signals are for the program that it is a guest in.
    sigset_t all, before;
    sigfillset(&all);
    error = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (error == 0) {
        pthread_t thread;
        (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        error = pthread_attr_setstacksize(&attributes, stack);
        if (error == 0) {
            error = pthread_create(&thread, &attributes, body, context);
        }
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    (void)pthread_attr_destroy(&attributes);
    return -error;
}

int CLinux_make_wake_up(void) {
    int number = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return number < 0 ? -errno : number;
}

// The C library's wrappers change every thread of the program; the kernel knows each by itself.

int CLinux_assume_in_thread(uint32_t user, uint32_t group, const uint32_t *groups, size_t count) {
    if (syscall(SYS_setgroups, count, groups) < 0) {
        return -errno;
    }
    if (syscall(SYS_setresgid, -1, group, -1) < 0) {
        return -errno;
    }
    return syscall(SYS_setresuid, -1, user, -1) < 0 ? -errno : 0;
}

int CLinux_return_in_thread(uint32_t user, uint32_t group, const uint32_t *groups, size_t count) {
    if (syscall(SYS_setresuid, -1, user, -1) < 0 || syscall(SYS_setresgid, -1, group, -1) < 0) {
        return -errno;
    }
    return syscall(SYS_setgroups, count, groups) < 0 ? -errno : 0;
}
