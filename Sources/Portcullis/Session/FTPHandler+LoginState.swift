internal import Authentication
internal import FTPProtocol
internal import FileSystem
internal import Isolation
internal import LinuxSystem

// A login from its beginning to its end.

extension FTPHandler {
    /// Begins the login that the Warden has granted.
    final func beginLogin(
        _ user: String,
        _ grant: consuming LoginGrant
    ) throws(SessionEnd) {
        let terms = grant.terms
        userConfiguration = nil
        if !terms.options.isEmpty {
            var options = UserOptions(over: settings.configuration)
            do throws(LoginRefusal) {
                try options.apply(terms.options, from: "user")
            } catch {
                // The Warden accepted them a moment ago.
                throw .processGone
            }
            userConfiguration = UserConfiguration(options.configuration)
        }
        login = LoginState(
            user: user,
            terms: terms,
            fileSystem: grant.fileSystem,
            agentNumber: grant.agentNumber,
            root: grant.root,
            pacing: TransferPacing(configuration.rates, isAnonymous: terms.isAnonymous)
        )
        workingDirectory = terms.workingDirectory
    }

    /// Ends the login, if there is one: the Agent goes, and the PAM session is closed.
    final func endLogin() throws(SessionEnd) {
        guard let user = login?.user else { return }
        // With it goes the way to the Agent, which ends by that; the Warden waits for its end.
        login = nil
        defer { onLogout(user: user) }
        userConfiguration = nil
        // The Warden closes the port of a login with it.
        dataSource = nil
        do throws(WardenGone) {
            try warden.endLogin()
        } catch {
            throw .processGone
        }
        loginDeadline = Deadline(after: configuration.timeouts.login)
    }

    /// Forgets who logged in and everything that was set up for it.
    final func forgetUser() {
        userName = nil
        host = nil
        workingDirectory = .root
        visitedDirectories = []
        type = .ascii
        nextPart = nil
        renameSource = nil
        mode = .stream
        deflateOptions = DeflateOptions()
        copySource = nil
        machineFacts = .standard
        hashAlgorithm = .sha256
        fileModeMask = nil
        idleTimeout = nil
        dataSource = nil
        activeTarget = nil
        allowsOnlyExtendedPassive = false
    }
}
