internal import FTPProtocol

/// The host that a client names in its ClientHello (RFC 6066 section 3).
package enum OfferedName: Hashable, Sendable {
    /// No name, or an address: the standard has addresses not be sent, and some clients send them.
    case none
    /// A name, in lower case and without a dot at its end.
    case name(String)
    /// Something that is not the name of a host.
    case invalid

    /// Reads the content of the extension `server_name`.
    ///
    /// - Parameter content: The extension without type and length; anybody may have sent it.
    package init(_ content: [UInt8]) {
        // The length of the list, the type 0 of a host name, its length, and the name.
        guard content.count > 5, content[2] == 0,
            Self.number(content, at: 0) == content.count - 2
        else {
            self = .invalid
            return
        }
        let bytes = [UInt8](content.dropFirst(5))
        // A second name of the same type is forbidden, and no other type exists.
        guard Self.number(content, at: 3) == bytes.count else {
            self = .invalid
            return
        }
        self.init(name: bytes)
    }

    /// Reads a name by itself, such as an administrator wrote it.
    package init(name bytes: [UInt8]) {
        guard let host = HostName(argument: bytes) else {
            self = .invalid
            return
        }
        let isAddress = host.text.hasPrefix("[") || IPAddress(host.text) != nil
        self = isAddress ? .none : .name(host.text)
    }

    private static func number(_ content: [UInt8], at index: Int) -> Int {
        Int(content[index]) << 8 | Int(content[index + 1])
    }

    /// The name, if there is one.
    package var text: String? {
        guard case .name(let text) = self else { return nil }
        return text
    }
}
