#include "CLinux.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

// Declared here because the headers of Debian 12 know ABI 2 only. May go once the oldest supported
// kernel headers know ABI 6 (Linux 6.12).
struct ruleset_attributes {
    uint64_t handled_access_fs;
    uint64_t handled_access_net;
    uint64_t scoped;
};

struct path_beneath {
    uint64_t allowed_access;
    int32_t parent_fd;
} __attribute__((packed));

struct net_port {
    uint64_t allowed_access;
    uint64_t port;
};

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

enum {
    create_ruleset_version = 1,
    rule_path_beneath = 1,
    rule_net_port = 2,
};

// Rights on files, by the ABI that brought them: execute … make symlinks (1), refer (2),
// truncate (3), ioctl on devices (5).
static const uint64_t access_abi1 = (1ULL << 13) - 1;
static const uint64_t access_refer = 1ULL << 13;
static const uint64_t access_truncate = 1ULL << 14;
static const uint64_t access_ioctl_dev = 1ULL << 15;
// Reading files, and listing directories.
static const uint64_t access_read = (1ULL << 2) | (1ULL << 3);
// What the jail grants none of: running programs; making devices, sockets and FIFOs.
static const uint64_t access_never =
    (1ULL << 0) | (1ULL << 6) | (1ULL << 9) | (1ULL << 10) | (1ULL << 11);
// Bind and connect TCP (4); abstract Unix sockets and signals (6).
static const uint64_t net_all = 3;
static const uint64_t net_connect = 2;
static const uint64_t scope_all = 3;

int CLinux_landlock_abi(void) {
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, create_ruleset_version);
    return abi < 0 ? 0 : (int)abi;
}

// Makes a ruleset that grants nothing yet, of everything that the kernel knows. The kernel's ABI, or
// 0, without a ruleset, where it has none.
static int make_ruleset(struct ruleset_attributes *attributes, long *ruleset) {
    int abi = CLinux_landlock_abi();
    if (abi == 0) {
        return 0;
    }
    *attributes = (struct ruleset_attributes){.handled_access_fs = access_abi1};
    size_t size = sizeof attributes->handled_access_fs;
    if (abi >= 2) {
        attributes->handled_access_fs |= access_refer;
    }
    if (abi >= 3) {
        attributes->handled_access_fs |= access_truncate;
    }
    if (abi >= 4) {
        attributes->handled_access_net = net_all;
        size += sizeof attributes->handled_access_net;
    }
    if (abi >= 5) {
        attributes->handled_access_fs |= access_ioctl_dev;
    }
    if (abi >= 6) {
        attributes->scoped = scope_all;
        size += sizeof attributes->scoped;
    }
    *ruleset = syscall(SYS_landlock_create_ruleset, attributes, size, 0);
    return *ruleset < 0 ? -errno : abi;
}

static int allow_beneath(long ruleset, int directory, uint64_t access) {
    struct path_beneath rule = {.allowed_access = access, .parent_fd = directory};
    return syscall(SYS_landlock_add_rule, ruleset, rule_path_beneath, &rule, 0) < 0 ? -errno : 0;
}

// Enforces a ruleset unless making it has failed, and closes it.
static int enforce(long ruleset, int abi, int failure) {
    int result = failure < 0 ? failure : abi;
    if (result > 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0) {
        result = -errno;
    }
    close((int)ruleset);
    return result;
}

int CLinux_confine_to_directory(int directory) {
    struct ruleset_attributes attributes;
    long ruleset;
    int abi = make_ruleset(&attributes, &ruleset);
    if (abi <= 0) {
        return abi;
    }
    int failure = 0;
    if (directory >= 0) {
        failure = allow_beneath(
            ruleset, directory, attributes.handled_access_fs & ~access_never & ~access_ioctl_dev);
    }
    return enforce(ruleset, abi, failure);
}

int CLinux_confine_to_reading(const int *directories, size_t count, uint16_t port) {
    struct ruleset_attributes attributes;
    long ruleset;
    int abi = make_ruleset(&attributes, &ruleset);
    if (abi <= 0) {
        return abi;
    }
    int failure = 0;
    for (size_t index = 0; index < count && failure == 0; index++) {
        failure = allow_beneath(ruleset, directories[index], access_read);
    }
    if (failure == 0 && attributes.handled_access_net != 0) {
        struct net_port rule = {.allowed_access = net_connect, .port = port};
        if (syscall(SYS_landlock_add_rule, ruleset, rule_net_port, &rule, 0) < 0) {
            failure = -errno;
        }
    }
    return enforce(ruleset, abi, failure);
}
