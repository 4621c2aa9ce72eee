internal import Glibc

// The roles that read the network, keep keys, or open files: whatever they have no use for ends them.

extension SystemCallFilter {
    /// Memory, time, randomness, messages and the end: what every process needs.
    ///
    /// Messages without descriptors: sendmsg(2) is for those that have to hand some over. Whoever is
    /// handed the last one of a connection can be made to wait in close(2) (SO_LINGER).
    private static let basics = words(
        """
        brk mmap mremap munmap madvise mprotect futex getrandom clock_gettime clock_nanosleep
        gettimeofday getpid gettid rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack
        restart_syscall exit exit_group close poll ppoll sendto recvmsg
        """
    )

    /// fcntl(2) can have the kernel send signals to any process of the same user: F_SETOWN, and
    /// F_SETSIG and F_SETOWN_EX, which the Glibc module does not name.
    private static let sendsNoSignals = [UInt32(F_SETOWN), 10, 15].map {
        Condition("fcntl", 1, .equals($0), .kill)
    }

    /// No memory becomes a program: nothing is loaded any more.
    private static let loadsNothing = ["mmap", "mprotect"].map {
        Condition($0, 2, .hasAny(UInt32(PROT_EXEC)), .kill)
    }

    /// fcntl(2) can take O_APPEND from a file that may only be added to.
    private static let keepsFlags = [
        Condition("fcntl", 1, .equals(UInt32(F_SETFL)), .kill)
    ]

    /// send(2) can connect a socket (MSG_FASTOPEN), one that listened before included, and Landlock
    /// does not see it.
    private static let connectsNowhere = [("sendto", CInt(3)), ("sendmsg", 2)].map {
        Condition($0.0, $0.1, .hasAny(0x2000_0000), .kill)
    }

    /// setsockopt(2) can hand the kernel programs (SO_ATTACH_FILTER, SO_ATTACH_BPF and their kin for
    /// SO_REUSEPORT), exchange what works on a connection (TCP_ULP), and have whoever closes a
    /// connection wait (SO_LINGER).
    private static let changesNoSocket = [26, 50, 51, 52, 31, UInt32(SO_LINGER)].map {
        Condition("setsockopt", 2, .equals($0), .kill)
    }

    /// A Session: reads, writes and accepts on what it was given.
    ///
    /// It can neither open a file nor make a socket.
    static let session = SystemCallFilter(
        allowed: basics
            + words(
                """
                read readv pread64 write writev pwrite64 lseek fadvise64 fsync fdatasync fcntl
                recvfrom accept4 shutdown getsockopt setsockopt getsockname getpeername
                """
            ),
        absent: words("openat newfstatat fstat statx ioctl readlinkat"),
        conditions: sendsNoSignals + keepsFlags + loadsNothing + connectsNowhere + changesNoSocket
    )

    /// The Signer, and whoever reads a certificate: answers messages.
    static let signer = SystemCallFilter(
        allowed: basics,
        absent: words("read openat newfstatat fstat statx ioctl readlinkat"),
        conditions: loadsNothing + connectsNowhere
    )

    /// An Agent: works on files.
    ///
    /// It has no call that makes or uses a network socket.
    static let agent = SystemCallFilter(
        allowed: basics
            + words(
                """
                sendmsg read write lseek fcntl openat2 getdents64 newfstatat fstat statx mkdirat unlinkat
                rename renameat renameat2 fchmod fchmodat2 utimensat ftruncate faccessat2
                readlinkat fchownat fstatfs symlinkat umask flock fsync syncfs
                """
            ),
        absent: words("openat ioctl"),
        conditions: sendsNoSignals + keepsFlags + loadsNothing + connectsNowhere
    )

    /// The resolver: reads the system's configuration, loads what that names, and asks name servers.
    ///
    /// It has the uid of Sessions and Signer, and no call that reaches another process.
    static let resolver = SystemCallFilter(
        allowed: basics
            + words(
                """
                read readv pread64 write writev lseek fcntl open openat stat lstat fstat newfstatat
                statx access faccessat faccessat2 readlink readlinkat getcwd getdents64 statfs
                fstatfs dup dup3 pipe2 eventfd2 epoll_create1 epoll_ctl epoll_wait epoll_pwait
                epoll_pwait2 timerfd_create timerfd_settime select pselect6 nanosleep
                socket connect bind sendmsg sendmmsg recvfrom recvmmsg shutdown getsockname
                getpeername getsockopt setsockopt getuid geteuid getgid getegid getresuid getresgid
                getppid uname sysinfo clock_getres time set_robust_list rseq sched_yield
                sched_getaffinity membarrier
                """
            ),
        absent: words(
            "prlimit64 getrlimit prctl memfd_create clone3 clone socketpair ioctl name_to_handle_at"
        ),
        // FIONREAD: what waits in a socket.
        conditions: [Condition("ioctl", 1, .equals(0x541B), .allow)]
            + sendsNoSignals
            + connectsNowhere + changesNoSocket + families
    )

    /// Kinds of socket that logins and name resolution use; 16 is netlink.
    static let families =
        [AF_UNIX, AF_INET, AF_INET6, 16].map {
            Condition("socket", 0, .equals(UInt32($0)), .allow)
        } + [
            // Every number has one of these bits, or is 0, which is no kind of socket.
            Condition("socket", 0, .hasAny(.max), .fail(EAFNOSUPPORT))
        ]
}
