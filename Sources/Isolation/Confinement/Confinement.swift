internal import CLinux
internal import Glibc
internal import LinuxSystem

/// How a process gives up what it will not need, once and for all.
enum Confinement {
    /// The most descriptors that a Session or an Agent may hold.
    private static let maximumDescriptorCount: UInt64 = 64

    /// The most channels that the Signer may hold.
    private static let maximumSignerDescriptorCount: UInt64 = 65_536

    /// Makes this process a Session: nobody's files, nobody's rights.
    ///
    /// - Parameters:
    ///   - credentials: The unprivileged ids; `nil` without root, where ids cannot be switched.
    ///   - usesSeccomp: Whether to filter system calls (`seccomp_sandbox`).
    /// - Throws: ``SystemError``; the process must not go on then.
    static func enterSession(
        as credentials: Credentials?,
        usesSeccomp: Bool
    ) throws(SystemError) {
        try becomeHarmless(as: credentials, groups: [])
        try checked("landlock", CLinux_confine_to_directory(-1))
        if usesSeccomp { try SystemCallFilter.session.install() }
    }

    /// Makes this process the Signer: like a Session, with as many channels as there are sessions.
    static func enterSigner(
        as credentials: Credentials?,
        usesSeccomp: Bool
    ) throws(SystemError) {
        try becomeHarmless(
            as: credentials,
            groups: [],
            descriptorCount: maximumSignerDescriptorCount
        )
        try checked("landlock", CLinux_confine_to_directory(-1))
        if usesSeccomp { try SystemCallFilter.signer.install() }
    }

    /// Makes this process one that reads a certificate: messages and memory, and nothing else.
    static func enterVerifier(
        as credentials: Credentials?,
        usesSeccomp: Bool
    ) throws(SystemError) {
        try becomeHarmless(as: credentials, groups: [])
        try checked("landlock", CLinux_confine_to_directory(-1))
        if usesSeccomp { try SystemCallFilter.signer.install() }
    }

    /// Makes this process the resolver, which speaks with name servers and writes log lines.
    static func enterResolver(as credentials: Credentials?) throws(SystemError) {
        try becomeHarmless(as: credentials, groups: [], isSilent: false)
    }

    /// Switches this process to a user, before it opens the jail's root as that user.
    static func becomeUser(
        _ credentials: Credentials?,
        groups: [UInt32]
    ) throws(SystemError) {
        // An Agent whose Warden dies ends when its Session does, right after the Warden, and so has
        // the time to end an upload properly.
        try becomeHarmless(as: credentials, groups: groups, atParentsDeath: SIGTERM)
    }

    /// Confines this process to the jail's root, the last step to an Agent.
    static func enterAgent(
        root: CInt,
        usesSeccomp: Bool
    ) throws(SystemError) {
        try checked("landlock", CLinux_confine_to_directory(root))
        if usesSeccomp { try SystemCallFilter.agent.install() }
    }

    private static func becomeHarmless(
        as credentials: Credentials?,
        groups: [UInt32],
        descriptorCount: UInt64 = maximumDescriptorCount,
        isSilent: Bool = true,
        atParentsDeath signal: CInt = SIGKILL
    ) throws(SystemError) {
        DaemonProcess.clearEnvironment()
        if isSilent { try DaemonProcess.silence(0, 1, 2) }
        // Capabilities go first: dropping the bounding set takes one of them.
        if let credentials {
            try checked("capset", CLinux_drop_bounding_set())
            try credentials.assume(groups: groups)
        }
        try checked("capset", CLinux_drop_all_capabilities())
        try checked("prctl", CLinux_set_no_new_privileges())
        try checked("prctl", CLinux_set_not_dumpable())
        try checked("setrlimit", CLinux_set_limit(CLinux_RLIMIT_CORE, 0))
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
}
