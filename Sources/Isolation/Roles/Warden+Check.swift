internal import Authentication
internal import LinuxSystem

// Who somebody is, and whether the lists let them in.

extension Warden {
    /// Finds whose login this is, and whether this user may come in at all.
    func check(
        _ user: String,
        _ proof: LoginProof
    ) throws(LoginRefusal) -> any Login {
        defer { wipeStack() }
        let list = try settings.userList()
        let isListed = list.map { !$0.admits(user) } ?? false
        do throws(LoginRefusal) {
            let login = try authorize(user, proof)
            do throws(LoginRefusal) {
                try checkCertificate(for: login.account, proof)
            } catch {
                login.end()
                throw error
            }
            // Told last, so that nobody can tell by the time it takes who stands on the list. Asked
            // once more by the name that the check found: a list knows one spelling of it.
            let account = login.account
            let name = account.kind == .anonymous ? user.lowercased() : account.name
            let isFoundOnList = list.map { !$0.admits(name) } ?? false
            guard isListed || isFoundOnList else { return login }
            login.end()
        } catch {
            // Nor by the reply: whether a password is right is nothing to a user on the list.
            guard isListed, error.notice != .incorrect else { throw error }
        }
        throw .denied(rule: "userlist_file", isGuess: true)
    }

    private func authorize(
        _ user: String,
        _ proof: LoginProof
    ) throws(LoginRefusal) -> any Login {
        var hasPassedOver = false
        for authorizer in authorizers {
            if case .password(let attempt) = proof, attempt.isClear, authorizer is UnixAuthorizer,
                !settings.takesPlainSystemLogins
            {
                hasPassedOver = true
                continue
            }
            do throws(LoginRefusal) {
                switch proof {
                case .certificate: return try authorizer.admit(user: user, from: peer.address)
                case .password(let attempt):
                    return try authorizer.authenticate(
                        user: user,
                        password: attempt.password,
                        from: peer.address,
                        asking: { [unowned self] in askForAccount(user) }
                    )
                }
            } catch {
                guard error == .unknownUser else { throw error }
            }
        }
        if hasPassedOver {
            throw .denied(rule: "no TLS (plain_system_logins)", isGuess: true)
        }
        throw .unknownUser
    }
}
