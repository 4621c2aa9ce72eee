package import LinuxSystem

/// What the process that keeps the private keys begins with.
package struct SignerSettings {
    /// Answers one request; throws for a message that none of ours sends.
    package typealias Answer = ([UInt8]) throws(MessageError) -> [UInt8]

    /// The ids that it runs under; `nil` without root.
    package var unprivileged: Credentials?

    /// What comes of system calls that a process has no use for (`seccomp_sandbox`).
    package var systemCalls = SystemCallPolicy.enforced

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
    /// Which of several keys it is about, if any.
    package let place: UInt16?
    /// The reason in words, for the administrator.
    package let text: String

    /// Describes a failure.
    package init(kind: UInt8, place: UInt16? = nil, text: String) {
        self.kind = kind
        self.place = place
        self.text = text
    }

    /// The message to the process that waits.
    var encoded: [UInt8] {
        [0, kind] + (place ?? .max).bytes + text.cut(toByteCount: 4_096).utf8
    }

    /// Reads what the new process says first; `nil` when it is ready.
    init?(report message: [UInt8]) {
        guard message.first != 1 else { return nil }
        guard message.count > 1 else {
            self.init(kind: .max, text: "the process that reads the keys ended without a word")
            return
        }
        let numbers = message.dropFirst().prefix(3)
        let place = numbers.dropFirst().reduce(UInt16(0)) { $0 << 8 | UInt16($1) }
        self.init(
            kind: numbers.first ?? .max,
            place: place == .max ? nil : place,
            text: String(decoding: message.dropFirst(4), as: UTF8.self)
        )
    }

    /// What the new process says when it is ready.
    static let ready: [UInt8] = [1]
}

extension UInt16 {
    /// The high byte and the low one.
    fileprivate var bytes: [UInt8] { [UInt8(self >> 8), UInt8(truncatingIfNeeded: self)] }
}
