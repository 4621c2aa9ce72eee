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

    /// No memory becomes a program: nothing is loaded any more.
    private static let loadsNothing = ["mmap", "mprotect"].map {
        Condition($0, 2, .hasAny(UInt32(PROT_EXEC)), .kill)
    }

    /// Of fcntl(2) what asks, and makes a second descriptor.
    ///
    /// Others of its commands have the kernel send signals, take O_APPEND from a file that may only be
    /// added to, hold up whoever opens a file (F_SETLEASE), or watch a directory (F_NOTIFY).
    private static let asksOfDescriptors = [F_DUPFD_CLOEXEC, F_GETFD, F_GETFL].map {
        Condition("fcntl", 1, .equals(UInt32($0)), .allow)
    }

    /// What the C library and the modules of name resolution do with descriptors and files of theirs:
    /// copies, flags, locks.
    private static let handlesDescriptors =
        [F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW, 1_030].map {
            Condition("fcntl", 1, .equals(UInt32($0)), .allow)
        }

    /// F_GET_SEALS of fcntl(2), which the Glibc module does not name: whether a page that comes along
    /// can shrink.
    private static let asksForSeals = [Condition("fcntl", 1, .equals(1_034), .allow)]

    /// What looks for files, in processes that have none, not even one to read.
    private static let asksForFiles = words(
        "read openat newfstatat fstat statx ioctl readlinkat"
    )

    /// send(2) can connect a socket (MSG_FASTOPEN), one that listened before included, and Landlock
    /// does not see it.
    private static let connectsNowhere = [
        Condition("sendto", 3, .hasAny(0x2000_0000), .kill),
        Condition("sendmsg", 2, .hasAny(0x2000_0000), .kill),
        Condition("sendmmsg", 3, .hasAny(0x2000_0000), .kill),
    ]

    /// Options of sockets that are set: level and name.
    ///
    /// Others hand programs to the kernel (SO_ATTACH_FILTER, SO_ATTACH_BPF and their kin for
    /// SO_REUSEPORT), exchange what works on a connection (TCP_ULP), write headers (IP_OPTIONS), or have
    /// whoever closes a connection wait (SO_LINGER).
    private static func sets(_ options: [(level: CInt, name: CInt)]) -> [Condition] {
        options.map {
            Condition(
                "setsockopt",
                1,
                .equals(UInt32($0.level)),
                and: (2, UInt32($0.name)),
                .allow
            )
        }
    }

    /// What a Session sets on its connections.
    private static let setsOfSession = sets([
        (CInt(IPPROTO_TCP), TCP_NODELAY), (CInt(IPPROTO_TCP), TCP_QUICKACK),
        (CInt(IPPROTO_TCP), TCP_CORK),
        (SOL_SOCKET, SO_KEEPALIVE), (SOL_SOCKET, SO_OOBINLINE),
    ])

    /// What the C library sets to hear of name servers that are not there (IP_RECVERR,
    /// IPV6_RECVERR).
    ///
    /// A module of name resolution may try others, and can do without; but for those that none of them
    /// has a use for.
    private static let setsOfResolver: [Condition] =
        sets([(CInt(IPPROTO_IP), 11), (CInt(IPPROTO_IPV6), 25)])
        + harmful.map { Condition("setsockopt", 2, .equals($0), .kill) }
        + [
            Condition("setsockopt", 1, .equals(0), .fail(ENOPROTOOPT)),
            Condition("setsockopt", 1, .hasAny(.max), .fail(ENOPROTOOPT)),
        ]

    /// SO_ATTACH_FILTER, SO_ATTACH_BPF, SO_ATTACH_REUSEPORT_CBPF and _EBPF, TCP_ULP, SO_LINGER.
    private static let harmful = [26, 50, 51, 52, 31, UInt32(SO_LINGER)]

    /// Looks at what the other end of a channel has not received yet (SIOCOUTQ).
    private static let looksAtChannels = [Condition("ioctl", 1, .equals(0x5411), .allow)]

    /// A Session: reads, writes and accepts on what it was given.
    ///
    /// It can neither open a file nor make a socket.
    static let session = session(and: [])

    /// A Session that has the kernel send files over connections in clear.
    static let sessionSendingFiles = session(and: ["sendfile"])

    /// What stands for the channels that a Session begins with until ``install(_:channels:)``.
    static let channelPlaces: [UInt32] = [0x7FFF_FF01, 0x7FFF_FF02]

    /// A Session that offers the keys of its data connections to the kernel, for what they send
    /// (TCP_ULP, and TLS_TX of SOL_TLS), and has it send files.
    ///
    /// The kernel takes the end of TLS by sendmsg(2) alone, which hands descriptors over as well: not to
    /// the channels that the Session begins with, and there are no copies of them.
    static let sessionWithKernelTLS = SystemCallFilter(
        allowed: callsOfSession + ["sendfile"],
        absent: absentForSession,
        conditions: channelPlaces.map { Condition("sendmsg", 0, .equals($0), .kill) }
            + [Condition("sendmsg", 2, .equals(0), .allow)]
            + [F_GETFD, F_GETFL].map { Condition("fcntl", 1, .equals(UInt32($0)), .allow) }
            + loadsNothing + connectsNowhere + setsOfSession
            + sets([(CInt(IPPROTO_TCP), 31), (282, 1)])
    )

    private static let callsOfSession =
        basics
        + words(
            """
            read readv pread64 write writev pwrite64 lseek fadvise64 fsync fdatasync
            recvfrom accept4 shutdown getsockopt getsockname getpeername
            """
        )

    private static let absentForSession = words("openat newfstatat fstat statx ioctl readlinkat")

    private static func session(and others: [String]) -> SystemCallFilter {
        SystemCallFilter(
            allowed: callsOfSession + others,
            absent: absentForSession,
            conditions: asksOfDescriptors + loadsNothing + connectsNowhere + setsOfSession
        )
    }

    /// The Signer, and whoever reads a certificate: answers messages.
    static let signer = SystemCallFilter(
        allowed: basics,
        absent: asksForFiles,
        conditions: loadsNothing + connectsNowhere
    )

    /// The Auditor: answers messages, and adds to a file.
    static let auditor = SystemCallFilter(
        allowed: basics
            + words(
                "write writev pread64 pwrite64 lseek fstat newfstatat ftruncate fdatasync"
            ),
        absent: words("read openat statx ioctl readlinkat"),
        conditions: asksOfDescriptors + loadsNothing + connectsNowhere
    )

    /// The Clerk: answers messages, of whoever connects to the admin socket too.
    static let clerk = SystemCallFilter(
        allowed: basics + words("accept4 getsockopt"),
        absent: asksForFiles,
        conditions: asksForSeals + loadsNothing + connectsNowhere
    )

    /// The one that answers Prometheus.
    static let metrics = SystemCallFilter(
        allowed: basics + words("accept4 recvfrom shutdown"),
        absent: asksForFiles,
        conditions: loadsNothing + connectsNowhere
    )

    /// An Agent: works on files.
    ///
    /// It has no call that makes or uses a network socket.
    static let agent = agent(and: [])

    /// An Agent whose files a program keeps in its own way, in memory perhaps (`memfd_create(2)`).
    static let agentOfProgram = agent(and: ["memfd_create"])

    private static func agent(and others: [String]) -> SystemCallFilter {
        SystemCallFilter(
            allowed: basics + others
                + words(
                    """
                    sendmsg read write lseek openat2 getdents64 newfstatat fstat statx mkdirat unlinkat
                    rename renameat renameat2 fchmod fchmodat2 utimensat ftruncate faccessat2
                    readlinkat fchownat fstatfs symlinkat umask flock fsync syncfs
                    """
                ),
            absent: words("openat ioctl"),
            conditions: asksOfDescriptors + looksAtChannels + loadsNothing + connectsNowhere
        )
    }

    /// The resolver: reads the system's configuration, loads what that names, and asks name servers.
    ///
    /// It has the uid of Sessions and Signer, and no call that reaches another process.
    static let resolver = SystemCallFilter(
        allowed: basics
            + words(
                """
                read readv pread64 write writev lseek open openat stat lstat fstat newfstatat
                statx access faccessat faccessat2 readlink readlinkat getcwd getdents64 statfs
                fstatfs dup dup3 pipe2 eventfd2 epoll_create1 epoll_ctl epoll_wait epoll_pwait
                epoll_pwait2 timerfd_create timerfd_settime select pselect6 nanosleep
                socket connect bind sendmsg sendmmsg recvfrom recvmmsg shutdown getsockname
                getpeername getsockopt getuid geteuid getgid getegid getresuid getresgid
                getppid uname sysinfo clock_getres time set_robust_list rseq sched_yield
                sched_getaffinity membarrier timer_create timer_settime
                """
            ),
        absent: words(
            "prlimit64 getrlimit prctl memfd_create clone3 clone socketpair ioctl name_to_handle_at"
        ),
        // FIONREAD: what waits in a socket.
        conditions: [Condition("ioctl", 1, .equals(0x541B), .allow)]
            + handlesDescriptors + connectsNowhere + setsOfResolver
            + sockets(of: networks + [SocketKind(family: netlink, protocols: [0])])
    )

    /// Kinds of socket that logins use; 9 is netlink's protocol of the audit log.
    static let families = sockets(
        of: networks + [
            SocketKind(family: UInt32(AF_UNIX), protocols: [0]),
            SocketKind(family: netlink, protocols: [0, 9]),
        ]
    )

    /// Sockets of one family, by the protocols that may be used.
    private struct SocketKind {
        let family: UInt32
        let protocols: [UInt32]
    }

    /// What name servers are asked over.
    ///
    /// No Unix sockets: with them a name might be asked of services of this machine, and whatever else
    /// listens on one could be spoken to. And no other protocols: what rules say about TCP (Landlock's
    /// for example) does not hold for MPTCP.
    private static let networks = [AF_INET, AF_INET6].map {
        SocketKind(
            family: UInt32($0),
            protocols: [0, UInt32(IPPROTO_TCP), UInt32(IPPROTO_UDP)]
        )
    }

    /// The kind by which the C library learns what networks there are (AF_NETLINK).
    private static let netlink: UInt32 = 16

    private static func sockets(of kinds: [SocketKind]) -> [Condition] {
        var conditions: [Condition] = []
        for kind in kinds {
            conditions += kind.protocols.map {
                Condition("socket", 0, .equals(kind.family), and: (2, $0), .allow)
            }
            conditions.append(
                Condition("socket", 0, .equals(kind.family), .fail(EPROTONOSUPPORT))
            )
        }
        // Every number has one of these bits, or is 0, which is no kind of socket.
        conditions.append(Condition("socket", 0, .hasAny(.max), .fail(EAFNOSUPPORT)))
        return conditions
    }
}
