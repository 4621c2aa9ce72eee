import Authentication
import FTPProtocol
import LinuxSystem
import Logging
import Synchronization
import TestSupport

@testable import FileSystem
@testable import Isolation

/// A Warden that answers in a thread of this process, and whose Agents are threads, too.
final class TestWarden: Warden {
    /// Whom the harness is, and where it has connected.
    static let peer = SocketAddress(.v4(0x7F09_0909), port: 4_000)
    static let local = SocketAddress(.v4(0x7F09_0908), port: 21)

    /// Makes what Agents serve; without it they serve nothing.
    private let fileSystem: (() throws -> any FileSystem)?
    private(set) var agents: [Companion] = []

    override var refusalPeriod: Duration { .zero }

    init(
        _ channel: consuming MessageSocket,
        _ census: consuming MessageSocket,
        _ settings: WardenSettings,
        _ users: TestUsers,
        _ log: TestLog,
        fileSystem: (() throws -> any FileSystem)? = nil
    ) {
        self.fileSystem = fileSystem
        super.init(
            peer: Self.peer,
            local: Self.local,
            settings: settings,
            authorizers: [users],
            channel: channel,
            census: CensusClient(census),
            // No process has this number, so that no limit of ours is changed.
            session: .max,
            leash: -1,
            certificateCheck: nil,
            challenge: [],
            logs: nil,
            logger: Logger(label: "fuzz") { _ in log }
        )
        // Nothing is waited for here that a client would have to wait for.
        logins = LogBudget(lineCount: .max)
    }

    /// What Wardens are told in every run.
    static func settings() -> WardenSettings {
        var settings = WardenSettings()
        settings.passivePorts = PassivePorts(20_000...29_999)
        settings.failureDelay = .zero
        settings.takesPlainSystemLogins = true
        settings.profile = { account throws(LoginRefusal) in
            LoginProfile(root: account.home, rules: FileRules(permissions: .all))
        }
        return settings
    }

    override func startAgent(
        for account: Account,
        _ profile: LoginProfile
    ) throws(LoginRefusal) -> MessageSocket {
        do {
            let ends = try Ends.make()
            if let fileSystem {
                let served = try fileSystem()
                let far = Holder(try ends.far.descriptor.duplicate())
                let agent = try Companion {
                    guard let channel = far.take() else { return }
                    try? FileServer(MessageSocket(owning: channel), serving: served).run()
                }
                agents.append(agent)
            }
            return ends.takeNear()
        } catch {
            throw .unavailable(reason: "\(error)")
        }
    }
}

/// Users that have the password `right`; one named `asks` is asked for more, which is `more`.
final class TestUsers: Authorizer {
    /// Logins that were granted.
    private(set) var grantCount = 0

    func authenticate(
        user: String,
        password: borrowing Secret,
        from peer: IPAddress
    ) throws(LoginRefusal) -> any Login {
        throw .unknownUser
    }

    func authenticate(
        user: String,
        password: borrowing Secret,
        from peer: IPAddress,
        asking question: @escaping SecondQuestion
    ) throws(LoginRefusal) -> any Login {
        guard Self.holds(password, "right") else { throw .wrongPassword }
        if user == "asks" {
            guard let answer = question(), Self.holds(answer.secret, "more") else {
                throw .wrongPassword
            }
        }
        grantCount += 1
        return TestLogin(
            Account(
                name: user,
                credentials: Credentials(user: 65_534, group: 65_534),
                groups: [],
                home: "/",
                kind: .builtIn
            )
        )
    }

    private static func holds(_ secret: borrowing Secret, _ text: String) -> Bool {
        unsafe secret.withBytes { unsafe $0.elementsEqual(text.utf8) }
    }
}

private final class TestLogin: Login {
    let account: Account

    init(_ account: Account) {
        self.account = account
    }

    func end() {}
}

/// Keeps what is wrong with the lines of a log.
final class TestLog: LogHandler {
    private let lines = Mutex<[String]>([])

    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }

    var logLevel: Logger.Level {
        get { .debug }
        set {}
    }

    subscript(metadataKey _: String) -> Logger.MetadataValue? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) {
        let words = event.metadata?.values.map { "\($0)" } ?? []
        lines.withLock { $0.append(([event.message.description] + words).joined(separator: " ")) }
    }

    /// Holds every line to be one, and those of our own sessions to show no password.
    func check(isOurs: Bool) throws {
        for line in lines.withLock({ $0 }) {
            try claim(isHarmless(line), "a terminal would obey \(line.debugDescription)")
            guard isOurs, line.uppercased().hasPrefix("PASS") else { continue }
            try claim(line == "PASS ****", "the log shows what stands behind PASS")
        }
    }
}

/// A Listener that counts sessions in a thread of this process.
struct TestListener {
    private let companion: Companion

    /// Begins to serve one Warden, and hands over the Warden's end.
    static func start() throws -> (TestListener, Holder) {
        let ends = try Ends.make()
        let far = Holder(try ends.far.descriptor.duplicate())
        let companion = try Companion {
            guard let channel = far.take() else { return }
            serve(MessageSocket(owning: channel))
        }
        return (TestListener(companion: companion), Holder(ends.takeNear().takeDescriptor()))
    }

    /// Waits until the Warden is gone.
    func join() { companion.join() }

    private static func serve(_ channel: consuming MessageSocket) {
        let address = TestWarden.peer.address
        guard var census = try? Census(),
            (try? census.add(1, channel, identifier: "s1", address: address)) != nil
        else { return }
        while census.reporterCount > 0 {
            var entries = [census.pollEntry]
            guard (try? poll(&entries, until: .never)) != nil else { return }
            guard census.reporters() == [1] else { continue }
            switch census.serve(1) {
            case .attempt(let process, _, user: _), .client(let process, _):
                census.answer(process, .admitted)
            case .refusedLogin(let process, _, _, _): census.answer(process, .failures(1))
            case .free, .violation, nil: break
            }
        }
    }
}
