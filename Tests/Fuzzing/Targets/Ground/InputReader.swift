/// Takes an input apart; what is missing at its end reads as zeros and as nothing.
struct InputReader {
    private(set) var rest: ArraySlice<UInt8>

    init(_ input: [UInt8]) {
        rest = input[...]
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    mutating func number() -> Int { Int(byte()) | Int(byte()) << 8 }

    /// Bytes behind their count, or as many of them as there are.
    mutating func piece() -> [UInt8] {
        let piece = rest.prefix(number())
        rest = rest.dropFirst(piece.count)
        return Array(piece)
    }

    /// Bytes up to the next LF, which goes too.
    mutating func line() -> [UInt8] {
        let line = rest.prefix { $0 != 0x0A }
        rest = rest.dropFirst(line.count + 1)
        return Array(line)
    }
}

/// Whether text is fit for one line of a log or a terminal.
func isHarmless(_ text: String) -> Bool {
    text.unicodeScalars.allSatisfy {
        switch $0.value {
        case 0..<0x20, 0x7F..<0xA0, 0x061C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069: false
        default: true
        }
    }
}

/// Whether there is a value; `==` takes nothing that has a single owner.
func isThere<Value: ~Copyable>(_ value: consuming Value?) -> Bool {
    switch consume value {
    case .some: true
    case .none: false
    }
}
