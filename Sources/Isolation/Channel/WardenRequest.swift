internal import Authentication
internal import FTPProtocol
internal import LinuxSystem
internal import Logging

/// What a Session asks of its Warden.
enum WardenRequest {
    /// Check a password, and start the Agent when it is right.
    case authenticate(LoginAttempt)
    /// End the login (REIN).
    case endLogin
    /// Open a listening socket for a passive data connection.
    case listenForData
    /// Start an active data connection.
    case connectForData(IPAddress, port: UInt16)
    /// Write a line into the log.
    case log(Logger.Level, String)
    /// Name the sessions of the user who logged in.
    case listSessions
    /// Count the session as that of a client behind a proxy, once.
    case client(SocketAddress)
    /// Charge bytes that were moved to the rates of the user and of the whole server.
    case charge(UInt32)
    /// Tell what a user or a group is called.
    case accountName(AccountNumber)
    /// Answer the question that came as ``WardenReply/needsAccount``.
    case answer(SecondAnswer)
    /// Give up the login instead of answering.
    case giveUp
    /// Check the handshake in which the client showed its certificate.
    case showCertificate([UInt8])
    /// Let a user in by the certificate alone.
    case admit(user: String)
    /// Mark the log: the session works in clear from now on, or does so no longer.
    case markClear(Bool)
    /// Write a line about what the user did, which noise may not crowd out.
    case logAction(Logger.Level, String)
    /// Write what the user did into the logs of transfers.
    case record(LoggedAction)
    /// Write a line of the conversation into vsftpd's log (`log_ftp_protocol`).
    case recordLine(isReply: Bool, [UInt8])
    /// Count a TLS handshake.
    case handshake(HandshakeReport)
    /// Write what the user did into the audit trail, and answer when that is done.
    case audit(AuditedAction)
    /// Take note, for the audit trail, of what protects the control connection.
    case noteTLS(AuditedTLS)

    /// What kind of request it is, for ``WardenState/allow(_:)``.
    enum Kind: UInt8 {
        case authenticate = 1
        case endLogin
        case listenForData
        case connectForData
        case log
        case listSessions
        // Kinds that come and go leave the numbers of others alone, which the fuzzer's inputs hold.
        case answer = 8
        case giveUp
        case accountName
        case charge
        case showCertificate
        case admit
        case client
        case markClear
        case logAction
        case record
        case recordLine
        case audit
        case noteTLS
        case handshake

        /// Whether a Warden keeps nothing of it, and has no answer for it: lines and counts.
        var leavesNothing: Bool {
            switch self {
            case .log, .recordLine, .markClear, .handshake, .noteTLS: true
            case .authenticate, .endLogin, .listenForData, .connectForData, .listSessions, .client,
                .charge, .accountName, .answer, .giveUp, .showCertificate, .admit, .logAction,
                .record, .audit:
                false
            }
        }
    }

    /// The longest recording of a handshake, in bytes.
    static let maximumRecordingByteCount = 60_000
    /// The longest user name, in bytes of UTF-8.
    static let maximumUserByteCount = 128
    /// The longest password, in bytes.
    static let maximumPasswordByteCount = 512
    /// The longest log line, in bytes of UTF-8.
    static let maximumLogByteCount = 4_096
    /// The longest line of the conversation in vsftpd's log, in bytes.
    static let maximumLineByteCount = 4_096

    var kind: Kind {
        switch self {
        case .authenticate: .authenticate
        case .endLogin: .endLogin
        case .listenForData: .listenForData
        case .connectForData: .connectForData
        case .log: .log
        case .listSessions: .listSessions
        case .accountName: .accountName
        case .charge: .charge
        case .answer: .answer
        case .giveUp: .giveUp
        case .client: .client
        case .showCertificate: .showCertificate
        case .admit: .admit
        case .markClear: .markClear
        case .logAction: .logAction
        case .record: .record
        case .recordLine: .recordLine
        case .handshake: .handshake
        case .audit: .audit
        case .noteTLS: .noteTLS
        }
    }

    /// The message.
    var encoded: [UInt8] {
        var writer = MessageWriter(tag: kind.rawValue)
        switch self {
        case .authenticate(let attempt):
            writer.put(attempt.user)
            writer.put(attempt.password)
            writer.put(attempt.isClear)
        case .answer(let answer):
            writer.put(answer.secret)
        case .endLogin, .listenForData, .listSessions, .giveUp:
            break
        case .charge(let byteCount): writer.put(byteCount)
        case .client(let client):
            writer.put(client.address)
            writer.put(client.port)
        case .showCertificate(let recording): writer.put(recording)
        case .admit(let user): writer.put(user)
        case .markClear(let isClear): writer.put(isClear)
        case .record(let action): writer.put(action)
        case .handshake(let report): writer.put(report)
        case .audit(let action): writer.put(action)
        case .noteTLS(let tls): writer.put(tls)
        case .recordLine(let isReply, let text):
            writer.put(isReply)
            writer.put(text)
        case .accountName(.user(let number)):
            writer.put(false)
            writer.put(number)
        case .accountName(.group(let number)):
            writer.put(true)
            writer.put(number)
        case .connectForData(let address, let port):
            writer.put(address)
            writer.put(port)
        case .log(let level, let text), .logAction(let level, let text):
            writer.put(level.number)
            writer.put(text)
        }
        return writer.bytes
    }

    /// Reads one whole message.
    ///
    /// Treats every byte as hostile: the sender may be a Session that somebody else now controls.
    init(decoding message: [UInt8]) throws(MessageError) {
        var reader = try MessageReader(message)
        guard let kind = Kind(rawValue: reader.tag) else { throw .unknownTag(reader.tag) }
        switch kind {
        case .authenticate:
            let user = try reader.takeUser()
            let password = try reader.takePassword()
            self = .authenticate(
                LoginAttempt(user: user, password: password, isClear: try reader.takeBool())
            )
        case .endLogin: self = .endLogin
        case .listenForData: self = .listenForData
        case .connectForData:
            let address = try reader.takeAddress()
            self = .connectForData(address, port: try reader.take())
        case .log: self = .log(try reader.takeLevel(), try reader.takeLine())
        case .logAction: self = .logAction(try reader.takeLevel(), try reader.takeLine())
        case .listSessions: self = .listSessions
        case .client:
            let address = try reader.takeAddress()
            self = .client(SocketAddress(address, port: try reader.take()))
        case .charge:
            let byteCount = try reader.take(UInt32.self)
            guard byteCount > 0 else { throw .invalidValue }
            self = .charge(byteCount)
        case .accountName:
            let isGroup = try reader.takeBool()
            let number = try reader.take(UInt32.self)
            self = .accountName(isGroup ? .group(number) : .user(number))
        case .answer: self = .answer(SecondAnswer(try reader.takePassword()))
        case .giveUp: self = .giveUp
        case .showCertificate:
            let bytes = try reader.takeBytes(maximum: Self.maximumRecordingByteCount)
            self = .showCertificate(bytes)
        case .admit: self = .admit(user: try reader.takeUser())
        case .markClear: self = .markClear(try reader.takeBool())
        case .record: self = .record(try reader.takeAction())
        case .handshake: self = .handshake(try reader.takeHandshake())
        case .audit: self = .audit(try reader.takeAuditedAction())
        case .noteTLS: self = .noteTLS(try reader.takeTLS())
        case .recordLine:
            let isReply = try reader.takeBool()
            let text = try reader.takeBytes(maximum: Self.maximumLineByteCount)
            self = .recordLine(isReply: isReply, text)
        }
        try reader.finish()
    }
}

/// A user name with the password that was sent for it.
///
/// A class, because enums with a payload that has a single owner cannot be matched freely yet.
final class LoginAttempt {
    let user: String
    let password: Secret

    /// Both came without TLS.
    let isClear: Bool

    init(user: String, password: consuming Secret, isClear: Bool) {
        self.user = user
        self.password = password
        self.isClear = isClear
    }
}

/// Which user names go as far as a password check.
package enum UserName {
    /// Whether `name` is 1 to 128 bytes of UTF-8 without control characters.
    package static func isAcceptable(_ name: String) -> Bool {
        (1...WardenRequest.maximumUserByteCount).contains(name.utf8.count)
            && name.unicodeScalars.allSatisfy {
                $0.properties.generalCategory != .control
            }
    }
}

extension MessageWriter {
    /// Appends an address, the IPv6 form for both families.
    mutating func put(_ address: IPAddress) {
        switch address {
        case .v4(let number):
            put(UInt64(0))
            put(UInt64(0xFFFF_0000_0000) | UInt64(number))
        case .v6(let high, let low):
            put(high)
            put(low)
        }
    }
}

extension MessageReader {
    /// Takes a name that may go as far as a check.
    fileprivate mutating func takeUser() throws(MessageError) -> String {
        let user = try takeString(maximum: WardenRequest.maximumUserByteCount)
        guard UserName.isAcceptable(user) else { throw .invalidValue }
        return user
    }

    /// Takes how much a line of the log matters.
    fileprivate mutating func takeLevel() throws(MessageError) -> Logger.Level {
        guard let level = Logger.Level(number: try take()) else { throw .invalidValue }
        return level
    }

    /// Takes a line of the log.
    fileprivate mutating func takeLine() throws(MessageError) -> String {
        try takeString(maximum: WardenRequest.maximumLogByteCount)
    }

    /// Takes what PAM will see as a C string.
    fileprivate mutating func takePassword() throws(MessageError) -> Secret {
        let password = try takeSecret(maximum: WardenRequest.maximumPasswordByteCount)
        guard unsafe password.withBytes({ unsafe !$0.contains(0) }) else { throw .invalidValue }
        return password
    }

    /// Takes an address; the mapped form becomes IPv4.
    mutating func takeAddress() throws(MessageError) -> IPAddress {
        let high = try take(UInt64.self)
        return IPAddress.v6(high: high, low: try take()).unmapped
    }
}

extension Logger.Level {
    /// How the level stands in a message.
    fileprivate var number: UInt8 {
        switch self {
        case .trace: 0
        case .debug: 1
        case .info: 2
        case .notice: 3
        case .warning: 4
        case .error: 5
        case .critical: 6
        }
    }

    fileprivate init?(number: UInt8) {
        switch number {
        case 0: self = .trace
        case 1: self = .debug
        case 2: self = .info
        case 3: self = .notice
        case 4: self = .warning
        case 5: self = .error
        case 6: self = .critical
        default: return nil
        }
    }
}
