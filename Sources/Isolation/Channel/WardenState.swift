internal import LinuxSystem

/// How far a Warden has come, and so what it will still do.
enum WardenState: Hashable {
    /// A proxy has yet to name the client.
    case beforeClient(attemptsLeft: Int)
    case beforeLogin(attemptsLeft: Int)
    /// A password is being checked, and the client has been asked for more.
    case awaitingAnswer(attemptsLeft: Int)
    case loggedIn(attemptsLeft: Int)

    /// Attempts that the Session may still make.
    var attemptsLeft: Int {
        switch self {
        case .beforeClient(let count), .beforeLogin(let count), .awaitingAnswer(let count),
            .loggedIn(let count):
            count
        }
    }

    /// Whether somebody is logged in.
    var isLoggedIn: Bool {
        switch self {
        case .loggedIn: true
        case .beforeClient, .beforeLogin, .awaitingAnswer: false
        }
    }

    /// Checks that a request may be made now.
    ///
    /// Every pair is written out, with no `default`, so that a new request cannot be forgotten here.
    ///
    /// - Throws: ``MessageError/outOfTurn``.
    func allow(_ kind: WardenRequest.Kind) throws(MessageError) {
        switch (self, kind) {
        case (.beforeLogin(let attemptsLeft), .authenticate) where attemptsLeft > 0: return
        case (.beforeLogin(let attemptsLeft), .admit) where attemptsLeft > 0: return
        case (.beforeLogin, .showCertificate): return
        case (.loggedIn, .listenForData), (.loggedIn, .connectForData): return
        case (.loggedIn, .endLogin), (.loggedIn, .listSessions): return
        case (.loggedIn, .accountName), (.loggedIn, .charge), (.loggedIn, .logAction): return
        case (.awaitingAnswer, .answer), (.awaitingAnswer, .giveUp): return
        case (.beforeClient, .client), (.beforeClient, .log): return
        case (.beforeLogin, .log), (.awaitingAnswer, .log), (.loggedIn, .log): return
        case (.beforeLogin, .markClear), (.loggedIn, .markClear): return
        case (.loggedIn, .record): return
        case (.beforeLogin, .handshake), (.loggedIn, .handshake): return
        case (.beforeLogin, .audit), (.loggedIn, .audit): return
        case (.beforeLogin, .noteTLS), (.loggedIn, .noteTLS): return
        case (.beforeLogin, .recordLine), (.awaitingAnswer, .recordLine),
            (.loggedIn, .recordLine):
            return
        case (.beforeClient, .authenticate), (.beforeClient, .endLogin),
            (.beforeClient, .listenForData), (.beforeClient, .connectForData),
            (.beforeClient, .listSessions),
            (.beforeClient, .answer), (.beforeClient, .giveUp), (.beforeClient, .accountName),
            (.beforeClient, .charge), (.beforeClient, .showCertificate), (.beforeClient, .admit),
            (.beforeLogin, .client), (.awaitingAnswer, .client), (.loggedIn, .client),
            (.beforeClient, .logAction), (.beforeLogin, .logAction), (.awaitingAnswer, .logAction),
            (.beforeClient, .markClear), (.awaitingAnswer, .markClear),
            (.beforeLogin, .admit), (.awaitingAnswer, .admit), (.loggedIn, .admit),
            (.awaitingAnswer, .showCertificate), (.loggedIn, .showCertificate),
            (.beforeLogin, .authenticate), (.beforeLogin, .endLogin),
            (.beforeLogin, .listenForData), (.beforeLogin, .connectForData),
            (.beforeLogin, .listSessions),
            (.beforeLogin, .accountName), (.awaitingAnswer, .accountName),
            (.beforeLogin, .charge), (.awaitingAnswer, .charge),
            (.beforeLogin, .answer), (.beforeLogin, .giveUp),
            (.awaitingAnswer, .authenticate), (.awaitingAnswer, .endLogin),
            (.awaitingAnswer, .listenForData), (.awaitingAnswer, .connectForData),
            (.awaitingAnswer, .listSessions),
            (.beforeClient, .record), (.beforeLogin, .record), (.awaitingAnswer, .record),
            (.beforeClient, .recordLine),
            (.beforeClient, .handshake), (.awaitingAnswer, .handshake),
            (.beforeClient, .audit), (.awaitingAnswer, .audit),
            (.beforeClient, .noteTLS), (.awaitingAnswer, .noteTLS),
            (.loggedIn, .authenticate), (.loggedIn, .answer), (.loggedIn, .giveUp):
            throw .outOfTurn
        }
    }
}
