import Authentication
import FTPProtocol
import LinuxSystem

@testable import Isolation

/// What a Warden has to answer, written down once more and apart from it.
struct WardenExpectation {
    /// A kind of answer.
    enum Answer {
        case granted, refused, lastRefused, needsAccount, needsPassword, loginEnded, listening
        case connecting, noSocket, forbidden, sessions, charged, accountName, client
        case audited

        func fits(_ reply: WardenReply) -> Bool {
            switch (self, reply) {
            case (.granted, .granted), (.needsAccount, .needsAccount),
                (.needsPassword, .needsPassword), (.loginEnded, .loginEnded),
                (.listening, .listening), (.connecting, .connecting), (.noSocket, .noDataSocket),
                (.forbidden, .noDataSocket(.forbidden)), (.sessions, .sessions),
                (.charged, .charged), (.accountName, .accountName(nil)), (.client, .client(nil)),
                (.audited, .audited),
                (.refused, .refused(_, isLast: false)), (.lastRefused, .refused(_, isLast: true)):
                true
            default: false
            }
        }

        var bringsDescriptor: Bool {
            switch self {
            case .granted, .listening, .connecting: true
            default: false
            }
        }
    }

    private enum Place {
        case beforeClient, beforeLogin, asked, loggedIn
    }

    private var place: Place
    private var client = TestWarden.peer.address
    private var attemptsLeft = 3
    /// Logins that have to have been granted.
    private(set) var grantCount = 0
    /// The Warden has to have ended the session.
    private(set) var isOver = false

    init(isProxied: Bool) {
        place = isProxied ? .beforeClient : .beforeLogin
    }

    /// What has to be answered; each is one of several.
    ///
    /// Every kind is written out, with no `default`, so that a new one cannot be forgotten here.
    mutating func replies(to request: WardenRequest?) -> [[Answer]] {
        guard let request else { return end() }
        switch request {
        case .log: return []
        case .recordLine: return place == .beforeClient ? end() : []
        case .markClear, .handshake:
            return place == .beforeLogin || place == .loggedIn ? [] : end()
        case .noteTLS: return place == .beforeLogin || place == .loggedIn ? [] : end()
        case .audit(let action):
            let isAllowed =
                place == .loggedIn || (place == .beforeLogin && action.kind == .refusal)
            return isAllowed ? [[.audited]] : end()
        case .logAction, .record: return place == .loggedIn ? [] : end()
        case .client(let client):
            guard place == .beforeClient else { return end() }
            self.client = client.address
            place = .beforeLogin
            return [[.client]]
        case .authenticate(let attempt):
            guard place == .beforeLogin, attemptsLeft > 0 else { return end() }
            let isRight = unsafe attempt.password.withBytes {
                unsafe $0.elementsEqual("right".utf8)
            }
            guard isRight else { return refuse() }
            guard attempt.user == "asks" else { return grant() }
            place = .asked
            return [[.needsAccount]]
        case .admit:
            guard place == .beforeLogin, attemptsLeft > 0 else { return end() }
            return [[.needsPassword]]
        // These Wardens want no certificate, and none is ever shown in turn.
        case .showCertificate: return end()
        case .answer(let answer):
            guard place == .asked else { return end() }
            place = .beforeLogin
            return unsafe answer.secret.withBytes { unsafe $0.elementsEqual("more".utf8) }
                ? grant() : refuse()
        case .giveUp:
            guard place == .asked else { return end() }
            place = .beforeLogin
            return refuse()
        case .endLogin:
            guard place == .loggedIn else { return end() }
            place = .beforeLogin
            return [[.loginEnded]]
        case .listenForData: return loggedIn([.listening, .noSocket])
        case .connectForData(let address, let port):
            let isAllowed = address == client && port >= 1_024
            return loggedIn(isAllowed ? [.connecting, .noSocket] : [.forbidden])
        case .listSessions: return loggedIn([.sessions])
        case .accountName: return loggedIn([.accountName])
        case .charge(let count): return count <= 512 ? loggedIn([.charged]) : end()
        }
    }

    /// Expects an answer that is given only after a login.
    private mutating func loggedIn(_ alternatives: [Answer]) -> [[Answer]] {
        place == .loggedIn ? [alternatives] : end()
    }

    /// Expects the end of the session.
    private mutating func end() -> [[Answer]] {
        isOver = true
        // A check that asked has to end first, and ends as a refusal.
        return place == .asked ? [[.refused, .lastRefused]] : []
    }

    private mutating func grant() -> [[Answer]] {
        place = .loggedIn
        grantCount += 1
        return [[.granted]]
    }

    private mutating func refuse() -> [[Answer]] {
        attemptsLeft -= 1
        return [[attemptsLeft == 0 ? .lastRefused : .refused]]
    }
}
