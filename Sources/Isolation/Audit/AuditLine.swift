internal import FTPProtocol

/// A line of an audit trail, read back.
///
/// Whoever wrote the file may have meant harm: everything is checked, and nothing is taken for
/// granted but that it is bytes.
package struct AuditLine: Hashable, Sendable {
    /// The longest line that there can be: two names of which every byte is escaped, and the rest.
    package static let maximumByteCount = 131_072

    /// The number of the record.
    package let number: UInt64
    /// When it was written, as it says.
    package let time: String
    /// What happened.
    package let event: String
    /// Whose record it is.
    package let session: String
    /// Which record of that session.
    package let sessionNumber: UInt64
    /// The hash of the record before, as it says.
    package let previous: [UInt8]
    /// Its own hash, as it says.
    package let hash: [UInt8]
    /// Whether it has that hash.
    package let isIntact: Bool
    /// The members of its own, from the comma on.
    package let rest: [UInt8]
    /// The signature, of a seal that has one.
    package let signature: AuditSignature?

    /// Reads a line without its end; `nil` for what is none.
    package init?(_ line: [UInt8]) {
        guard line.count <= Self.maximumByteCount else { return nil }
        let hashTail = AuditChain.hashByteCount + 11
        let tail = hashTail + AuditChain.hashByteCount + 10
        guard line.count > tail else { return nil }
        var end = Cursor(line, from: line.count - tail)
        guard end.take(",\"prev\":\""), let previous = end.takeHash(), end.take("\",\"hash\":\""),
            let hash = end.takeHash(), end.take("\"}"), end.isAtEnd
        else { return nil }
        let body = line[..<(line.count - tail)]
        var cursor = Cursor(line, from: 0)
        guard cursor.take("{\"v\":\(AuditChain.version),\"seq\":"),
            let number = cursor.takeNumber(),
            cursor.take(",\"time\":\""), let time = cursor.takeWord(),
            cursor.take("\",\"event\":\""), let event = cursor.takeWord(),
            cursor.take("\",\"session\":\""), let session = cursor.takeWord(),
            cursor.take("\",\"n\":"), let sessionNumber = cursor.takeNumber(),
            cursor.position <= body.endIndex
        else { return nil }
        self.number = number
        self.time = time
        self.event = event
        self.session = session
        self.sessionNumber = sessionNumber
        self.previous = previous
        self.hash = hash
        isIntact = AuditChain.hash(line[..<(line.count - hashTail)]) == hash
        rest = [UInt8](body[cursor.position...])
        signature = AuditSignature(of: [UInt8](body), previous)
    }

    /// Reads members that follow each other at the beginning of ``rest``.
    package func read(_ body: (inout Cursor) -> Bool) -> Bool {
        var cursor = Cursor(rest, from: 0)
        return body(&cursor)
    }

    /// A place in a line.
    package struct Cursor {
        private let bytes: [UInt8]
        private(set) var position: Int

        init(_ bytes: [UInt8], from position: Int) {
            self.bytes = bytes
            self.position = position
        }

        var isAtEnd: Bool { position == bytes.count }

        /// Goes beyond exactly this text.
        package mutating func take(_ text: String) -> Bool {
            let wanted = text.utf8
            guard bytes.count - position >= wanted.count,
                bytes[position..<(position + wanted.count)].elementsEqual(wanted)
            else { return false }
            position += wanted.count
            return true
        }

        /// Takes a decimal number without zeros in front.
        package mutating func takeNumber() -> UInt64? {
            var value: UInt64 = 0
            let start = position
            while position < bytes.count, case let digit = bytes[position] &- UInt8(ascii: "0"),
                digit < 10
            {
                let (tens, overflows) = value.multipliedReportingOverflow(by: 10)
                let (sum, carries) = tens.addingReportingOverflow(UInt64(digit))
                guard !overflows, !carries else { return nil }
                value = sum
                position += 1
            }
            let count = position - start
            return count == 1 || (count > 1 && bytes[start] != UInt8(ascii: "0")) ? value : nil
        }

        /// Takes letters, digits and what times are written with, one at least.
        package mutating func takeWord() -> String? {
            let start = position
            while position < bytes.count, Self.isOfWord(bytes[position]), position - start < 64 {
                position += 1
            }
            guard position > start else { return nil }
            return String(decoding: bytes[start..<position], as: UTF8.self)
        }

        /// Takes the hexadecimal digits of a hash.
        package mutating func takeHash() -> [UInt8]? { takeDigits(AuditChain.hashByteCount) }

        /// Takes so many lower-case hexadecimal digits.
        package mutating func takeDigits(_ count: Int) -> [UInt8]? {
            guard bytes.count - position >= count else { return nil }
            let digits = bytes[position..<(position + count)]
            guard digits.allSatisfy(Self.isHexadecimal) else { return nil }
            position += count
            return [UInt8](digits)
        }

        private static func isHexadecimal(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): true
            default: false
            }
        }

        private static func isOfWord(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: ":"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "."):
                true
            default: false
            }
        }
    }
}
