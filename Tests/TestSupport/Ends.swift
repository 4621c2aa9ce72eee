package import LinuxSystem

/// Both ends of a channel.
package struct Ends: ~Copyable {
    /// The end of the side under test, or of its peer, as the test likes.
    package let near: MessageSocket
    /// The other end.
    package let far: MessageSocket

    /// Two ends that live as long as they are needed.
    package static func make() throws -> Ends {
        let pair = try MessageSocket.makePair()
        // The pair gives up one end only, so the other one is doubled first.
        let copy = try pair.withSecond { second throws(SystemError) in
            try Holder(second.duplicate())
        }
        let far = MessageSocket(owning: try present(copy.take()))
        return Ends(near: pair.takeFirst(), far: far)
    }

    /// Keeps the near end and closes the far one.
    package consuming func takeNear() -> MessageSocket { near }
}

/// Holds a descriptor where a value with a single owner cannot go.
package final class Holder {
    /// The descriptor, until somebody takes it.
    package private(set) var descriptor: OwnedDescriptor?

    /// Takes the descriptor over.
    package init(_ descriptor: consuming OwnedDescriptor) {
        self.descriptor = consume descriptor
    }

    /// Hands the descriptor over, the first time.
    package func take() -> OwnedDescriptor? { descriptor.take() }
}
