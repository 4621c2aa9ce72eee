/// Why the argument of TYPE, STRU, MODE or PROT was refused.
package enum TransferParameterError: Error, Hashable, Sendable {
    /// No such parameter exists; reply 501.
    case malformed

    /// The standard knows it, this server does not; reply 504, or 536 to PROT (RFC 2228).
    case unsupported
}

/// How bytes are represented on the data connection (RFC 959 section 3.1.1).
package enum TransferType: Hashable, Sendable {
    /// Lines end in CR LF on the wire (`A`, `A N`, `L 7`).
    case ascii

    /// Bytes as they are (`I`, `L 8`).
    case image

    /// Reads the argument of TYPE, whatever its case.
    ///
    /// - Throws: ``TransferParameterError``.
    package init(argument: [UInt8]) throws(TransferParameterError) {
        switch argument.keyword {
        // Some clients leave the space out, and bytes of 7 bits can only be text.
        case "A", "A N", "L 7", "L7": self = .ascii
        case "I", "L 8", "L8": self = .image
        case "A T", "A C", "E", "E N", "E T", "E C": throw .unsupported
        default:
            // Any other logical byte size from 1 to 255 (RFC 959 section 5.3.2).
            guard
                argument.uppercasedASCII.starts(with: "L ".utf8),
                let size = DecimalNumber.parse(argument.dropFirst(2)),
                (1...255).contains(size)
            else {
                throw .malformed
            }
            throw .unsupported
        }
    }
}

/// How a file is built (RFC 959 section 3.1.2).
package enum FileStructure: Hashable, Sendable {
    /// A sequence of bytes (`F`).
    case file

    /// Reads the argument of STRU, whatever its case.
    ///
    /// - Throws: ``TransferParameterError``.
    package init(argument: [UInt8]) throws(TransferParameterError) {
        switch argument.keyword {
        case "F": self = .file
        case "R", "P": throw .unsupported
        default: throw .malformed
        }
    }
}

/// How a file is sent (RFC 959 section 3.4).
package enum TransferMode: Hashable, Sendable {
    /// As a stream whose end is the connection's end (`S`).
    case stream

    /// As a compressed stream (`Z`, draft-preston-ftpext-deflate).
    ///
    /// Known to every server of this kind and served only where the administrator wishes it:
    /// beside encryption the length of what was compressed tells about its content.
    case deflate

    /// Reads the argument of MODE, whatever its case.
    ///
    /// - Throws: ``TransferParameterError``.
    package init(argument: [UInt8]) throws(TransferParameterError) {
        switch argument.keyword {
        case "S": self = .stream
        case "Z": self = .deflate
        case "B", "C": throw .unsupported
        default: throw .malformed
        }
    }
}

/// How data connections are protected (RFC 2228 section 3, RFC 4217 section 9).
package enum ProtectionLevel: Hashable, Sendable {
    /// Not at all (`C`).
    case clear

    /// By TLS (`P`).
    case `private`

    /// Whether it is ``private``; for `==` Swift's runtime would look a conformance up in every session.
    package var isPrivate: Bool {
        switch self {
        case .clear: false
        case .private: true
        }
    }

    /// Reads the argument of PROT, whatever its case.
    ///
    /// `S` and `E` have no meaning with TLS (RFC 4217 section 9).
    ///
    /// - Throws: ``TransferParameterError``; for ``TransferParameterError/unsupported`` the reply
    ///   is 536.
    package init(argument: [UInt8]) throws(TransferParameterError) {
        switch argument.keyword {
        case "C": self = .clear
        case "P": self = .private
        case "S", "E": throw .unsupported
        default: throw .malformed
        }
    }
}
