internal import CLinux
package import Glibc
internal import Synchronization
internal import SystemPackage

/// Who a process is: the ids that decide what the kernel lets it do (`credentials(7)`).
package struct Credentials: Hashable, Sendable {
    /// The user.
    package var user: uid_t
    /// The primary group.
    package var group: gid_t

    /// Creates ids of a user and a primary group.
    package init(user: uid_t, group: gid_t) {
        self.user = user
        self.group = group
    }

    /// The ids of this process.
    package static var current: Credentials { .init(user: geteuid(), group: getegid()) }

    /// Whether this process may become another user.
    package static var isRoot: Bool { geteuid() == 0 }

    /// Becomes this user for good: groups first, then the group, then the user, and looks again.
    ///
    /// - Parameters:
    ///   - groups: The supplementary groups, or `nil` to keep those that are set.
    ///   - keepsCapabilities: Whether the permitted capabilities stay, none of them in effect, for
    ///     the caller to take all but what is still needed.
    /// - Throws: ``SystemError``; the process must not go on then.
    package func assume(
        groups: [gid_t]?,
        keepsCapabilities: Bool = false
    ) throws(SystemError) {
        if let groups {
            guard unsafe setgroups(groups.count, groups) == 0 else {
                throw SystemError("setgroups")
            }
        }
        if keepsCapabilities { try checked("prctl", CLinux_keep_capabilities(1)) }
        try checked("setresuid", CLinux_assume(user, group))
        if keepsCapabilities { try checked("prctl", CLinux_keep_capabilities(0)) }
    }

    /// Becomes this user in the calling thread alone; ``returnInThread(groups:)`` undoes it.
    ///
    /// The kernel keeps ids for each thread, and the C library has all threads change theirs at once;
    /// this is the kernel's call.
    ///
    /// - Throws: ``SystemError``; the thread must not go on then.
    package func assumeInThread(groups: [gid_t]) throws(SystemError) {
        let result = unsafe CLinux_assume_in_thread(user, group, groups, groups.count)
        try checked("setresuid", result)
    }

    /// Becomes the program's own user again in the calling thread.
    package func returnInThread(groups: [gid_t]) throws(SystemError) {
        let result = unsafe CLinux_return_in_thread(user, group, groups, groups.count)
        try checked("setresuid", result)
    }

    /// Whose a file or directory is (`stat(2)`); `nil` when there is none.
    package static func owner(of path: String) -> Credentials? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        return Credentials(user: status.st_uid, group: status.st_gid)
    }

    /// Sets the supplementary groups of `user` for this process (`initgroups(3)`).
    package static func initializeGroups(
        of user: String,
        primary: gid_t
    ) throws(SystemError) {
        guard unsafe initgroups(user, primary) == 0 else { throw SystemError("initgroups") }
    }

    /// Sets the permission bits that new files and directories do not get (`umask(2)`).
    package static func setFileModeMask(_ mask: UInt16) {
        _ = umask(mode_t(mask & 0o777))
    }

    /// The supplementary groups of this process (`getgroups(2)`).
    package static func supplementaryGroups() throws(SystemError) -> [gid_t] {
        let count = getgroups(0, nil)
        guard count >= 0 else { throw SystemError("getgroups") }
        var groups = [gid_t](repeating: 0, count: Int(count))
        let filled = unsafe getgroups(count, &groups)
        guard filled >= 0 else { throw SystemError("getgroups") }
        return [gid_t](groups.prefix(Int(filled)))
    }
}

/// The most descriptors that this process may ever be allowed (`getrlimit(2)`).
package func hardDescriptorLimit() -> UInt64 {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue)), &limit) == 0 else {
        return 64
    }
    return UInt64(limit.rlim_max)
}

/// Lets this process open as many descriptors as it wants, or as it may at all (`setrlimit(2)`).
///
/// - Returns: How many that is.
@discardableResult
package func setDescriptorLimit(_ wanted: UInt64) -> UInt64 {
    let limit = min(wanted, hardDescriptorLimit())
    guard CLinux_set_soft_limit(CLinux_RLIMIT_NOFILE, limit) == 0 else { return 0 }
    return limit
}

/// Held while /etc/shells is read: the C library has one position in it for the whole program.
private let shellsFile = Mutex(())

/// An entry of the password database (`passwd(5)`).
package struct SystemAccount: Hashable, Sendable {
    /// The login name.
    package let name: String
    /// The user and primary group ids.
    package let credentials: Credentials
    /// The home directory.
    package let home: String
    /// The login shell; an empty one stands for `/bin/sh`.
    package let shell: String

    /// Creates an entry that need not stand in the database.
    package init(name: String, credentials: Credentials, home: String, shell: String = "") {
        self.name = name
        self.credentials = credentials
        self.home = home
        self.shell = shell
    }

    /// Looks `name` up (`getpwnam_r(3)`).
    ///
    /// - Returns: `nil` when there is no such account, or the database did not answer.
    package init?(named name: String) {
        var entry = unsafe passwd()
        var result: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16_384)
        guard unsafe getpwnam_r(name, &entry, &buffer, buffer.count, &result) == 0,
            unsafe result != nil,
            let entryName = unsafe entry.pw_name, let home = unsafe entry.pw_dir
        else { return nil }
        self.init(
            name: unsafe String(cString: entryName),
            credentials: unsafe Credentials(user: entry.pw_uid, group: entry.pw_gid),
            home: unsafe String(cString: home),
            shell: unsafe entry.pw_shell.map { unsafe String(cString: $0) } ?? ""
        )
    }

    /// The groups that the user is in (`getgrouplist(3)`).
    package func groups() throws(SystemError) -> [gid_t] {
        var count: CInt = 64
        var groups = [gid_t](repeating: 0, count: Int(count))
        if unsafe getgrouplist(name, credentials.group, &groups, &count) < 0 {
            groups = [gid_t](repeating: 0, count: Int(max(count, 0)))
            guard unsafe getgrouplist(name, credentials.group, &groups, &count) >= 0 else {
                throw SystemError("getgrouplist", .invalidArgument)
            }
        }
        return [gid_t](groups.prefix(Int(max(count, 0))))
    }

    /// Whether the shell stands in /etc/shells (getusershell(3)).
    package var hasListedShell: Bool {
        let shell = shell.isEmpty ? "/bin/sh" : shell
        return shellsFile.withLock { _ in
            setusershell()
            defer { endusershell() }
            while let entry = unsafe getusershell() {
                if unsafe String(cString: entry) == shell { return true }
            }
            return false
        }
    }

    /// What a user is called (`getpwuid_r(3)`), if anything.
    package static func name(ofUser user: uid_t) -> String? {
        var entry = unsafe passwd()
        var result: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16_384)
        guard unsafe getpwuid_r(user, &entry, &buffer, buffer.count, &result) == 0,
            unsafe result != nil, let name = unsafe entry.pw_name
        else { return nil }
        return unsafe String(cString: name)
    }

    /// What a group is called (`getgrgid_r(3)`), if anything.
    package static func name(ofGroup group: gid_t) -> String? {
        var entry = unsafe Glibc.group()
        var result: UnsafeMutablePointer<Glibc.group>?
        // The members stand in it, too.
        var buffer = [CChar](repeating: 0, count: 65_536)
        guard unsafe getgrgid_r(group, &entry, &buffer, buffer.count, &result) == 0,
            unsafe result != nil, let name = unsafe entry.gr_name
        else { return nil }
        return unsafe String(cString: name)
    }

    /// The number of a group (`getgrnam_r(3)`), if there is one of that name.
    package static func number(ofGroup name: String) -> gid_t? {
        var entry = unsafe Glibc.group()
        var result: UnsafeMutablePointer<Glibc.group>?
        var buffer = [CChar](repeating: 0, count: 65_536)
        guard unsafe getgrnam_r(name, &entry, &buffer, buffer.count, &result) == 0,
            unsafe result != nil
        else { return nil }
        return unsafe entry.gr_gid
    }

    /// Whether an account has this user id (`getpwuid_r(3)`).
    package static func exists(user: uid_t) -> Bool {
        var entry = unsafe passwd()
        var result: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16_384)
        guard unsafe getpwuid_r(user, &entry, &buffer, buffer.count, &result) == 0 else {
            return true
        }
        return unsafe result != nil
    }
}
