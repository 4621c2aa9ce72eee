#include "CLinux.h"

#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int64_t CLinux_acknowledged_bytes(int socket, int *outstanding) {
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) < 0) {
        return -errno;
    }
    *outstanding = info.tcpi_unacked != 0 || info.tcpi_notsent_bytes != 0;
    return (int64_t)info.tcpi_bytes_acked;
}

int64_t CLinux_received_bytes(int socket) {
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) < 0) {
        return -errno;
    }
    return (int64_t)info.tcpi_bytes_received;
}

int CLinux_accept(int listener, void *address, uint32_t *size) {
    int result = accept4(listener, address, size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    return result < 0 ? -errno : result;
}

long CLinux_send_message(
    int socket, const void *bytes, size_t count, int descriptor, int waits) {
    int flags = MSG_NOSIGNAL | (waits ? 0 : MSG_DONTWAIT);
    if (descriptor < 0) {
        // sendto(2), which roles have that may not hand descriptors over.
        ssize_t sent = send(socket, bytes, count, flags);
        return sent < 0 ? -errno : sent;
    }
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = count};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    message.msg_control = control.space;
    message.msg_controllen = sizeof control.space;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
    ssize_t result = sendmsg(socket, &message, flags);
    return result < 0 ? -errno : result;
}

int CLinux_unreceived_bytes(int socket) {
    int count = 0;
    return ioctl(socket, SIOCOUTQ, &count) < 0 ? -errno : count;
}

long CLinux_receive_message(int socket, void *bytes, size_t capacity, int *descriptor) {
    *descriptor = -1;
    struct iovec part = {.iov_base = bytes, .iov_len = capacity};
    // Room for a few more descriptors than allowed, so that the extra ones arrive and can be closed.
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(8 * sizeof(int))];
    } control = {0};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.space,
        .msg_controllen = sizeof control.space,
    };
    ssize_t result = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (result < 0) {
        return -errno;
    }
    int excess = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t index = 0; index < count; index++) {
            int received;
            memcpy(&received, CMSG_DATA(header) + index * sizeof(int), sizeof received);
            if (*descriptor < 0 && !excess) {
                *descriptor = received;
            } else {
                close(received);
                excess = 1;
            }
        }
    }
    if (excess) {
        if (*descriptor >= 0) {
            close(*descriptor);
            *descriptor = -1;
        }
        return -EMSGSIZE;
    }
    return result;
}
