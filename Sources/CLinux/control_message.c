#include "CLinux.h"

#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/single_threaded.h>
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

// Room for a few more descriptors than one, so that those that are too many arrive and can be closed.
union descriptor_space {
    struct cmsghdr header;
    char space[CMSG_SPACE(CLinux_MAXIMUM_DESCRIPTORS * sizeof(int))];
};

static long send_descriptors(int socket, const void *bytes, size_t count, const int *descriptors,
    size_t descriptor_count, int flags) {
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = count};
    union descriptor_space control = {0};
    size_t size = descriptor_count * sizeof *descriptors;
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.space,
        .msg_controllen = CMSG_SPACE(size),
    };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(header), descriptors, size);
    ssize_t result = sendmsg(socket, &message, MSG_NOSIGNAL | flags);
    return result < 0 ? -errno : result;
}

// Fails with -EMSGSIZE, and has everything closed that came, where there is more than `maximum` or more
// bytes than `parts` have room for.
static long receive_descriptors(int socket, struct iovec *parts, size_t part_count, int *descriptors,
    size_t maximum, size_t *descriptor_count) {
    *descriptor_count = 0;
    union descriptor_space control = {0};
    struct msghdr message = {
        .msg_iov = parts,
        .msg_iovlen = part_count,
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
            if (*descriptor_count < maximum) {
                descriptors[(*descriptor_count)++] = received;
            } else {
                close(received);
                excess = 1;
            }
        }
    }
    if (!excess) {
        return result;
    }
    while (*descriptor_count > 0) {
        close(descriptors[--*descriptor_count]);
    }
    return -EMSGSIZE;
}

long CLinux_send_message(
    int socket, const void *bytes, size_t count, int descriptor, int waits) {
    int flags = waits ? 0 : MSG_DONTWAIT;
    if (descriptor >= 0) {
        return send_descriptors(socket, bytes, count, &descriptor, 1, flags);
    }
    // sendto(2), which roles have that may not hand descriptors over.
    ssize_t sent = send(socket, bytes, count, MSG_NOSIGNAL | flags);
    return sent < 0 ? -errno : sent;
}

long CLinux_send_descriptors(
    int socket, const void *bytes, size_t count, const int *descriptors, size_t descriptor_count) {
    if (descriptor_count == 0 || descriptor_count > CLinux_MAXIMUM_DESCRIPTORS) {
        return -EINVAL;
    }
    return send_descriptors(socket, bytes, count, descriptors, descriptor_count, MSG_DONTWAIT);
}

long CLinux_receive_descriptors(
    int socket, void *bytes, size_t capacity, int *descriptors, size_t *descriptor_count) {
    struct iovec part = {.iov_base = bytes, .iov_len = capacity};
    return receive_descriptors(
        socket, &part, 1, descriptors, CLinux_MAXIMUM_DESCRIPTORS, descriptor_count);
}

int CLinux_unreceived_bytes(int socket) {
    int count = 0;
    return ioctl(socket, SIOCOUTQ, &count) < 0 ? -errno : count;
}

long CLinux_message_size(int socket) {
    struct msghdr message = {0};
    ssize_t result = recvmsg(socket, &message, MSG_PEEK | MSG_TRUNC);
    return result < 0 ? -errno : result;
}

/// What of a long message finds no room with whoever receives it; never written to by most processes.
static unsigned char message_rest[65536];
static atomic_bool is_rest_taken;

const void *CLinux_take_message_rest(void) {
    // Who else could take it? Processes of one thread are spared a page of their own.
    if (__libc_single_threaded) {
        return message_rest;
    }
    return atomic_exchange(&is_rest_taken, 1) ? NULL : message_rest;
}

void CLinux_return_message_rest(size_t count) {
    explicit_bzero(message_rest, count < sizeof message_rest ? count : sizeof message_rest);
    if (atomic_load(&is_rest_taken)) {
        atomic_store(&is_rest_taken, 0);
    }
}

long CLinux_receive_message(
    int socket, void *bytes, size_t capacity, const void *rest, int *descriptor) {
    struct iovec parts[2] = {
        {.iov_base = bytes, .iov_len = capacity},
        {.iov_base = message_rest, .iov_len = sizeof message_rest - capacity},
    };
    size_t count;
    int received;
    long result = receive_descriptors(socket, parts, rest == NULL ? 1 : 2, &received, 1, &count);
    *descriptor = count > 0 ? received : -1;
    return result;
}
