internal import FTPProtocol

/// A command that a client has sent, as ``FTPHandler/processCommand(_:)`` is handed it.
public struct FTPCommand: Sendable {
    let base: Command

    init(_ base: Command) {
        self.base = base
    }

    /// The command, in upper case.
    public var verb: String { String(decoding: base.name, as: UTF8.self) }

    /// What stands behind the command, byte for byte; file names need not be UTF-8.
    ///
    /// Empty for PASS and ACCT, which carry what nobody but the ``Authorizer`` is to see.
    public var argumentBytes: [UInt8] {
        switch base.verb {
        case .pass, .acct, .adat: []
        default: base.argument
        }
    }

    /// ``argumentBytes`` as text; bytes that are no UTF-8 show as U+FFFD.
    public var argument: String { String(decoding: argumentBytes, as: UTF8.self) }
}
