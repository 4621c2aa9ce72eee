internal import CLinux
package import Glibc

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
    /// - Parameter groups: The supplementary groups, or `nil` to keep those that are set.
    /// - Throws: ``SystemError``; the process must not go on then.
    package func assume(groups: [gid_t]?) throws(SystemError) {
        if let groups {
            guard unsafe setgroups(groups.count, groups) == 0 else {
                throw SystemError("setgroups")
            }
        }
        try checked("setresuid", CLinux_assume(user, group))
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

    /// Whether the shell stands in /etc/shells (getusershell(3)).
    package var hasListedShell: Bool {
        let shell = shell.isEmpty ? "/bin/sh" : shell
        setusershell()
        defer { endusershell() }
        while let entry = unsafe getusershell() {
            if unsafe String(cString: entry) == shell { return true }
        }
        return false
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
