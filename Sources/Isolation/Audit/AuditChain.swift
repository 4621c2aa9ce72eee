internal import FTPProtocol
internal import TLS

/// How records of the audit trail hang together: each carries the hash of the one before.
package struct AuditChain: Hashable, Sendable {
    /// The version of the schema.
    package static let version = 1

    /// What the first record of all names as the one before it.
    package static let origin = [UInt8](repeating: UInt8(ascii: "0"), count: hashByteCount)

    /// Hexadecimal digits of a hash.
    package static let hashByteCount = 64

    /// The number of the next record, from 1.
    package private(set) var next: UInt64

    /// The hash of the last record, in hexadecimal digits.
    package private(set) var last: [UInt8]

    /// Goes on behind a record; without one, begins.
    package init(next: UInt64 = 1, last: [UInt8] = origin) {
        self.next = next
        self.last = last
    }

    /// Makes a line, without its end, of a record's members, and goes on behind it.
    ///
    /// The hash covers every byte of the line in front of `,"hash"`. `sign` makes a signature of what
    /// stands in front of it, and of the hash of the record before.
    package mutating func line(
        _ members: [UInt8],
        sign: (([UInt8]) -> String?)? = nil
    ) -> [UInt8] {
        var line = Array("{\"v\":\(Self.version),\"seq\":\(next),".utf8)
        line += members
        if let signature = sign?(line + last) {
            line += Array(",\"signature\":\"\(signature)\"".utf8)
        }
        line += Array(",\"prev\":\"".utf8) + last + Array("\"".utf8)
        last = Self.hash(line[...])
        next += 1
        return line + Array(",\"hash\":\"".utf8) + last + Array("\"}".utf8)
    }

    /// SHA-256 in hexadecimal digits.
    package static func hash(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        Array(
            JSONObject.hexadecimal(unsafe bytes.withUnsafeBytes { unsafe sha256($0) }).utf8
        )
    }
}
