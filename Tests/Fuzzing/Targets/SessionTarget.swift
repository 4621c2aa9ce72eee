import FTPProtocol
import Glibc
import LinuxSystem
import Logging
import TestSupport

@testable import FileSystem
@testable import Isolation
@testable import Portcullis
@testable import TLS

/// Whatever a client sends, a session answers each command in the form of RFC 959, nobody is in
/// without a password, and nothing outside of the home directory is reached.
///
/// Session, Warden, Agent and Listener are the real ones, as threads of one process. The first byte
/// of the input says how the client behaves; the others are what it sends.
enum SessionTarget {
    static func run(_ input: [UInt8]) throws {
        let manner = ClientManner(input.first ?? 0)
        let scratch = try Scratch()
        let users = TestUsers()
        let log = TestLog()
        var ends: [CInt] = [-1, -1]
        let type = CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        guard unsafe socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw Flaw(description: "no socket pair")
        }
        let control = OwnedDescriptor(owning: ends[0])
        let client = TestClient(OwnedDescriptor(owning: ends[1]), manner, Array(input.dropFirst()))
        let (listener, census) = try TestListener.start()
        let channel = try Ends.make()
        let far = Holder(try channel.far.descriptor.duplicate())
        defer { Credentials.setFileModeMask(0o022) }
        let warden = try Companion {
            guard let channel = far.take(), let census = census.take() else { return }
            let warden = TestWarden(
                MessageSocket(owning: channel),
                MessageSocket(owning: census),
                TestWarden.settings(),
                users,
                log,
                fileSystem: { try scratch.fileSystem(.all, isAtomic: manner.isAtomic) }
            )
            warden.serve()
            warden.endLogin()
            for agent in warden.agents { agent.join() }
        }
        let companion = try Companion { client.run() }
        serve(control, channel.takeNear(), manner)
        companion.join()
        warden.join()
        listener.join()
        try client.check()
        try claim(
            client.codes.count { $0 == 230 } <= users.grantCount,
            "somebody is in without a password"
        )
        try log.check(isOurs: true)
        try scratch.checkOutside()
    }

    private static func serve(
        _ control: consuming OwnedDescriptor,
        _ channel: consuming MessageSocket,
        _ manner: ClientManner
    ) {
        let start = SessionStart(
            control: control,
            peer: TestWarden.peer,
            local: TestWarden.local,
            isProxied: false,
            kind: .explicitTLS,
            warden: WardenClient(channel),
            challenge: [],
            signer: nil
        )
        let handler = TLS_FTPHandler(FTPSession(start, SharedSettings(settings(manner))))
        handler.run()
    }

    private static func settings(_ manner: ClientManner) -> HandlerSettings {
        var configuration = Configuration()
        configuration.files.allowsWriting = true
        configuration.files.showsMessages = true
        configuration.tls.isEnabled = manner.hasTLS
        configuration.tls.handshakeTimeout = .milliseconds(100)
        configuration.timeouts.accept = .milliseconds(50)
        configuration.timeouts.connect = .milliseconds(50)
        configuration.timeouts.data = .milliseconds(100)
        return HandlerSettings(
            configuration: configuration,
            tls: manner.hasTLS ? unsafe context : nil,
            advertisedAddress: nil,
            hasUsersOfItsOwn: true,
            logLevel: .debug
        )
    }

    // SAFETY: made once, and used by one session at a time.
    nonisolated(unsafe) private static let context: TLSContext? = {
        try? TestCertificate().use { try TLSContext.server([$0], policy: TLSPolicy()) }
    }()
}

/// How the client of a run behaves.
struct ClientManner {
    /// It logs in first.
    let logsIn: Bool
    /// It waits for each reply before it says more.
    let isPatient: Bool
    /// The server offers TLS, and so requires it.
    let hasTLS: Bool
    /// Uploads take their names when they are whole.
    let isAtomic: Bool
    /// What it does with data connections.
    let data: DataManner

    enum DataManner: UInt8 {
        /// Sends a few lines and ends its direction.
        case sends = 0
        /// Reads until the server ends, and ends, too.
        case reads
        /// Closes at once.
        case closes
        /// Never makes one.
        case stays
    }

    init(_ flags: UInt8) {
        hasTLS = flags & 4 != 0
        logsIn = flags & 1 == 0 && !hasTLS
        isPatient = flags & 2 != 0
        isAtomic = flags & 8 != 0
        data = DataManner(rawValue: flags >> 4 & 3) ?? .sends
    }
}
