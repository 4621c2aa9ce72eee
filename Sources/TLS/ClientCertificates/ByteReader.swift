internal import LinuxSystem

/// Takes a TLS message apart (RFC 8446 section 3), and treats every byte of it as hostile.
struct ByteReader {
    private let content: [UInt8]

    /// How many bytes have been taken.
    private(set) var position = 0

    init(_ content: [UInt8]) {
        self.content = content
    }

    /// Whether nothing is left.
    var isAtEnd: Bool { position == content.count }

    /// Takes a number of at most three bytes, the highest first.
    mutating func number(_ byteCount: Int) throws(MessageError) -> Int {
        try bytes(byteCount).reduce(0) { $0 << 8 | Int($1) }
    }

    /// Takes so many bytes.
    mutating func bytes(_ count: Int) throws(MessageError) -> [UInt8] {
        guard count <= content.count - position else { throw .truncated }
        defer { position += count }
        return Array(content[position..<(position + count)])
    }

    /// Takes bytes behind their count, which is itself so many bytes long.
    mutating func bytes(counted width: Int) throws(MessageError) -> [UInt8] {
        try bytes(try number(width))
    }

    /// Checks that nothing is left over.
    func finish() throws(MessageError) {
        guard isAtEnd else { throw .trailingBytes(count: content.count - position) }
    }
}
