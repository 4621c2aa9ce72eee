/// Reads replies as strictly as RFC 959 section 4.2 has them, and in the one form that is ours.
struct ReplyReader {
    /// The codes of the replies that are complete.
    private(set) var codes: [Int] = []
    private var pending: [UInt8] = []
    private var openCode: Int?

    /// Takes in what was received, and hands on the code and the last line of each reply.
    ///
    /// - Throws: ``Flaw`` for what is no reply.
    mutating func append(
        _ bytes: some Sequence<UInt8>,
        _ hear: (Int, [UInt8]) throws -> Void = { _, _ in }
    ) throws {
        for byte in bytes {
            try claim(byte != 0, "a reply holds NUL")
            try claim(byte == 0x0A || pending.last != 0x0D, "a CR stands inside a reply")
            guard byte == 0x0A else {
                pending.append(byte)
                continue
            }
            try claim(pending.last == 0x0D, "a line of a reply ends without CR")
            pending.removeLast()
            try take(pending, hear)
            pending = []
        }
    }

    /// Holds the replies to be complete.
    func finish() throws(Flaw) {
        try claim(pending.isEmpty && openCode == nil, "the last reply is not complete")
    }

    private mutating func take(
        _ line: [UInt8],
        _ hear: (Int, [UInt8]) throws -> Void
    ) throws {
        let digits = line.prefix(3)
        let code = Int(String(decoding: digits, as: UTF8.self))
        let sign = line.dropFirst(3).first
        if let open = openCode {
            if code == open, sign == UInt8(ascii: " ") {
                openCode = nil
                codes.append(open)
                try hear(open, line)
            } else {
                try claim(
                    line.first == UInt8(ascii: " "),
                    "a line inside a reply looks like a new one"
                )
            }
            return
        }
        guard let code, (100...599).contains(code), digits.allSatisfy({ (48...57).contains($0) })
        else { throw Flaw(description: "a reply begins without a code: \(line)") }
        switch sign {
        case UInt8(ascii: " "):
            codes.append(code)
            try hear(code, line)
        case UInt8(ascii: "-"): openCode = code
        default: throw Flaw(description: "no blank behind the code of a reply")
        }
    }
}
