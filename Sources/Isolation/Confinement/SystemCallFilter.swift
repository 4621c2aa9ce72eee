internal import CLinux
internal import LinuxSystem

/// A seccomp filter: the system calls that a role may make; every other one ends its process.
struct SystemCallFilter {
    /// Calls that are carried out.
    let allowed: [String]

    /// Calls that libraries try in passing and can do without: they get `ENOSYS`.
    let refused: [String]

    /// Memory, time, randomness and the end: what every process needs.
    private static let basics = [
        "brk", "mmap", "mremap", "munmap", "madvise", "mprotect", "futex", "getrandom",
        "clock_gettime", "clock_nanosleep", "gettimeofday", "getpid", "gettid",
        "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "restart_syscall",
        "exit", "exit_group", "close", "poll", "ppoll", "sendmsg", "recvmsg",
    ]

    /// A Session: reads, writes and accepts on what it was given.
    ///
    /// It can neither open a file nor make a socket.
    static let session = SystemCallFilter(
        allowed: basics + [
            "read", "readv", "pread64", "write", "writev", "pwrite64", "lseek", "fadvise64",
            "fsync", "fdatasync", "fcntl", "recvfrom", "sendto", "accept4",
            "shutdown", "getsockopt", "setsockopt", "getsockname", "getpeername",
        ],
        refused: ["openat", "newfstatat", "fstat", "statx", "ioctl", "readlinkat"]
    )

    /// The Signer, and whoever reads a certificate: answers messages.
    static let signer = SystemCallFilter(
        allowed: basics,
        refused: ["read", "openat", "newfstatat", "fstat", "statx", "ioctl", "readlinkat"]
    )

    /// An Agent: works on files.
    ///
    /// It has no call that makes or uses a network socket.
    static let agent = SystemCallFilter(
        allowed: basics + [
            "read", "write", "lseek", "fcntl", "openat2", "getdents64", "newfstatat", "fstat",
            "statx", "mkdirat", "unlinkat", "rename", "renameat", "renameat2", "fchmod",
            "fchmodat2", "utimensat", "ftruncate", "faccessat2", "readlinkat", "fchownat",
            "fstatfs",
            "symlinkat", "umask",
            "flock", "fsync", "syncfs",
        ],
        refused: ["openat", "ioctl"]
    )

    /// Installs the filter for good.
    ///
    /// - Throws: ``SystemError``; the process must not go on then.
    func install() throws(SystemError) {
        let allowed = Self.numbers(of: allowed)
        let refused = Self.numbers(of: refused)
        try checked(
            "seccomp",
            unsafe CLinux_install_seccomp(
                allowed,
                allowed.count,
                refused,
                refused.count,
                0
            )
        )
    }

    private static func numbers(of names: [String]) -> [CInt] {
        names.map { unsafe CLinux_system_call_number($0) }.filter { $0 >= 0 }
    }
}
