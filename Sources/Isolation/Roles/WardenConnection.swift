internal import FTPProtocol
internal import LinuxSystem
internal import Logging

/// One connection as the Listener gives it to a Warden, at its fork or later.
struct WardenConnection: ~Copyable {
    /// The control connection.
    var control: OwnedDescriptor

    /// The client, or a proxy.
    let peer: SocketAddress

    /// How the client has to begin.
    let kind: ControlPort.Kind

    /// What the log calls the session.
    let identifier: String

    /// Nothing is written about the connection unless it comes to a login.
    let isQuiet: Bool

    /// Whether nothing may happen that is not in the audit trail.
    let isAudited: Bool

    /// The Session's way to the Signer.
    var signer: MessageSocket?

    /// The way to the audit trail.
    var trail: MessageSocket?

    /// The page on which the Session writes what it is at.
    let page: PageBox?

    // -1 where there is none. No array: Swift's runtime would have to make a type in every Session, to
    // destroy it.
    private let numbers: (control: CInt, signer: CInt, trail: CInt, page: CInt)

    /// The descriptors, in their order.
    var descriptorNumbers: [CInt] {
        [numbers.control, numbers.signer, numbers.trail, numbers.page].filter { $0 >= 0 }
    }

    init(
        control: consuming OwnedDescriptor,
        peer: SocketAddress,
        kind: ControlPort.Kind,
        identifier: String,
        isQuiet: Bool,
        isAudited: Bool,
        signer: consuming MessageSocket?,
        trail: consuming MessageSocket?,
        page: PageBox?
    ) {
        numbers = (
            control.number, signer?.descriptor.number ?? -1, trail?.descriptor.number ?? -1,
            page?.descriptor.number ?? -1
        )
        self.control = control
        self.peer = peer
        self.kind = kind
        self.identifier = identifier
        self.isQuiet = isQuiet
        self.isAudited = isAudited
        self.signer = consume signer
        self.trail = consume trail
        self.page = page
    }

    /// A logger whose lines tell of this connection.
    func marked(_ logger: Logger) -> Logger {
        var logger = logger
        logger[metadataKey: "session"] = .string(identifier)
        logger[metadataKey: "peer"] = .stringConvertible(peer)
        return logger
    }

    /// Gives up everything but the control connection.
    consuming func takeControl() -> OwnedDescriptor { control }
}

// MARK: As a message

extension WardenConnection {
    private static let tag: UInt8 = 1

    /// The message; the descriptors go with it in their order.
    var encoded: [UInt8] {
        var writer = MessageWriter(tag: Self.tag)
        writer.put(peer.address)
        writer.put(peer.port)
        writer.put(peer.scope)
        writer.put(kind.rawValue)
        writer.put(identifier)
        writer.put(isQuiet)
        writer.put(isAudited)
        writer.put(signer != nil)
        writer.put(trail != nil)
        writer.put(page != nil)
        return writer.bytes
    }

    /// Reads one whole message, and takes what came with it.
    init(decoding message: [UInt8], _ passed: PassedDescriptors) throws(MessageError) {
        var reader = try MessageReader(message)
        guard reader.tag == Self.tag else { throw .unknownTag(reader.tag) }
        let address = try reader.takeAddress()
        let port = try reader.take(UInt16.self)
        let scope = try reader.take(UInt32.self)
        guard let kind = ControlPort.Kind(rawValue: try reader.take()) else { throw .invalidValue }
        let identifier = try reader.takeString(maximum: 32)
        let isQuiet = try reader.takeBool()
        let isAudited = try reader.takeBool()
        let hasSigner = try reader.takeBool()
        let hasTrail = try reader.takeBool()
        let hasPage = try reader.takeBool()
        try reader.finish()
        let count = 1 + [hasSigner, hasTrail, hasPage].count(where: \.self)
        guard passed.count == count, let control = passed.takeNext() else {
            throw .wrongDescriptor
        }
        var signer: MessageSocket?
        var trail: MessageSocket?
        var page: PageBox?
        if hasSigner, let number = passed.takeNext() { signer = MessageSocket(owning: number) }
        if hasTrail, let number = passed.takeNext() { trail = MessageSocket(owning: number) }
        if hasPage, let number = passed.takeNext() { page = PageBox(number) }
        self.init(
            control: control,
            peer: SocketAddress(address, port: port, scope: scope),
            kind: kind,
            identifier: identifier,
            isQuiet: isQuiet,
            isAudited: isAudited,
            signer: signer,
            trail: trail,
            page: page
        )
    }
}
