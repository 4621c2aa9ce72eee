package import FTPProtocol
internal import LinuxSystem

/// Something that happened in a session, told by whoever decides for it and not by the session.
package struct EventReport: Hashable, Sendable {
    /// Who is logged in.
    package let user: String

    /// The directory on this machine that the login sees as `/`.
    package let root: String

    /// The client.
    package let peer: IPAddress

    /// What was done; `nil` for the login itself.
    package let action: LoggedAction?

    init(user: String, root: String, peer: IPAddress, action: LoggedAction?) {
        self.user = user
        self.root = root
        self.peer = peer
        self.action = action
    }

    /// The message.
    var encoded: [UInt8] {
        var writer = MessageWriter(tag: action == nil ? 1 : 2)
        writer.put(user)
        writer.put(root)
        writer.put(peer)
        if let action { writer.put(action) }
        return writer.bytes
    }

    /// Reads one whole message.
    init(decoding message: [UInt8]) throws(MessageError) {
        var reader = try MessageReader(message)
        guard reader.tag == 1 || reader.tag == 2 else { throw .unknownTag(reader.tag) }
        user = try reader.takeString(maximum: 1_024)
        root = try reader.takeString(maximum: 4_096)
        peer = try reader.takeAddress()
        action = reader.tag == 2 ? try reader.takeAction() : nil
        try reader.finish()
    }
}
