import Glibc
import Logging
import Portcullis

/// A program of which tests ask one setting or override point after the other:
/// `Probe PORT DIRECTORY CERTIFICATE [name=value]... [threads]`.
///
/// Like the examples it may use what others may use, and nothing else.
@main
struct Probe {
    static let logger = Logger(label: "probe")

    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 4, let port = UInt16(arguments[1]) else {
            throw ServerError("usage: Probe PORT DIRECTORY CERTIFICATE [name=value]... [threads]")
        }
        let wishes = Wishes(arguments.dropFirst(4))
        var settings = FTPHandler.Settings(authorizer: try wishes.authorizer(home: arguments[2]))
        if arguments[3] != "-" { settings.certificate = arguments[3] }
        settings.authFailedTimeout = .milliseconds(10)
        settings.attachment = wishes
        settings.commands = ownCommands
        try wishes.apply(to: &settings)
        if wishes.has("concurrent") { Task.detached { try await Task.sleep(for: .seconds(60)) } }
        let server = try server(port, settings, wishes)
        if let delay = wishes.number("serveWhile") {
            let words = try server.serve {
                logger.info("the body runs")
                usleep(UInt32(delay) * 1_000)
                return "the body is over"
            }
            logger.info("\(words)")
            return
        }
        let ends: [(String, @Sendable () -> Void)] = [
            ("stop", { server.stop() }), ("close", { server.close() }),
            ("closeAll", { server.closeAll() }),
        ]
        for (name, end) in ends {
            guard let delay = wishes.number(name) else { continue }
            let never = server.callLater(after: .milliseconds(delay)) { logger.info("never") }
            never.cancel()
            server.callLater(after: .milliseconds(delay)) {
                logger.info("\(name) is called")
                end()
            }
        }
        if wishes.text("slow") == "timer" { server.callLater(after: .seconds(1)) { dwell() } }
        server.serveForever()
        logger.info("has served")
    }

    private static func server(
        _ port: UInt16,
        _ settings: FTPHandler.Settings,
        _ wishes: Wishes
    ) throws -> FTPServer {
        let handler: FTPHandler.Type = wishes.has("plain") ? Plain.self : Watchful.self
        let concurrency = wishes.has("threads") ? Concurrency.threads : .processes
        if let kind = wishes.text("socket") {
            let socket = open(kind)
            do {
                return try FTPServer(
                    socket: socket,
                    handler: handler,
                    settings: settings,
                    concurrency: concurrency
                )
            } catch {
                logger.info("still open: \(fcntl(socket, F_GETFD) >= 0)")
                throw error
            }
        }
        return try FTPServer(
            address: ServerAddress("127.0.0.1", port),
            handler: handler,
            settings: settings,
            concurrency: concurrency,
            maximumConnections: wishes.number("maximumConnections") ?? 512,
            maximumConnectionsPerIP: wishes.number("maximumConnectionsPerIP") ?? 0
        )
    }

    /// Opens a socket of a program's own; blocking, as a program may well have it.
    private static func open(_ kind: String) -> CInt {
        guard kind != "none", kind != "closed" else { return kind == "none" ? -1 : 900 }
        guard kind != "file" else { return unsafe Glibc.open("/dev/null", O_RDONLY) }
        let type = kind == "datagram" ? SOCK_DGRAM : SOCK_STREAM
        let families = ["unix": AF_UNIX, "listening6": AF_INET6]
        let socket = Glibc.socket(families[kind] ?? AF_INET, CInt(type.rawValue), 0)
        // Without bind(2) the kernel chooses a port, of every address.
        if kind.hasPrefix("listening") { _ = listen(socket, 100) }
        return socket
    }
}

/// What a test asks for.
final class Wishes: Sendable {
    private let values: [String: String]

    init(_ words: some Sequence<String>) {
        var values: [String: String] = [:]
        for word in words {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            values[String(parts[0])] = parts.count > 1 ? String(parts[1]) : "true"
        }
        self.values = values
    }

    func has(_ name: String) -> Bool { values[name] == "true" }
    func text(_ name: String) -> String? { values[name] }
    func number(_ name: String) -> Int? { values[name].flatMap { Int($0) } }
    func duration(_ name: String) -> Duration? { number(name).map { .milliseconds($0) } }

    func authorizer(home: String) throws -> any Authorizer {
        if let services = text("services") {
            let users = UnixAuthorizer(
                requireValidShell: false,
                anonymousUser: text("anonymousUser"),
                serviceDirectory: services
            )
            if let user = text("overrideUser") {
                let permissions = text("overridePermissions")
                try users.overrideUser(
                    user,
                    home: text("overrideHome"),
                    permissions: permissions.flatMap { FTPPermissions(letters: $0) }
                )
            }
            return users
        }
        let users = DummyAuthorizer()
        try users.addUser("user", password: "12345", home: home, permissions: .all)
        try users.addUser("jürgen", password: "grün", home: home, permissions: .all)
        try users.addAnonymous(home: home)
        try users.setMessages("user", login: text("loginMessage"), quit: text("quitMessage"))
        if let directory = text("override") {
            try users.overridePerm("user", directory: directory, permissions: "el", recursive: true)
        }
        return has("watchful") ? Impersonating(base: users, wishes: self) : users
    }

    /// Puts what was asked for into the place of what is usual.
    func apply(to settings: inout FTPHandler.Settings) throws {
        func set<Value>(_ value: Value?, _ path: WritableKeyPath<FTPHandler.Settings, Value>) {
            if let value { settings[keyPath: path] = value }
        }
        func toggle(_ name: String, _ path: WritableKeyPath<FTPHandler.Settings, Bool>) {
            set(text(name).map { $0 == "true" }, path)
        }
        settings.banner = text("banner")
        set(duration("timeout"), \.timeout)
        set(duration("loginTimeout"), \.loginTimeout)
        set(duration("dataTimeout"), \.dataTimeout)
        set(duration("passiveTimeout"), \.passiveTimeout)
        set(duration("activeTimeout"), \.activeTimeout)
        set(duration("authFailedTimeout"), \.authFailedTimeout)
        set(number("maxLoginAttempts"), \.maxLoginAttempts)
        set(number("banFailures"), \.banFailures)
        set(number("readLimit"), \.readLimit)
        set(number("writeLimit"), \.writeLimit)
        set(number("umask").flatMap { UInt16(exactly: $0) }, \.umask)
        if let port = number("passivePort").flatMap({ UInt16(exactly: $0) }) {
            settings.passivePorts = port...port
        }
        toggle("permitForeignAddresses", \.permitForeignAddresses)
        toggle("permitPrivilegedPorts", \.permitPrivilegedPorts)
        toggle("useGMTTimes", \.useGMTTimes)
        toggle("useSendfile", \.useSendfile)
        toggle("tcpNoDelay", \.tcpNoDelay)
        toggle("autoSizedBuffers", \.autoSizedBuffers)
        toggle("deletesFailedUploads", \.deletesFailedUploads)
        toggle("atomicUploads", \.atomicUploads)
        toggle("tlsControlRequired", \.tlsControlRequired)
        toggle("tlsDataRequired", \.tlsDataRequired)
        toggle("requiresSessionReuse", \.requiresSessionReuse)
        toggle("implicitTLS", \.implicitTLS)
        toggle("approvedOnly", \.tlsOptions.approvedOnly)
        toggle("requiresALPN", \.tlsOptions.requiresALPN)
        toggle("allowsTruncation", \.tlsOptions.allowsTruncation)
        set(duration("handshakeTimeout"), \.tlsOptions.handshakeTimeout)
        settings.tlsOptions.ciphers = text("ciphers")
        settings.key = text("key")
        if has("tls13") { settings.tlsMinimumVersion = .tls13 }
        let encodings: [String: FTPHandler.TextEncoding] = [
            "latin1": .latin1, "windows1252": .windows1252,
        ]
        set(text("encoding").flatMap { encodings[$0] }, \.encoding)
        let errors: [String: FTPHandler.EncodingErrors] = [
            "refuse": .refuse, "replace": .replace, "ignore": .ignore,
        ]
        set(text("encodingErrors").flatMap { errors[$0] }, \.encodingErrors)
        if has("ownDTP") {
            settings.dtpHandler = Moving.self
            settings.passiveDTP = Awaiting.self
            settings.activeDTP = Reaching.self
        }
        if has("throttled") { settings.dtpHandler = Slow.self }
        if let account = text("eventAccount") {
            settings.events = EventQueue(account: account) { event in
                if event.kind == .login { dwell() }
            }
        }
        if has("elsewhere") { settings.abstractedFS = Elsewhere.self }
        if has("ownFiles") { settings.abstractedFS = Telling.self }
        if let certificate = text("readBefore") {
            settings.tlsContext = try TLSCertificate(
                certificate: certificate,
                minimumVersion: has("tls13Before") ? .tls13 : .tls12
            )
        }
    }
}

/// Passes on what it is asked, and tells who acts as whom.
struct Impersonating: Authorizer {
    let base: DummyAuthorizer
    let wishes: Wishes

    func validateAuthentication(
        user: String,
        password: borrowing Password,
        client: String
    ) throws -> FTPUser {
        if wishes.text("slow") == "authorizer" { dwell() }
        guard client != "127.0.0.9" else {
            throw AuthenticationFailed.denied(reason: "not from there")
        }
        return try base.validateAuthentication(user: user, password: password, client: client)
    }

    func impersonateUser(_ user: FTPUser) throws {
        Probe.logger.info("impersonates \(user.name)")
    }

    func terminateImpersonation(_ user: FTPUser) throws {
        Probe.logger.info("no longer impersonates \(user.name)")
    }
}

/// The kernel's files, under another name.
final class Elsewhere: AbstractedFS {
    override func realPath(of path: FTPPath) -> String? { "elsewhere:\(path)" }

    override func changeDirectory(_ path: FTPPath) throws {
        if (login.attachment as? Wishes)?.text("slow") == "files" { dwell() }
        try super.changeDirectory(path)
    }

    /// Tells whether paths are mapped both ways.
    override func availableByteCount(_ path: FTPPath) throws -> Int64 {
        let own = super.realPath(of: path) ?? ""
        let outside = virtualPath(of: login.home + "-other/file")
        return virtualPath(of: own) == path && outside == nil ? 1 : 0
    }
}

/// The kernel's files, with names that are none, and links that lead where the program says.
final class Telling: AbstractedFS {
    override func list(_ path: FTPPath) throws -> [FTPFileEntry] {
        let file = FTPFileInfo(.file)
        let others = ["", "a/b", String(repeating: "x", count: 200_000)]
        return try super.list(path) + others.map { FTPFileEntry($0, file) }
    }

    override func readLink(_ path: FTPPath) throws -> [UInt8] {
        guard path.name != "secret" else { return [] }
        let target = try super.readLink(path)
        return target == Array("/etc/passwd".utf8) ? Array("told\nby the program".utf8) : target
    }
}

/// Stays where it is called, for a test to find it there.
func dwell() { usleep(1_500_000) }
