#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/// Whether standard error is a file, which always has room or says that it has none.
static atomic_bool writes_file;

int CLinux_make_log_nonblocking(void) {
    struct stat status;
    if (fstat(STDERR_FILENO, &status) < 0) {
        return -errno;
    }
    atomic_store(&writes_file, S_ISREG(status.st_mode));
    if (!S_ISFIFO(status.st_mode)) {
        return 0;
    }
    int descriptor = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0) {
        return -errno;
    }
    int result = dup2(descriptor, STDERR_FILENO) < 0 ? -errno : 0;
    close(descriptor);
    return result;
}

long CLinux_write_log(const void *bytes, size_t count) {
    if (atomic_load_explicit(&writes_file, memory_order_relaxed)) {
        ssize_t written = write(STDERR_FILENO, bytes, count);
        return written < 0 ? -errno : written;
    }
    ssize_t result = send(STDERR_FILENO, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (result >= 0 || errno != ENOTSOCK) {
        return result < 0 ? -errno : result;
    }
    struct pollfd entry = {.fd = STDERR_FILENO, .events = POLLOUT};
    int flags = fcntl(STDERR_FILENO, F_GETFL);
    if ((flags < 0 || (flags & O_NONBLOCK) == 0) && poll(&entry, 1, 0) == 0) {
        return -EAGAIN;
    }
    // A pipe that could not be opened anew has room for this much when poll(2) says so.
    result = write(STDERR_FILENO, bytes, count < PIPE_BUF ? count : PIPE_BUF);
    return result < 0 ? -errno : result;
}

int CLinux_connect_datagram(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length >= sizeof(address.sun_path)) {
        return -ENAMETOOLONG;
    }
    memcpy(address.sun_path, path, length);
    socklen_t size = sizeof(address);
    if (path[0] == '@') {
        // The abstract namespace, where each byte of the size counts.
        address.sun_path[0] = 0;
        size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    }
    int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) {
        return -errno;
    }
    if (connect(descriptor, (const struct sockaddr *)&address, size) < 0) {
        int error = errno;
        close(descriptor);
        return -error;
    }
    return descriptor;
}
