import Authentication
import FTPProtocol
import LinuxSystem

@testable import Isolation

/// What a Warden has to answer, written down once more and apart from it.
struct WardenExpectation {
    /// A kind of answer.
    enum Answer {
        case granted, refused, lastRefused, needsAccount, needsPassword, loginEnded, listening
        case connecting, noSocket, forbidden, sessions, rate, charged, accountName, client

        func fits(_ reply: WardenReply) -> Bool {
            switch (self, reply) {
            case (.granted, .granted), (.needsAccount, .needsAccount),
                (.needsPassword, .needsPassword), (.loginEnded, .loginEnded),
                (.listening, .listening), (.connecting, .connecting), (.noSocket, .noDataSocket),
                (.forbidden, .noDataSocket(.forbidden)), (.sessions, .sessions), (.rate, .rate),
                (.charged, .charged), (.accountName, .accountName(nil)), (.client, .client(nil)),
                (.refused, .refused(_, isLast: false)), (.lastRefused, .refused(_, isLast: true)):
                true
            default: false
            }
        }

        var bringsDescriptor: Bool {
            switch self {
            case .granted, .listening, .connecting, .rate: true
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
    mutating func replies(to request: WardenRequest?) -> [[Answer]] {
        switch (place, request) {
        case (_, .log), (.beforeLogin, .markClear), (.loggedIn, .markClear): return []
        case (.beforeClient, .client(let client)):
            self.client = client.address
            place = .beforeLogin
            return [[.client]]
        case (.beforeLogin, .authenticate(let attempt)) where attemptsLeft > 0:
            let isRight = unsafe attempt.password.withBytes {
                unsafe $0.elementsEqual("right".utf8)
            }
            guard isRight else { return refuse() }
            guard attempt.user == "asks" else { return grant() }
            place = .asked
            return [[.needsAccount]]
        case (.beforeLogin, .admit) where attemptsLeft > 0: return [[.needsPassword]]
        case (.asked, .answer(let answer)):
            place = .beforeLogin
            return unsafe answer.secret.withBytes { unsafe $0.elementsEqual("more".utf8) }
                ? grant() : refuse()
        case (.asked, .giveUp):
            place = .beforeLogin
            return refuse()
        case (.asked, _):
            // The check that asked has to end first, and ends as a refusal.
            isOver = true
            return [[.refused, .lastRefused]]
        case (.loggedIn, .endLogin):
            place = .beforeLogin
            return [[.loginEnded]]
        case (.loggedIn, .listenForData): return [[.listening, .noSocket]]
        case (.loggedIn, .connectForData(let address, let port)):
            let isAllowed = address == client && port >= 1_024
            return [isAllowed ? [.connecting, .noSocket] : [.forbidden]]
        case (.loggedIn, .listSessions): return [[.sessions]]
        case (.loggedIn, .shareRate): return [[.rate]]
        case (.loggedIn, .accountName): return [[.accountName]]
        case (.loggedIn, .charge(let count)) where count <= 512: return [[.charged]]
        default:
            isOver = true
            return []
        }
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
