#include "CLinux.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

int CLinux_set_kill_timer(unsigned int seconds) {
    // A child has no timer of its parent's, but it has this memory.
    static timer_t timer;
    static pid_t owner;
    if (owner != getpid()) {
        if (seconds == 0) return 0;
        struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
        if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) return -errno;
        owner = getpid();
    }
    struct itimerspec span = {.it_value = {.tv_sec = (time_t)seconds}};
    return timer_settime(timer, 0, &span, NULL) == 0 ? 0 : -errno;
}
