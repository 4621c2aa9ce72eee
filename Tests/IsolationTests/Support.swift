import FTPProtocol
import LinuxSystem

@testable import Isolation

/// The error of type `Failure` that `body` threw, or `nil`.
func thrown<Failure: Error>(
    _: Failure.Type = Failure.self,
    by body: () throws -> Void
) -> Failure? {
    do {
        try body()
        return nil
    } catch {
        return error as? Failure
    }
}

/// Something that a test needs to go on is missing.
struct Missing: Error {}

/// What `value` holds; `#require` takes nothing that has a single owner.
func present<Value: ~Copyable>(_ value: consuming Value?) throws -> Value {
    switch consume value {
    case .some(let present): return present
    case .none: throw Missing()
    }
}

/// The UTF-8 of a literal.
func bytes(_ text: String) -> [UInt8] {
    Array(text.utf8)
}

/// 127.0.0.1, or another address of 127.0.0.0/24.
func loopback(_ last: UInt32 = 1) -> IPAddress {
    .v4(0x7F00_0000 + last)
}

/// Both ends of a channel.
struct Ends: ~Copyable {
    let near: MessageSocket
    let far: MessageSocket

    static func make() throws -> Ends {
        let pair = try MessageSocket.makePair()
        // The pair gives up one end only, so the other one is doubled first.
        let copy = try pair.withSecond { second throws(SystemError) in
            try Holder(second.duplicate())
        }
        let far = MessageSocket(owning: try present(copy.take()))
        return Ends(near: pair.takeFirst(), far: far)
    }
}

/// Holds a descriptor where a value with a single owner cannot go.
final class Holder {
    private var descriptor: OwnedDescriptor?

    init(_ descriptor: consuming OwnedDescriptor) {
        self.descriptor = consume descriptor
    }

    /// Hands the descriptor over, the first time.
    func take() -> OwnedDescriptor? { descriptor.take() }
}

/// What a Session is told of a login.
func terms(_ permissions: Permissions, options: [String] = []) -> LoginTerms {
    LoginTerms(permissions: permissions, workingDirectory: .root, options: options)
}
