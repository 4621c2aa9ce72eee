package import LinuxSystem

/// The system account whose ids users without one of their own work under (`guest_username`).
package struct GuestIdentity: Hashable, Sendable {
    /// The name of that account.
    package let name: String

    /// Names the account.
    package init(name: String) {
        self.name = name
    }

    /// Looks the account up and makes this process a member of its groups.
    ///
    /// Without root no ids can be switched, and the ids are those of this process.
    ///
    /// - Throws: ``LoginRefusal`` when there is no such account, or it is root.
    package func assumeGroups() throws(LoginRefusal) -> (account: SystemAccount, groups: [UInt32]) {
        let account = try lookUp()
        do throws(SystemError) {
            if Credentials.isRoot {
                try Credentials.initializeGroups(
                    of: account.name,
                    primary: account.credentials.group
                )
            }
            return (account, try Credentials.supplementaryGroups())
        } catch {
            throw .unavailable(reason: "guest_username: \(error)")
        }
    }

    private func lookUp() throws(LoginRefusal) -> SystemAccount {
        let account = SystemAccount(named: name)
        guard Credentials.isRoot else {
            return SystemAccount(name: name, credentials: .current, home: account?.home ?? "/")
        }
        guard let account else {
            throw .unavailable(reason: "guest_username: there is no account \(name)")
        }
        guard account.credentials.user != 0, account.credentials.group != 0 else {
            throw .denied(rule: "guest_username is root")
        }
        return account
    }
}
