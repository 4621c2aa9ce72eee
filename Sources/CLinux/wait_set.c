#include "CLinux.h"

#include <errno.h>
#include <sys/epoll.h>

enum { maximum = 64 };

int CLinux_make_wait_set(void) {
    int set = epoll_create1(EPOLL_CLOEXEC);
    return set < 0 ? -errno : set;
}

int CLinux_add_to_wait_set(int set, int descriptor, int key) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = key};
    return epoll_ctl(set, EPOLL_CTL_ADD, descriptor, &event) < 0 ? -errno : 0;
}

int CLinux_remove_from_wait_set(int set, int descriptor) {
    return epoll_ctl(set, EPOLL_CTL_DEL, descriptor, NULL) < 0 ? -errno : 0;
}

int CLinux_ready_in_wait_set(int set, int *keys, int count) {
    struct epoll_event events[maximum];
    int ready = epoll_wait(set, events, count < maximum ? count : maximum, 0);
    if (ready < 0) {
        return errno == EINTR ? 0 : -errno;
    }
    for (int index = 0; index < ready; index++) {
        keys[index] = events[index].data.fd;
    }
    return ready;
}
