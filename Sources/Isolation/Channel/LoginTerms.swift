package import FTPProtocol
internal import LinuxSystem

/// What a Session has to know of its login.
package struct LoginTerms: Hashable, Sendable {
    /// What the user may do, for listings that show it; the Agent is who enforces it.
    package var permissions: Permissions

    /// Where the session begins.
    package var workingDirectory: VirtualPath

    /// Whether the rules for anonymous users hold on the connections.
    package var isAnonymous: Bool

    /// Options that differ for this login, each `name=value`.
    package var options: [String]

    /// The directory on this machine that the login sees as `/`, where the session may know it.
    package var root: String?

    /// Options in one message, and bytes in one option.
    static let maximumOptionCount = 256
    static let maximumOptionByteCount = 4_096

    /// Whether options fit into one message, each and all of them.
    package static func fit(_ options: [String]) -> Bool {
        options.count <= maximumOptionCount
            && options.allSatisfy { $0.utf8.count <= maximumOptionByteCount }
            && options.reduce(0) { $0 + $1.utf8.count + 4 } <= MessageSocket.maximumByteCount / 2
    }

    /// Describes a login.
    package init(
        permissions: Permissions,
        workingDirectory: VirtualPath,
        isAnonymous: Bool = false,
        options: [String],
        root: String? = nil
    ) {
        self.root = root
        self.isAnonymous = isAnonymous
        self.permissions = permissions
        self.workingDirectory = workingDirectory
        self.options = options
    }
}

extension MessageWriter {
    /// Appends the terms of a login.
    mutating func put(_ terms: LoginTerms) {
        put(terms.permissions.rawValue)
        put(terms.workingDirectory.bytes)
        put(terms.isAnonymous)
        let options = terms.options.prefix(LoginTerms.maximumOptionCount)
        put(UInt16(options.count))
        for option in options { put(option) }
        put(terms.root ?? "")
    }
}

extension MessageReader {
    /// Takes the terms of a login.
    mutating func takeTerms() throws(MessageError) -> LoginTerms {
        let permissions = Permissions(rawValue: try take())
        let path = try takeBytes(maximum: VirtualPath.maximumByteCount)
        guard let directory = VirtualPath(bytes: path) else { throw .invalidValue }
        let isAnonymous = try takeBool()
        let count = Int(try take(UInt16.self))
        guard count <= LoginTerms.maximumOptionCount else { throw .tooLong(byteCount: count) }
        var options: [String] = []
        for _ in 0..<count {
            options.append(try takeString(maximum: LoginTerms.maximumOptionByteCount))
        }
        let root = try takeString(maximum: LoginTerms.maximumOptionByteCount)
        return LoginTerms(
            permissions: permissions,
            workingDirectory: directory,
            isAnonymous: isAnonymous,
            options: options,
            root: root.isEmpty ? nil : root
        )
    }
}
