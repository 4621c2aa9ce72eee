internal import LinuxSystem

/// How the server is, for `portcullis status`.
package struct ServerStatus: Hashable, Sendable {
    /// The version of the program.
    package var version = ""
    /// When it was started, in seconds since 1970.
    package var since: Int64 = 0
    /// Where clients connect, as `serve` prints it.
    package var listening: [String] = []
    /// Connections with a client that has logged in.
    package var loggedIn: UInt32 = 0
    /// Connections with a client that has not.
    package var beforeLogin: UInt32 = 0
    /// Connections that were told to go.
    package var leaving: UInt32 = 0
    /// Limits that are kept, each an option with its value.
    package var limits: [String] = []
    /// Processes that serve every session, each with its number.
    package var processes: [Process] = []
    /// Certificates, each with when it expires.
    package var certificates: [Certificate] = []
    /// When the configuration was read anew for the last time, in seconds since 1970; 0 for never.
    package var lastReload: Int64 = 0
    /// Whether that succeeded.
    package var hasReloaded = false

    /// Describes nothing in particular.
    package init() {}

    /// A process that serves every session.
    package struct Process: Hashable, Sendable {
        /// The name that `ps(1)` shows.
        package let name: String
        /// Its number.
        package let number: UInt32

        /// Describes a process.
        package init(name: String, number: UInt32) {
            self.name = name
            self.number = number
        }
    }

    /// A certificate that is shown to clients.
    package struct Certificate: Hashable, Sendable {
        /// Its file.
        package let file: String
        /// When it expires, in seconds since 1970.
        package let expiry: Int64

        /// Describes a certificate.
        package init(file: String, expiry: Int64) {
            self.file = file
            self.expiry = expiry
        }
    }
}

/// The most entries of one kind, and bytes in one text.
private let maximumCount = 60
private let maximumByteCount = 300

extension MessageWriter {
    /// Appends a status; what is too long is cut.
    mutating func put(_ status: ServerStatus) {
        putShort(status.version)
        put(status.since)
        put(lines: Array(status.listening.prefix(maximumCount)))
        put(status.loggedIn)
        put(status.beforeLogin)
        put(status.leaving)
        put(lines: Array(status.limits.prefix(maximumCount)))
        put(UInt8(min(status.processes.count, maximumCount)))
        for process in status.processes.prefix(maximumCount) {
            putShort(process.name)
            put(process.number)
        }
        put(UInt8(min(status.certificates.count, maximumCount)))
        for certificate in status.certificates.prefix(maximumCount) {
            putShort(certificate.file)
            put(certificate.expiry)
        }
        put(status.lastReload)
        put(status.hasReloaded)
    }

    private mutating func putShort(_ text: String) {
        put(text.utf8.count <= maximumByteCount ? text : "…")
    }
}

extension MessageReader {
    /// Takes a status.
    mutating func takeStatus() throws(MessageError) -> ServerStatus {
        var status = ServerStatus()
        status.version = try takeShort()
        status.since = try take()
        status.listening = try takeLines(maximum: maximumCount)
        status.loggedIn = try take()
        status.beforeLogin = try take()
        status.leaving = try take()
        status.limits = try takeLines(maximum: maximumCount)
        for _ in 0..<(try takeCount()) {
            let name = try takeShort()
            status.processes.append(.init(name: name, number: try take()))
        }
        for _ in 0..<(try takeCount()) {
            let file = try takeShort()
            status.certificates.append(.init(file: file, expiry: try take()))
        }
        status.lastReload = try take()
        status.hasReloaded = try takeBool()
        return status
    }

    private mutating func takeShort() throws(MessageError) -> String {
        try takeString(maximum: maximumByteCount)
    }

    private mutating func takeCount() throws(MessageError) -> Int {
        let count = Int(try take(UInt8.self))
        guard count <= maximumCount else { throw .tooLong(byteCount: count) }
        return count
    }
}
