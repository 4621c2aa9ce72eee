#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define FILTER_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define FILTER_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "no seccomp filter for this architecture"
#endif

enum { maximum_filter_length = 512 };

int CLinux_install_seccomp(
    const int *allowed, size_t allowed_count, const int *refused, size_t refused_count,
    int report) {
    // Eleven instructions before the list and one after it; one compare and one return per call.
    size_t length = 12 + 2 * (allowed_count + refused_count);
    if (length > maximum_filter_length) {
        return -E2BIG;
    }
    struct sock_filter filter[maximum_filter_length];
    size_t n = 0;
    unsigned int fallback = report ? SECCOMP_RET_LOG : SECCOMP_RET_KILL_PROCESS;
    filter[n++] = (struct sock_filter)BPF_STMT(
        BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    filter[n++] = (struct sock_filter)BPF_JUMP(
        BPF_JMP | BPF_JEQ | BPF_K, FILTER_ARCHITECTURE, 1, 0);
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    filter[n++] = (struct sock_filter)BPF_STMT(
        BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    // fcntl(2) can have the kernel send signals to any process of the same user (F_SETOWN, F_SETSIG,
    // F_SETOWN_EX), and take O_APPEND from a file that may only be added to (F_SETFL). Nothing here
    // needs that.
    filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fcntl, 0, 7);
    filter[n++] = (struct sock_filter)BPF_STMT(
        BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1]));
    filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_SETFL, 3, 0);
    filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_SETOWN, 2, 0);
    filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_SETSIG, 1, 0);
    filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_SETOWN_EX, 0, 1);
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    filter[n++] = (struct sock_filter)BPF_STMT(
        BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t index = 0; index < allowed_count + refused_count; index++) {
        int refuse = index >= allowed_count;
        int number = refuse ? refused[index - allowed_count] : allowed[index];
        filter[n++] = (struct sock_filter)BPF_JUMP(
            BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)number, 0, 1);
        filter[n++] = (struct sock_filter)BPF_STMT(
            BPF_RET | BPF_K, refuse ? SECCOMP_RET_ERRNO | ENOSYS : SECCOMP_RET_ALLOW);
    }
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, fallback);
    struct sock_fprog program = {.len = (unsigned short)n, .filter = filter};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? -errno : 0;
}

struct named_call {
    const char *name;
    int number;
};

// Every name that a filter in Swift may use; calls that an architecture lacks are left out.
static const struct named_call calls[] = {
    {"accept4", SYS_accept4},
    {"brk", SYS_brk},
    {"clock_gettime", SYS_clock_gettime},
    {"clock_nanosleep", SYS_clock_nanosleep},
    {"clone3", 435},
    {"close", SYS_close},
    {"exit", SYS_exit},
    {"exit_group", SYS_exit_group},
    {"faccessat2", 439},
    {"fadvise64", SYS_fadvise64},
    {"fchmod", SYS_fchmod},
    {"fchmodat2", 452},
    {"fchownat", SYS_fchownat},
    {"fcntl", SYS_fcntl},
    {"fdatasync", SYS_fdatasync},
    {"flock", SYS_flock},
    {"fstat", SYS_fstat},
    {"fstatfs", SYS_fstatfs},
    {"fsync", SYS_fsync},
    {"ftruncate", SYS_ftruncate},
    {"futex", SYS_futex},
    {"getdents64", SYS_getdents64},
    {"getpeername", SYS_getpeername},
    {"getpid", SYS_getpid},
    {"getrandom", SYS_getrandom},
    {"getsockname", SYS_getsockname},
    {"getsockopt", SYS_getsockopt},
    {"gettid", SYS_gettid},
    {"gettimeofday", SYS_gettimeofday},
    {"ioctl", SYS_ioctl},
    {"lseek", SYS_lseek},
    {"madvise", SYS_madvise},
    {"mkdirat", SYS_mkdirat},
    {"mmap", SYS_mmap},
    {"mprotect", SYS_mprotect},
    {"mremap", SYS_mremap},
    {"munmap", SYS_munmap},
    {"newfstatat", SYS_newfstatat},
    {"openat", SYS_openat},
    {"openat2", 437},
#ifdef SYS_poll
    {"poll", SYS_poll},
#endif
    {"ppoll", SYS_ppoll},
    {"pread64", SYS_pread64},
    {"pwrite64", SYS_pwrite64},
    {"read", SYS_read},
    {"readlinkat", SYS_readlinkat},
    {"readv", SYS_readv},
    {"recvfrom", SYS_recvfrom},
    {"recvmsg", SYS_recvmsg},
#ifdef SYS_rename
    {"rename", SYS_rename},
#endif
    {"renameat", SYS_renameat},
    {"renameat2", SYS_renameat2},
    {"restart_syscall", SYS_restart_syscall},
    {"rt_sigaction", SYS_rt_sigaction},
    {"rt_sigprocmask", SYS_rt_sigprocmask},
    {"rt_sigreturn", SYS_rt_sigreturn},
    {"sendfile", SYS_sendfile},
    {"sendmsg", SYS_sendmsg},
    {"sendto", SYS_sendto},
    {"set_robust_list", SYS_set_robust_list},
    {"setsockopt", SYS_setsockopt},
    {"shutdown", SYS_shutdown},
    {"sigaltstack", SYS_sigaltstack},
    {"statx", SYS_statx},
    {"symlinkat", SYS_symlinkat},
    {"syncfs", SYS_syncfs},
    {"tgkill", SYS_tgkill},
    {"umask", SYS_umask},
    {"unlinkat", SYS_unlinkat},
    {"utimensat", SYS_utimensat},
    {"write", SYS_write},
    {"writev", SYS_writev},
};

int CLinux_system_call_number(const char *name) {
    for (size_t index = 0; index < sizeof calls / sizeof calls[0]; index++) {
        if (strcmp(calls[index].name, name) == 0) {
            return calls[index].number;
        }
    }
    return -1;
}
