internal import Glibc

// Listener and Wardens. They run whatever PAM is told to, and every process of the server has their
// filter besides its own, so the list is what programs in general use. It leaves out what changes the
// machine, reaches into other processes, or opens large and rarely used parts of the kernel.

extension SystemCallFilter {
    /// Files and what goes through descriptors.
    private static let files = words(
        """
        access chdir chmod chown chroot close close_range copy_file_range creat dup dup2 dup3 faccessat
        faccessat2 fadvise64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl
        fdatasync fgetxattr flistxattr flock fremovexattr fsetxattr fstat fstatfs fsync ftruncate
        futimesat getcwd getdents getdents64 getxattr inotify_add_watch inotify_init inotify_init1
        inotify_rm_watch ioctl lchown lgetxattr link linkat listxattr llistxattr lremovexattr lseek
        lsetxattr lstat mkdir mkdirat mknod mknodat name_to_handle_at newfstatat open openat openat2
        pipe pipe2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink
        readlinkat readv removexattr rename renameat renameat2 rmdir sendfile setxattr splice stat
        statfs statx symlink symlinkat sync sync_file_range syncfs tee truncate umask unlink
        unlinkat utime utimensat utimes vmsplice write writev
        """
    )

    /// Sockets, waiting, and signals.
    private static let communication = words(
        """
        accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg
        recvmsg sendmmsg sendmsg sendto setsockopt shutdown socket socketpair
        epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2
        poll ppoll pselect6 select
        kill pause pidfd_open pidfd_send_signal rt_sigaction rt_sigpending rt_sigprocmask
        rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sigaltstack
        signalfd signalfd4 tgkill tkill
        """
    )

    /// Processes, memory, time, ids and limits.
    private static let processes = words(
        """
        arch_prctl capget capset clone execve execveat exit exit_group fork futex futex_waitv
        get_robust_list getcpu getegid geteuid getgid getgroups getpgid getpgrp getpid getppid
        getpriority getrandom getresgid getresuid getrlimit getrusage getsid gettid getuid ioprio_get
        ioprio_set landlock_add_rule landlock_create_ruleset landlock_restrict_self prctl prlimit64
        restart_syscall rseq sched_get_priority_max sched_get_priority_min sched_getaffinity
        sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity
        sched_setattr sched_setparam sched_setscheduler sched_yield seccomp set_robust_list
        set_tid_address setfsgid setfsuid setgid setgroups setpgid setpriority setregid setresgid
        setresuid setreuid setrlimit setsid setuid sysinfo times uname vfork wait4 waitid
        brk madvise membarrier memfd_create mincore mlock mlock2 mlockall mmap mprotect mremap msync
        munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect
        alarm clock_getres clock_gettime clock_nanosleep getitimer gettimeofday nanosleep setitimer
        time timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create
        timerfd_gettime timerfd_settime
        """
    )

    /// Namespaces by clone(2): CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET.
    private static let makesNoNamespace = [
        Condition("clone", 0, .hasAny(0x7E02_0000), .fail(EPERM))
    ]

    /// Typing into the terminal that the server was started from (TIOCSTI, TIOCLINUX).
    private static let typesNothing = [0x5412, 0x541C].map {
        Condition("ioctl", 1, .equals($0), .fail(EPERM))
    }

    /// Listener and Wardens, and the programs that PAM modules start.
    static let privileged = SystemCallFilter(
        allowed: files + communication + processes,
        // Missing, as far as programs and modules can see: they have another way (clone3, io_uring),
        // or take the kernel for one without keys (pam_keyinit).
        absent: words(
            """
            clone3 io_uring_setup io_uring_enter io_uring_register add_key keyctl request_key
            """
        ),
        // What a module or its program may try, and is to say in its own words that it cannot.
        forbidden: words(
            """
            mount umount2 fsopen fsconfig fsmount fspick move_mount open_tree open_tree_attr
            mount_setattr pivot_root unshare setns quotactl quotactl_fd personality
            sethostname setdomainname syslog vhangup adjtimex clock_adjtime
            """
        ),
        // What none has a use for.
        fatal: words(
            """
            ptrace process_vm_readv process_vm_writev pidfd_getfd kcmp open_by_handle_at
            kexec_load kexec_file_load init_module finit_module delete_module bpf perf_event_open
            userfaultfd swapon swapoff reboot settimeofday clock_settime iopl ioperm modify_ldt acct
            """
        ),
        conditions: makesNoNamespace + typesNothing + families,
        otherwise: .fail(ENOSYS)
    )

    /// Works out every filter once, so that processes which are forked later need not.
    static func prepareAll() {
        for filter in [
            session, sessionWithKernelTLS, signer, clerk, metrics, agent, resolver, privileged,
        ] {
            _ = filter
        }
    }
}
