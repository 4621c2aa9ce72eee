#include "CLinux.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

// SO_PEERGROUPS of unix(7), which older headers lack; the same on x86_64 and aarch64.
static const int peer_groups = 59;

static int make_address(const char *path, struct sockaddr_un *address) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof address->sun_path) {
        return -ENAMETOOLONG;
    }
    strcpy(address->sun_path, path);
    return 0;
}

int CLinux_listen_locally(const char *path, uint32_t mode, uint32_t group, int backlog) {
    // Made beside its place and moved there: nobody connects before it has its mode, and the socket
    // of a process that is gone, or that this one takes over from, is replaced in one step.
    char first[sizeof((struct sockaddr_un *)0)->sun_path];
    int length = snprintf(first, sizeof first, "%s.%d", path, (int)getpid());
    struct sockaddr_un address;
    if (length < 0 || (size_t)length >= sizeof first || make_address(first, &address) < 0) {
        return -ENAMETOOLONG;
    }
    int descriptor = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) {
        return -errno;
    }
    unlink(first);
    mode_t mask = umask(0777);
    int result = bind(descriptor, (const struct sockaddr *)&address, sizeof address);
    int error = errno;
    umask(mask);
    if (result < 0) {
        close(descriptor);
        return -error;
    }
    struct stat status;
    if (listen(descriptor, backlog) < 0 || chown(first, (uid_t)-1, group) < 0
        || chmod(first, mode) < 0
        // Nothing but a socket is replaced.
        || (lstat(path, &status) == 0 && !S_ISSOCK(status.st_mode) && (errno = EEXIST))
        || rename(first, path) < 0) {
        error = errno;
        unlink(first);
        close(descriptor);
        return -error;
    }
    return descriptor;
}

int CLinux_remove_local_socket(const char *path, uint64_t number) {
    struct stat status;
    if (lstat(path, &status) < 0) {
        return -errno;
    }
    // Somebody else may listen there by now.
    if (!S_ISSOCK(status.st_mode) || status.st_ino != number) {
        return -EEXIST;
    }
    return unlink(path) < 0 ? -errno : 0;
}

int64_t CLinux_file_number(const char *path) {
    struct stat status;
    return lstat(path, &status) < 0 ? -errno : (int64_t)status.st_ino;
}

int CLinux_connect_locally(const char *path) {
    struct sockaddr_un address;
    int result = make_address(path, &address);
    if (result < 0) {
        return result;
    }
    int descriptor = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
        return -errno;
    }
    if (connect(descriptor, (const struct sockaddr *)&address, sizeof address) < 0) {
        int error = errno;
        close(descriptor);
        return -error;
    }
    return descriptor;
}

int CLinux_peer_belongs(int socket, uint32_t user, uint32_t group) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) {
        return 0;
    }
    if (peer.uid == 0 || peer.uid == user || peer.gid == group) {
        return 1;
    }
    // More groups than this are not looked at, and count as none.
    gid_t groups[1024];
    size = sizeof groups;
    if (getsockopt(socket, SOL_SOCKET, peer_groups, groups, &size) < 0) {
        return 0;
    }
    for (size_t index = 0; index < size / sizeof groups[0]; index++) {
        if (groups[index] == group) {
            return 1;
        }
    }
    return 0;
}

int64_t CLinux_peer_user(int socket) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 ? -errno : (int64_t)peer.uid;
}
