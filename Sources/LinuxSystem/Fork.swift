internal import CLinux
package import Glibc
internal import SystemPackage

/// Which side of a `fork(2)` this is.
package enum ForkOutcome: Hashable, Sendable {
    /// The new process.
    case child
    /// The old process, with the new one's id.
    case parent(pid_t)
}

/// The processes of the daemon: one thread each, forked without exec.
package enum DaemonProcess {
    /// This process's id.
    package static var id: pid_t { getpid() }

    /// Whether this process has one thread, and so may be forked.
    package static var isSingleThreaded: Bool { CLinux_thread_count() == 1 }

    /// Makes a second process out of this one.
    ///
    /// - Precondition: This process has one thread. A child forked beside another thread may hang
    ///   on a lock that this thread held, so the process is aborted instead.
    /// - Throws: ``SystemError`` with `EAGAIN` or `ENOMEM` when there is no room for another.
    package static func fork() throws(SystemError) -> ForkOutcome {
        let child = try checked("fork", CLinux_fork())
        guard child == 0 else { return .parent(child) }
        CLinux_map_huge_text()
        return .child
    }

    /// Takes the status of one child that ended.
    ///
    /// Wraps `waitpid(2)`.
    ///
    /// - Parameters:
    ///   - child: The child, or `nil` for any.
    ///   - waits: Whether to wait for the end.
    /// - Returns: The child's id and its exit status (128 plus the number if a signal ended it), or
    ///   `nil` when none has ended.
    package static func reap(_ child: pid_t? = nil, waits: Bool = false) -> (pid_t, CInt)? {
        var status: CInt = 0
        while true {
            let pid = unsafe waitpid(child ?? -1, &status, waits ? 0 : WNOHANG)
            if pid > 0 { return (pid, CLinux_exit_status(status)) }
            guard pid < 0, errno == EINTR else { return nil }
        }
    }

    /// Waits until `child`, which has not been reaped, has ended or `deadline` passes.
    ///
    /// Wraps `pidfd_open(2)` and `poll(2)`.
    ///
    /// - Returns: Whether it has ended; it is still to be reaped.
    package static func awaitEnd(of child: pid_t, until deadline: Deadline) -> Bool {
        let number = CLinux_process_descriptor(child)
        guard number >= 0 else { return false }
        let descriptor = OwnedDescriptor(owning: number)
        var entries = [PollEntry(descriptor.number, reading: true)]
        while true {
            guard let count = try? poll(&entries, until: deadline) else { return false }
            if count > 0 { return true }
            if deadline.hasPassed { return false }
        }
    }

    /// Bounds the size of every file that `child` writes to; `nil` lifts the bound.
    ///
    /// Wraps `prlimit(2)` with `RLIMIT_FSIZE`. A failure is ignored: the bound is a second one.
    ///
    /// - Parameters:
    ///   - child: A child that has not been reaped.
    ///   - byteCount: The largest size.
    ///   - owner: The ids of `child`, if they are not those of this process.
    package static func limitFileSize(
        of child: pid_t,
        to byteCount: UInt64?,
        as owner: Credentials?
    ) {
        let size = byteCount ?? .max
        guard CLinux_limit_file_size(child, size) == -EPERM, let owner else { return }
        // Root in a container often lacks CAP_SYS_RESOURCE; the child's own ids are enough.
        switch try? fork() {
        case .child:
            guard (try? owner.assume(groups: [])) != nil else { exit(1) }
            exit(CLinux_limit_file_size(child, size) == 0 ? 0 : 1)
        case .parent(let helper): _ = reap(helper, waits: true)
        case nil: break
        }
    }

    /// Sends `signal` to `process`, which must be a child that has not been reaped.
    package static func signal(_ process: pid_t, _ signal: CInt) {
        _ = Glibc.kill(process, signal)
    }

    /// Ends this process at once, without running anything that the parent registered.
    package static func exit(_ status: CInt) -> Never {
        _exit(status)
    }

    /// Sets the name that `ps(1)` shows, at most 15 bytes.
    package static func setName(_ name: String) {
        _ = unsafe CLinux_set_name(name)
    }

    /// The name that `ps(1)` shows of a process; `nil` where it is gone.
    package static func name(of process: pid_t) -> String? {
        let number = unsafe open("/proc/\(process)/comm", O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { return nil }
        let file = OwnedDescriptor(owning: number)
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = unsafe read(file.number, &bytes, bytes.count)
        guard count > 0 else { return nil }
        return String(decoding: bytes[..<count].prefix { $0 != 0x0A }, as: UTF8.self)
    }

    /// Has the kernel send `signal` when the parent dies.
    ///
    /// Set it after switching ids: `prctl(2)` clears it then.
    ///
    /// - Throws: ``SystemError`` with `ESRCH` when the parent is dead already.
    package static func endWithParent(_ signal: CInt = SIGKILL) throws(SystemError) {
        try checked("prctl", CLinux_set_parent_death_signal(signal))
    }

    /// Default action for all signals but `SIGPIPE` and `SIGXFSZ`, which are ignored; nothing blocked.
    package static func resetSignals() throws(SystemError) {
        try checked("sigprocmask", CLinux_reset_signals())
    }

    /// Has SIGTERM, SIGINT, SIGHUP and SIGUSR2 only interrupt a wait.
    ///
    /// They are caught and not ignored, so that programs which PAM modules run get the defaults.
    package static func outliveTermination() throws(SystemError) {
        for signal in [SIGTERM, SIGINT, SIGHUP, SIGUSR2] {
            try checked("sigaction", CLinux_watch_signal(signal))
        }
    }

    /// Closes every descriptor but 0, 1, 2 and `kept`.
    ///
    /// Uses `close_range(2)` between the kept ones, so a high descriptor limit costs nothing.
    package static func closeDescriptors(except kept: [CInt]) throws(SystemError) {
        var first: CUnsignedInt = 3
        for number in kept.sorted() where number >= 3 {
            let number = CUnsignedInt(number)
            if number > first {
                try checked("close_range", CLinux_close_range(first, number - 1))
            }
            first = number + 1
        }
        try checked("close_range", CLinux_close_range(first, .max))
    }

    /// Points the descriptors in `numbers` to `/dev/null`.
    package static func silence(_ numbers: ClosedRange<CInt>) throws(SystemError) {
        let null = unsafe open("/dev/null", O_RDWR | O_CLOEXEC)
        guard null >= 0 else { throw SystemError("open") }
        let owner = OwnedDescriptor(owning: null)
        for number in numbers {
            guard dup2(owner.number, number) >= 0 else { throw SystemError("dup2") }
        }
    }

    /// Has the code of this process, and of those forked from it, lie in pages of 2 MiB.
    ///
    /// A forked process has none of its code mapped, and brings it back in pieces of 64 KiB, with a
    /// page fault for each. The code is a sealed copy, which nobody can write to.
    ///
    /// - Returns: How many bytes of code lie there; 0 where the kernel gives no such pages.
    @discardableResult
    package static func useHugeText() -> Int { max(0, CLinux_use_huge_text()) }

    /// Has what is allocated from now on lie together, in this process and in those forked from it.
    ///
    /// A forked process keeps a copy of each page that it writes to. Small pieces that were freed all
    /// over the heap and are handed out again cost it a page each.
    package static func gatherHeap() { CLinux_gather_heap() }

    /// Has every piece of memory overwritten when it is freed, or no longer (mallopt(3), `M_PERTURB`).
    ///
    /// Costs a page for each page that is freed or handed out, whether it is used or not.
    package static func wipeFreedMemory(_ isWiped: Bool) {
        CLinux_wipe_freed_memory(isWiped ? 1 : 0)
    }

    /// Gives back what memory is free in this process, which is about to wait: of the stack beneath the
    /// caller, and of the heap.
    ///
    /// To look through the heap, a process has to copy pages that it shares with others. Where less is
    /// free than that takes, `heap` is better left out. Does nothing where other threads may be.
    package static func releaseFreeMemory(heap: Bool) {
        CLinux_release_free_memory(heap ? 1 : 0)
    }

    /// Removes every environment variable but `names`, from /proc as well.
    package static func keepEnvironment(_ names: [String]) {
        _ = unsafe CLinux_keep_environment(names.joined(separator: " "))
    }

    /// Has nothing of this process's memory reach a core file, or another process of the same user.
    ///
    /// - Throws: ``SystemError``; no secret must be read then.
    package static func protectMemory() throws(SystemError) {
        try checked("prctl", CLinux_set_not_dumpable())
        try checked("setrlimit", CLinux_set_limit(CLinux_RLIMIT_CORE, 0))
    }

    /// Makes this process the only one of a process group.
    package static func standApart() {
        _ = setpgid(0, 0)
    }

    /// Whether `process` has made itself the first of a process group, and of no terminal session, as
    /// programs that PAM modules start do.
    package static func standsApart(_ process: pid_t) -> Bool {
        getpgid(process) == process && getsid(process) == getsid(0)
    }

    /// The children of this process that have not been reaped, `nil` where the kernel does not tell.
    package static var children: [pid_t]? {
        var found: [pid_t] = []
        while true {
            let count = unsafe CLinux_children(&found, found.count)
            guard count >= 0 else { return nil }
            guard count > found.count else { return [pid_t](found.prefix(count)) }
            // Some more room: others may come between two looks.
            found = [pid_t](repeating: 0, count: count + 64)
        }
    }
}

/// Signals that a process reads instead of being interrupted by (`signalfd(2)`).
package struct SignalDescriptor: ~Copyable {
    /// The descriptor, for `poll(2)`.
    package let descriptor: OwnedDescriptor

    /// Blocks SIGCHLD, SIGTERM, SIGINT, SIGHUP and SIGUSR2 and delivers them here; ignores SIGPIPE and
    /// SIGXFSZ.
    package init() throws(SystemError) {
        descriptor = OwnedDescriptor(owning: try checked("signalfd", CLinux_signal_descriptor()))
    }

    /// The number of one signal that came, or `nil`.
    package borrowing func next() -> CInt? {
        let signal = CLinux_read_signal(descriptor.number)
        return signal > 0 ? signal : nil
    }
}
