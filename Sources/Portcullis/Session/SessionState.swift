internal import FTPProtocol
internal import FileSystem
internal import Isolation
internal import Logging
internal import TLS

/// What a handler needs to know, made before the fork and never changed.
struct HandlerSettings {
    /// The administrator's wishes.
    var configuration: Configuration

    /// Certificate and policy; `nil` with `ssl_enable=NO`.
    var tls: TLSContext?

    /// The IPv4 address for replies to PASV (`pasv_address`).
    let advertisedAddress: IPAddress?

    /// Whether somebody may log in who is neither anonymous nor an account of the system.
    var hasUsersOfItsOwn: Bool

    /// Lines below this level are not even sent to the Warden.
    let logLevel: Logger.Level

    /// What the program that the server is part of has set; `nil` in the daemon.
    var embedding: FTPHandler.Settings?

    /// Whether small packets are sent at once.
    var sendsWithoutDelay: Bool { embedding?.tcpNoDelay ?? true }

    /// How clients write names that have not said anything about it.
    var encoding: NameEncoding { embedding?.encoding.base ?? .utf8 }

    /// What becomes of names that cannot be told.
    var remedy: NameEncoding.Remedy { embedding?.encodingErrors.remedy ?? .pass }
}

/// Settings that all sessions hold in one piece.
///
/// A session that had them as its own would count itself in at every text and list among them, and a
/// process keeps a copy of each page that it writes to.
final class SharedSettings {
    let value: HandlerSettings

    init(_ value: HandlerSettings) {
        self.value = value
    }
}

/// What holds for a user who has options of his or her own.
final class UserConfiguration {
    let value: Configuration

    init(_ value: Configuration) {
        self.value = value
    }
}

/// A login as the session knows it.
struct LoginState {
    let user: String
    let terms: LoginTerms
    let fileSystem: any FileSystem
    /// What hangs up when whoever opens the files is gone; -1 where nobody can go.
    let agentNumber: CInt
    /// The directory that the login sees as `/`, where this process may know it.
    let root: String?
    let pacing: TransferPacing
}

/// A transfer that runs, for STAT and ABOR.
struct TransferState {
    let command: String
    let path: String
    var handler: DTPHandler?
    /// How far work without a data connection is.
    var byteCount: Int64 = 0
    var isAborted = false
}

extension HandlerSettings {
    /// What a client is greeted with (`ftpd_banner`).
    var greeting: Reply {
        let lines = configuration.session.banner?.split(separator: "\n").map(String.init) ?? []
        return Reply(220, lines: lines.isEmpty ? ["FTP server ready."] : lines)
    }
}
