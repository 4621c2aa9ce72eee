internal import Authentication
internal import FTPProtocol
internal import FileSystem
internal import LinuxSystem
internal import Logging

/// A login that nobody has asked for, before the first fork: what a Warden and an Agent do for it, in
/// this process and for no client.
///
/// What Swift's runtime makes out meanwhile, no Warden has to make out again, nor to keep a copy of.
enum WardenRehearsal {
    /// Lets somebody in whom nobody knows, and ends the login.
    ///
    /// - Throws: ``SystemError`` where there is no room for a channel. Logins work all the same, at a
    ///   higher price.
    static func run(_ settings: WardenSettings) throws(SystemError) {
        let agent = try MessageSocket.makePair().takeFirst()
        let session = try MessageSocket.makePair().split { Ends($0, $1) }
        let listener = try MessageSocket.makePair().split { Ends($0, $1) }
        guard let asking = session.first.take(), let answering = session.second.take(),
            let counting = listener.first.take(), let reporting = listener.second.take()
        else { return }
        let writing = try asking.descriptor.duplicate()
        // What is answered stands there before it is asked: nobody waits for anybody here.
        let terms = LoginTerms(permissions: .all, workingDirectory: .root, options: [])
        try answering.send(WardenReply.granted(terms).encoded, with: agent.descriptor)
        // May the user try, and is there room for one more session of the user's?
        for _ in 0..<2 { try counting.send(CensusAnswer.admitted.encoded) }
        // Whatever else is asked for, nothing more comes.
        counting.descriptor.endWriting()
        let client = WardenClient(asking)
        ask(client)
        writing.endWriting()
        RehearsedWarden(answering, CensusClient(reporting), settings).serveAll()
        withExtendedLifetime(client) {}
        // Made where it is first asked for.
        _ = AgentRole.ready
    }

    /// The two ends of a channel, one after the other.
    private final class Ends {
        var first: MessageSocket?
        var second: MessageSocket?

        init(_ first: consuming MessageSocket, _ second: consuming MessageSocket) {
            self.first = consume first
            self.second = consume second
        }
    }

    /// Says what a Session says up to a login.
    private static func ask(_ client: WardenClient) {
        client.log(.info, "rehearsal")
        client.count(HandshakeReport(isData: false, version: .tls13, isResumed: false))
        try? client.markClear(false)
        _ = try? client.authenticate(
            user: "rehearsal",
            password: Secret(copying: "rehearsal".utf8),
            isClear: false,
            limit: .seconds(1)
        )
        client.logAction(.info, "rehearsal")
    }
}

/// Lets everybody in, writes its lines nowhere, and starts no process.
private final class RehearsedWarden: Warden {
    private static let peer = SocketAddress(.v4(0x7F00_0001), port: 21)

    override var refusalPeriod: Duration { .zero }

    init(
        _ channel: consuming MessageSocket,
        _ census: consuming CensusClient,
        _ settings: WardenSettings
    ) {
        super.init(
            peer: Self.peer,
            local: Self.peer,
            settings: Self.harmless(settings),
            authorizers: [IgnorantAuthorizer(), RehearsedAuthorizer()],
            channel: channel,
            census: census,
            // No process has this number: nobody's limits are changed.
            session: .max,
            leash: -1,
            certificateCheck: nil,
            challenge: [],
            logs: nil,
            logger: Self.logger
        )
    }

    /// What would have anybody wait, counted, or turned away is left out.
    private static func harmless(_ settings: WardenSettings) -> WardenSettings {
        var settings = settings
        settings.failureDelay = .zero
        settings.maximumFailureDelay = .zero
        settings.successDelay = .zero
        settings.locksUsers = false
        settings.counts = false
        settings.proxyNetworks = []
        settings.certificates = CertificateRules()
        settings.userList = { nil }
        let profile = settings.profile
        settings.profile = { (account) throws(LoginRefusal) in
            var profile = try profile(account)
            profile.rules.uploads.limits.fileSize = 0
            return profile
        }
        return settings
    }

    private static var logger: Logger {
        var logger = Logger(label: "portcullis") {
            StreamLogHandler(label: $0, stream: Nowhere())
        }
        logger[metadataKey: "session"] = .string(randomWord(count: 8))
        logger[metadataKey: "peer"] = .stringConvertible(peer)
        return logger
    }

    override func startAgent(
        for account: Account,
        _ profile: LoginProfile
    ) throws(LoginRefusal) -> MessageSocket {
        do throws(SystemError) {
            // Questions that change nothing, whatever stands there.
            let jail = try Jail.opening("/", uploads: profile.rules.uploads)
            try FileRehearsal.run(
                PermittedFileSystem(jail, rules: profile.rules, resolver: jail)
            )
            return try MessageSocket.makePair().takeFirst()
        } catch {
            throw .unavailable(reason: "\(error)")
        }
    }

    /// Serves what was asked for already, and ends.
    func serveAll() {
        while !isOver {
            do throws(SessionOver) {
                try serveOne()
            } catch {
                break
            }
        }
        endLogin()
    }
}

/// Knows nobody, so that another one is asked.
private final class IgnorantAuthorizer: Authorizer {
    func authenticate(
        user: String,
        password: borrowing Secret,
        from peer: IPAddress
    ) throws(LoginRefusal) -> any Login {
        throw .unknownUser
    }
}

private final class RehearsedAuthorizer: Authorizer {
    func authenticate(
        user: String,
        password: borrowing Secret,
        from peer: IPAddress
    ) throws(LoginRefusal) -> any Login {
        RehearsedLogin(
            Account(name: user, credentials: .current, groups: [], home: "/", kind: .local)
        )
    }
}

private final class RehearsedLogin: Login {
    let account: Account

    init(_ account: Account) {
        self.account = account
    }

    func end() {}
}

/// Takes lines that nobody is to read.
private struct Nowhere: TextOutputStream, Sendable {
    mutating func write(_ text: String) {}
}
