#include "CLinux.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

static const char protocol[] = "tls";

int CLinux_has_kernel_tls(void) {
    int number = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (number < 0) {
        number = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    }
    if (number < 0) {
        return 0;
    }
    // A kernel that can says that this is no connection, and one that cannot that there is no "tls".
    int result = setsockopt(number, IPPROTO_TCP, TCP_ULP, protocol, sizeof protocol);
    int is_known = result == 0 || errno == ENOTCONN;
    close(number);
    return is_known;
}

int CLinux_await_tls_keys(int socket) {
    int result = setsockopt(socket, IPPROTO_TCP, TCP_ULP, protocol, sizeof protocol);
    return result < 0 ? -errno : 0;
}
