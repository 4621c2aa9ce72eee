internal import LinuxSystem

/// How far a Warden has come, and so what it will still do.
enum WardenState: Hashable {
    case beforeLogin(attemptsLeft: Int)
    /// A password is being checked, and the client has been asked for more.
    case awaitingAnswer(attemptsLeft: Int)
    case loggedIn(attemptsLeft: Int)

    /// Attempts that the Session may still make.
    var attemptsLeft: Int {
        switch self {
        case .beforeLogin(let count), .awaitingAnswer(let count), .loggedIn(let count): count
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
        case (.loggedIn, .endLogin), (.loggedIn, .listSessions), (.loggedIn, .shareRate): return
        case (.loggedIn, .accountName), (.loggedIn, .charge): return
        case (.awaitingAnswer, .answer), (.awaitingAnswer, .giveUp): return
        case (.beforeLogin, .log), (.awaitingAnswer, .log), (.loggedIn, .log): return
        case (.beforeLogin, .admit), (.awaitingAnswer, .admit), (.loggedIn, .admit),
            (.awaitingAnswer, .showCertificate), (.loggedIn, .showCertificate),
            (.beforeLogin, .authenticate), (.beforeLogin, .endLogin),
            (.beforeLogin, .listenForData), (.beforeLogin, .connectForData),
            (.beforeLogin, .listSessions), (.beforeLogin, .shareRate),
            (.beforeLogin, .accountName), (.awaitingAnswer, .accountName),
            (.beforeLogin, .charge), (.awaitingAnswer, .charge),
            (.beforeLogin, .answer), (.beforeLogin, .giveUp),
            (.awaitingAnswer, .authenticate), (.awaitingAnswer, .endLogin),
            (.awaitingAnswer, .listenForData), (.awaitingAnswer, .connectForData),
            (.awaitingAnswer, .listSessions), (.awaitingAnswer, .shareRate),
            (.loggedIn, .authenticate), (.loggedIn, .answer), (.loggedIn, .giveUp):
            throw .outOfTurn
        }
    }
}
