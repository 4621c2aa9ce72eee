internal import CLinux
internal import Glibc
internal import LinuxSystem

/// How a process gives up what it will not need, once and for all.
enum Confinement {
    /// The most descriptors that a process may hold of which nothing else is said.
    private static let maximumDescriptorCount: UInt64 = 64

    /// The most descriptors that a Session may hold: those of every process, and beside them the
    /// connections of strangers that wait at its passive port together with the client's.
    private static let maximumSessionDescriptorCount: UInt64 = 64 + 256

    /// The most descriptors that an Agent may hold, and that all processes of its user together may
    /// have on their way to somebody who has not received them yet (ETOOMANYREFS of unix(7)).
    ///
    /// Sessions of one user (anonymous ones, guests, virtual users) have one each on its way at most:
    /// that is 2,000 with the usual `max_clients`. A Session that is taken over and logs in again and
    /// again can leave one in each channel that it keeps, 320 with its own limit: 44 of those do not
    /// come between the others.
    private static let maximumAgentDescriptorCount: UInt64 = 16_384

    /// How much memory a process may take besides what it was forked with.
    ///
    /// Many times what any needs; a bound for one that is taken over.
    private static let maximumMemoryGrowth: UInt64 = 512 << 20

    /// How much sooner than others a Session or an Agent is taken when the machine has no memory left
    /// (`oom_score_adj`).
    private static let outOfMemoryScore: CInt = 500

    /// The most channels that the Signer may hold.
    private static let maximumSignerDescriptorCount: UInt64 = 65_536

    /// The most descriptors that a Warden and the programs of PAM modules hold, unless they ask for
    /// more, as pam_limits does.
    ///
    /// Enough for all of them, and not so many that a program which closes every number there may be
    /// takes long.
    private static let maximumWardenDescriptorCount: UInt64 = 1_024

    /// What PAM and the Warden's own work take of root's rights.
    ///
    /// - Switching to users and their groups (SETUID, SETGID), ending their processes (KILL), taking
    ///   their capabilities for good (SETPCAP), and their limits (SYS_RESOURCE, SYS_NICE: pam_limits).
    /// - Files of others: user databases, homes that pam_mkhomedir makes, uploads that are handed over
    ///   (DAC_OVERRIDE, CHOWN, FOWNER, FSETID).
    /// - Making homes the roots of Agents (SYS_CHROOT).
    /// - Data connections from port 20 (NET_BIND_SERVICE).
    /// - The audit log (AUDIT_WRITE), and who has logged in (AUDIT_CONTROL: pam_loginuid).
    private static let keptCapabilities = [
        CLinux_CAP_SETUID, CLinux_CAP_SETGID, CLinux_CAP_KILL, CLinux_CAP_SETPCAP,
        CLinux_CAP_SYS_RESOURCE, CLinux_CAP_SYS_NICE, CLinux_CAP_DAC_OVERRIDE, CLinux_CAP_CHOWN,
        CLinux_CAP_FOWNER, CLinux_CAP_FSETID, CLinux_CAP_SYS_CHROOT,
        CLinux_CAP_NET_BIND_SERVICE, CLinux_CAP_AUDIT_WRITE, CLinux_CAP_AUDIT_CONTROL,
    ].reduce(UInt64(0)) { $0 | 1 << UInt64($1) }

    /// The environment of every process.
    private static let keptVariables = ["TZ"]

    /// Where name resolution finds its configuration, its modules, and the sockets of its services.
    private static let resolverDirectories = [
        "/etc", "/usr", "/lib", "/lib32", "/lib64", "/run", "/var/lib/sss", "/var/lib/extrausers",
    ]

    /// Confines the Listener, and with it every process that comes after.
    ///
    /// Without root there is nothing to give up, and PAM needs a program that gains rights
    /// (unix_chkpwd(8)), which the kernel refuses to processes with such a filter.
    ///
    /// - Throws: ``SystemError``; nobody must be served then.
    static func enterListener(_ settings: WardenSettings) throws(SystemError) {
        SystemCallFilter.prepareAll()
        // Log lines and PAM modules tell the time by it.
        DaemonProcess.keepEnvironment(keptVariables)
        // See Orphans.
        try checked("prctl", CLinux_adopt_orphans())
        guard settings.confinesPAM, Credentials.isRoot else { return }
        try checked("capset", CLinux_limit_bounding_set(keptCapabilities))
        try checked("capset", CLinux_limit_capabilities(keptCapabilities))
        try checked("prctl", CLinux_set_no_new_privileges())
        try SystemCallFilter.privileged.install(settings.systemCalls)
    }

    /// Makes this process, which the Listener has forked, a Warden.
    static func enterWarden() throws(SystemError) {
        setDescriptorLimit(maximumWardenDescriptorCount)
        // What modules leave behind is to be seen.
        try checked("prctl", CLinux_adopt_orphans())
    }

    /// Makes this process a Session: nobody's files, nobody's rights.
    ///
    /// - Parameters:
    ///   - credentials: The unprivileged ids; `nil` without root, where ids cannot be switched.
    ///   - systemCalls: What comes of system calls that a Session has no use for.
    ///   - sendsFiles: Whether the kernel may send files by itself.
    ///   - channels: Where the kernel may encrypt what data connections send, and send files over them:
    ///     the channels to the Warden and to the Signer, which -1 stands for where there is none. An
    ///     optional list would have Swift's runtime make a type in every Session, to destroy it.
    /// - Throws: ``SystemError``; the process must not go on then.
    static func enterSession(
        as credentials: Credentials?,
        _ systemCalls: SystemCallPolicy,
        sendsFiles: Bool = false,
        encryptingBeside channels: [CInt] = []
    ) throws(SystemError) {
        try becomeHarmless(
            as: credentials,
            groups: [],
            descriptorCount: maximumSessionDescriptorCount,
            goesFirst: true
        )
        try checked("landlock", CLinux_confine_to_directory(-1))
        if !channels.isEmpty {
            try SystemCallFilter.sessionWithKernelTLS.install(systemCalls, channels: channels)
            return
        }
        let filter = sendsFiles ? SystemCallFilter.sessionSendingFiles : .session
        try filter.install(systemCalls)
    }

    /// Makes this process the Signer: like a Session, with as many channels as there are sessions.
    static func enterSigner(
        as credentials: Credentials?,
        _ systemCalls: SystemCallPolicy
    ) throws(SystemError) {
        try becomeHarmless(
            as: credentials,
            groups: [],
            descriptorCount: maximumSignerDescriptorCount,
            // It ends with the last of its channels: sessions may outlive the Listener.
            atParentsDeath: 0
        )
        try keepFromFiles(.signer, systemCalls)
    }

    /// Makes this process the Clerk: messages, connections at the admin socket, and pages of sessions.
    static func enterClerk(
        as credentials: Credentials?,
        _ systemCalls: SystemCallPolicy
    ) throws(SystemError) {
        try becomeHarmless(as: credentials, groups: [])
        try keepFromFiles(.clerk, systemCalls)
    }

    /// Makes this process the one that answers Prometheus: connections that come, and a page.
    static func enterMetrics(
        as credentials: Credentials?,
        _ systemCalls: SystemCallPolicy
    ) throws(SystemError) {
        try becomeHarmless(as: credentials, groups: [])
        try keepFromFiles(.metrics, systemCalls)
    }

    /// Makes this process one that reads a certificate: messages and memory, and nothing else.
    static func enterVerifier(
        as credentials: Credentials?,
        _ systemCalls: SystemCallPolicy
    ) throws(SystemError) {
        try becomeHarmless(as: credentials, groups: [])
        try keepFromFiles(.signer, systemCalls)
    }

    /// Leaves a harmless process no file, to find or to write, and the calls of `filter` alone.
    private static func keepFromFiles(
        _ filter: SystemCallFilter,
        _ systemCalls: SystemCallPolicy
    ) throws(SystemError) {
        try checked("setrlimit", CLinux_set_limit(CLinux_RLIMIT_FSIZE, 0))
        try checked("landlock", CLinux_confine_to_directory(-1))
        try filter.install(systemCalls)
    }

    /// Makes this process the Auditor, which adds to the one file that it was handed.
    static func enterAuditor(
        as credentials: Credentials?,
        _ systemCalls: SystemCallPolicy
    ) throws(SystemError) {
        // Sessions may go on for a while when the Listener is gone, and their records with them.
        try becomeHarmless(
            as: credentials,
            groups: [],
            descriptorCount: maximumSignerDescriptorCount,
            isSilent: false,
            atParentsDeath: SIGTERM
        )
        try checked("landlock", CLinux_confine_to_directory(-1))
        try SystemCallFilter.auditor.install(systemCalls)
    }

    /// Makes this process the resolver, which speaks with name servers.
    static func enterResolver(
        as credentials: Credentials?,
        _ systemCalls: SystemCallPolicy
    ) throws(SystemError) {
        try becomeHarmless(as: credentials, groups: [])
        try confineToReading(resolverDirectories)
        try SystemCallFilter.resolver.install(systemCalls)
    }

    /// Leaves the files of those directories that exist, for reading, and TCP to name servers.
    private static func confineToReading(_ paths: [String]) throws(SystemError) {
        let directories = paths.compactMap { path in
            let number = unsafe open(path, CLinux_O_PATH | O_DIRECTORY | O_CLOEXEC)
            return number < 0 ? nil : HeldDirectory(OwnedDescriptor(owning: number))
        }
        let numbers = directories.map(\.number)
        // 53 is the port of name servers.
        try checked("landlock", unsafe CLinux_confine_to_reading(numbers, numbers.count, 53))
        withExtendedLifetime(directories) {}
    }

    /// Switches this process to a user, before it opens the jail's root as that user.
    ///
    /// - Parameters:
    ///   - credentials: The user's ids; `nil` without root.
    ///   - groups: The user's supplementary groups.
    ///   - fileSize: The largest file that it may write, in bytes; 0 for any.
    ///   - changesRoot: Whether the right to make the jail its root stays until ``enterAgent(root:changesRoot:_:)``.
    /// - Throws: ``SystemError``; the process must not go on then.
    static func becomeUser(
        _ credentials: Credentials?,
        groups: [UInt32],
        fileSize: Int64,
        changesRoot: Bool
    ) throws(SystemError) {
        // An Agent whose Warden dies ends when its Session does, right after the Warden, and so has
        // the time to end an upload properly. One that takes too long is ended by Orphans.
        try becomeHarmless(
            as: credentials,
            groups: groups,
            descriptorCount: maximumAgentDescriptorCount,
            goesFirst: true,
            keeping: changesRoot ? 1 << UInt64(CLinux_CAP_SYS_CHROOT) : 0,
            atParentsDeath: SIGTERM
        )
        guard fileSize > 0 else { return }
        try checked("setrlimit", CLinux_set_limit(CLinux_RLIMIT_FSIZE, UInt64(fileSize)))
    }

    /// Whether this process, and every one that it forks, may change its root.
    ///
    /// Asked of the kernel and not of the capabilities: a filter of the service manager's may have
    /// the last word.
    static var mayChangeRoot: Bool { CLinux_try_changing_root() == 0 }

    /// What does not hold where Agents cannot change their root, for the log.
    static let rootGap =
        "no right to change the root of a process (CAP_SYS_CHROOT): one that is taken over reaches"
        + " metadata outside of its user's home"

    /// Confines this process to the jail's root, the last step to an Agent.
    ///
    /// Landlock knows nothing of metadata, so the jail becomes the root of the process as well. With
    /// the user's ids: root itself may have no right to a home on a network file system. No path is
    /// looked up from this root afterwards, and nothing is loaded.
    static func enterAgent(
        root: CInt,
        changesRoot: Bool,
        isOfProgram: Bool = false,
        _ systemCalls: SystemCallPolicy
    ) throws(SystemError) {
        if changesRoot {
            try checked("chroot", CLinux_change_root(root))
            try checked("capset", CLinux_limit_capabilities(0))
        }
        try checked("landlock", CLinux_confine_to_directory(root))
        let filter = isOfProgram ? SystemCallFilter.agentOfProgram : .agent
        try filter.install(systemCalls)
    }

    private static func becomeHarmless(
        as credentials: Credentials?,
        groups: [UInt32],
        descriptorCount: UInt64 = maximumDescriptorCount,
        goesFirst: Bool = false,
        keeping capabilities: UInt64 = 0,
        isSilent: Bool = true,
        atParentsDeath signal: CInt = SIGKILL
    ) throws(SystemError) {
        DaemonProcess.keepEnvironment(keptVariables)
        // See Orphans.
        DaemonProcess.standApart()
        // As whoever has forked it: its files in /proc are out of reach later. The machine may have
        // an own opinion of who goes first.
        if goesFirst { _ = CLinux_set_out_of_memory_score(outOfMemoryScore) }
        try checked("setrlimit", CLinux_limit_memory(maximumMemoryGrowth))
        if isSilent { try DaemonProcess.silence(0...2) }
        // Capabilities go first: dropping the bounding set takes one of them.
        if let credentials {
            try checked("capset", CLinux_limit_bounding_set(0))
            try credentials.assume(groups: groups, keepsCapabilities: capabilities != 0)
        }
        try checked("capset", CLinux_limit_capabilities(capabilities))
        try checked("prctl", CLinux_set_no_new_privileges())
        // Once more: a change of ids sets it as the system likes.
        try DaemonProcess.protectMemory()
        try checked("setrlimit", CLinux_set_limit(CLinux_RLIMIT_NPROC, 0))
        try checked(
            "setrlimit",
            CLinux_set_limit(CLinux_RLIMIT_NOFILE, min(descriptorCount, hardDescriptorLimit()))
        )
        // After the change of ids, which clears it.
        try DaemonProcess.endWithParent(signal)
    }

    /// The Landlock ABI of the kernel, 0 when there is none.
    static var landlockABI: Int { Int(CLinux_landlock_abi()) }

    /// What an old kernel keeps Landlock from doing, for the log; `nil` where nothing is missing.
    static func landlockGap(ofABI abi: Int) -> String? {
        switch abi {
        case ...0: "this kernel has no Landlock; the jail rests on openat2 and seccomp"
        case 1, 2: "this kernel's Landlock does not hold against truncating files, TCP and signals"
        case 3: "this kernel's Landlock does not hold against TCP and signals"
        case 4, 5: "this kernel's Landlock does not hold against signals"
        default: nil
        }
    }
}

/// Holds one directory, since arrays hold no value with a single owner.
private final class HeldDirectory {
    private let descriptor: OwnedDescriptor

    init(_ descriptor: consuming OwnedDescriptor) {
        self.descriptor = descriptor
    }

    var number: CInt { descriptor.number }
}
