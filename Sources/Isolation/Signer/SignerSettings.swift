package import LinuxSystem

/// What the process that keeps the private keys begins with.
package struct SignerSettings {
    /// Answers one request; throws for a message that none of ours sends.
    package typealias Answer = ([UInt8]) throws(MessageError) -> [UInt8]

    /// The ids that it runs under; `nil` without root.
    package var unprivileged: Credentials?

    /// Whether system calls are filtered (`seccomp_sandbox`).
    package var usesSeccomp = true

    /// Reads the keys; runs in the new process, before it gives up its rights.
    package var load: () throws(SignerFailure) -> Answer

    /// Creates settings.
    package init(load: @escaping () throws(SignerFailure) -> Answer) {
        self.load = load
    }
}

/// Why there is no process that signs.
package struct SignerFailure: Error, Hashable, Sendable {
    /// What failed, in the caller's own numbers.
    package let kind: UInt8
    /// The reason in words, for the administrator.
    package let text: String

    /// Describes a failure.
    package init(kind: UInt8, text: String) {
        self.kind = kind
        self.text = text
    }

    /// The message to the process that waits.
    var encoded: [UInt8] { [0, kind] + Array(text.utf8.prefix(4_096)) }

    /// Reads what the new process says first; `nil` when it is ready.
    init?(report message: [UInt8]) {
        guard message.first != 1 else { return nil }
        let kind = message.dropFirst().first ?? .max
        self.init(kind: kind, text: String(decoding: message.dropFirst(2), as: UTF8.self))
    }

    /// What the new process says when it is ready.
    static let ready: [UInt8] = [1]
}
