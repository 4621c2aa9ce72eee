internal import Authentication
internal import FTPProtocol

/// Where a login begins, and what it sees as `/`.
struct LoginPlace {
    /// The directory that the session sees as `/`.
    let root: String
    /// Where the session begins, as it sees it.
    let start: VirtualPath

    /// Works out the place of an account (`local_root`, `anon_root`, `chroot_local_user`,
    /// `passwd_chroot_enable`); runs in the Warden.
    ///
    /// A virtual user's home is written for that user, so only `local_root` among the same user's
    /// options counts for more.
    ///
    /// - Throws: ``LoginRefusal`` when the list of `chroot_list_file` cannot be read, or the name
    ///   would lead somewhere else as a part of a path.
    static func of(
        _ account: Account,
        _ configuration: Configuration,
        hasOwnRoot: Bool
    ) throws(LoginRefusal) -> LoginPlace {
        let login = configuration.login
        let written: String? =
            switch account.kind {
            case .local, .guest: login.localRoot
            case .anonymous: configuration.anonymous.root
            case .virtual: hasOwnRoot ? login.localRoot : nil
            case .builtIn: nil
            }
        let home = try withName(of: account, in: written ?? account.home, login.userSubToken)
        guard try isJailed(account, login.jail) else {
            guard let start = VirtualPath(home) else {
                throw .unavailable(reason: "the home directory is no path")
            }
            return LoginPlace(root: "/", start: start)
        }
        guard account.kind == .local, login.dividesHome, let divided = divide(home) else {
            return LoginPlace(root: home, start: .root)
        }
        return divided
    }

    /// Puts the name of the account in the place of `token` (`user_sub_token`).
    private static func withName(
        of account: Account,
        in path: String,
        _ token: String?
    ) throws(LoginRefusal) -> String {
        guard let token, !token.isEmpty, path.contains(token) else { return path }
        let name = account.name
        guard name.utf8.first != UInt8(ascii: "."), !name.utf8.contains(UInt8(ascii: "/")) else {
            throw .denied(rule: "user_sub_token: the name cannot stand in a path")
        }
        return path.split(separator: token, omittingEmptySubsequences: false)
            .joined(separator: name)
    }

    private static func isJailed(
        _ account: Account,
        _ policy: JailPolicy
    ) throws(LoginRefusal) -> Bool {
        // The others have no account that the kernel would hold them to.
        guard account.kind == .local else { return true }
        switch policy {
        case .everybody: return true
        case .nobody: return false
        case .allBut(let file): return try !isListed(account.name, in: file)
        case .only(let file): return try isListed(account.name, in: file)
        }
    }

    private static func isListed(
        _ name: String,
        in file: String
    ) throws(LoginRefusal) -> Bool {
        do throws(HostFileError) {
            let content = try HostFile.read(file, limit: 1_048_576)
            return UserList(content.bytes, denies: false).admits(name)
        } catch {
            throw .unavailable(reason: "\(file.shownInOneLine): \(error.reason)")
        }
    }

    /// Takes `/jail/./start` apart.
    private static func divide(_ home: String) -> LoginPlace? {
        let parts = home.split(separator: "/./", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let start = VirtualPath("/\(parts[1])") else { return nil }
        return LoginPlace(root: parts[0].isEmpty ? "/" : String(parts[0]), start: start)
    }
}
