package import FTPProtocol
package import LinuxSystem

/// The users of `virtual_users_file`, who are no accounts of the system.
///
/// Opens the file for each login, in the Warden: no process that reads the network ever holds a
/// hash, and a change of the file holds at once.
package final class VirtualAuthorizer: Authorizer {
    private let file: String
    private let guest: GuestIdentity

    /// Creates an authorizer.
    ///
    /// - Parameters:
    ///   - file: The path of the file.
    ///   - guest: Who the users are for the kernel.
    package init(file: String, guest: GuestIdentity) {
        self.file = file
        self.guest = guest
    }

    package func authenticate(
        user name: String,
        password: borrowing Secret,
        from peer: IPAddress
    ) throws(LoginRefusal) -> any Login {
        try login(name, Self.inShortProcess { VirtualUserCheck(file, name, password) })
    }

    package func admit(user name: String, from peer: IPAddress) throws(LoginRefusal) -> any Login {
        try login(name, Self.inShortProcess { VirtualUserCheck(file, admitting: name) })
    }

    private func login(
        _ name: String,
        _ check: VirtualUserCheck
    ) throws(LoginRefusal) -> any Login {
        switch check {
        case .unknown: throw .unknownUser
        case .wrong: throw .wrongPassword
        case .denied(let rule, let isGuess):
            throw .denied(rule: rule, isGuess: isGuess)
        case .unavailable(let reason): throw .unavailable(reason: "virtual_users_file: \(reason)")
        case .right(let home, let permissions, let options):
            let (account, groups) = try guest.assumeGroups()
            return PlainLogin(
                account: Account(
                    name: name,
                    credentials: account.credentials,
                    groups: groups,
                    home: home,
                    kind: .virtual,
                    permissions: permissions,
                    options: options
                )
            )
        }
    }

    package func inspect() -> [String] {
        let report = VirtualUserReport(of: file)
        if let failure = report.failure {
            return ["virtual_users_file: nobody can log in: \(failure.reason)"]
        }
        return report.problems.map { "virtual_users_file: \($0)" }
            + ["virtual_users_file: users: \(report.userCount)"]
    }

    private static func inShortProcess(
        _ check: () -> VirtualUserCheck
    ) throws(LoginRefusal) -> VirtualUserCheck {
        do {
            // What is read there is forgotten there: the Agent is forked from this process later.
            let message = try LinuxSystem.inShortProcess(maximumByteCount: 1 << 20) {
                check().encoded
            }
            return try VirtualUserCheck(decoding: message)
        } catch {
            throw .unavailable(reason: "virtual_users_file: \(error)")
        }
    }
}
