/// Turns the bytes of a control connection into command lines.
///
/// Telnet commands are taken out on the way (RFC 854, RFC 959 section 2.3.1 "the control connection
/// follows the Telnet protocol"). Lines end at LF, with an optional CR before it. How the bytes are
/// cut into ``append(_:)`` calls never changes the outcome.
///
/// What was fetched or thrown away is overwritten: a line may be a password.
///
/// Memory is bounded by the finished lines nobody has fetched yet plus ``maximumByteCount``: a line
/// that grew too long and a Telnet subnegotiation without end hold nothing.
package struct CommandLineReader: Sendable {
    /// The longest line that is delivered, not counting CR LF.
    package static let maximumByteCount = 4096

    /// What the reader found.
    package enum Event: Hashable, Sendable {
        /// A line without its end.
        case line([UInt8])

        /// A line exceeded ``CommandLineReader/maximumByteCount``.
        ///
        /// Reported once per line. The rest of that line is thrown away, so that its tail can never
        /// be taken for a command.
        case tooLong
    }

    private enum Mark {
        case line(byteCount: Int)
        case tooLong
    }

    /// Where in a Telnet sequence the next byte falls.
    private enum Telnet {
        case data
        case command
        case option
        case subnegotiation
        case subnegotiationCommand
    }

    /// Finished lines that were not fetched yet, without their ends, then the unfinished line.
    private var bytes: [UInt8] = []
    private var head = 0
    private var lineStart = 0
    private var marks: [Mark] = []
    private var nextMark = 0
    private var telnet = Telnet.data
    private var isDiscarding = false
    private var hasBytesBehindLastLine = false

    /// Creates a reader that holds nothing.
    package init() {}

    /// Whether nothing at all has come in behind the last line that ``next()`` delivered.
    ///
    /// False also after half a Telnet sequence, or a whole one. Ask it after an AUTH was fetched:
    /// whatever is here then was sent in clear to be taken for protected (RFC 4217 section 4.2).
    package var isEmpty: Bool { nextMark == marks.count && !hasBytesBehindLastLine }

    /// How many bytes of lines are held.
    package var bufferedByteCount: Int { bytes.count - head }

    /// About how much memory the waiting lines take; empty ones take some, too.
    package var heldByteCount: Int { bufferedByteCount + 16 * (marks.count - nextMark) }

    /// Forgets everything, a half-read line and Telnet sequence included.
    package mutating func removeAll() {
        bytes.overwrite(0..<bytes.count)
        self = CommandLineReader()
    }

    /// Takes in what was received.
    package mutating func append(_ bytes: ArraySlice<UInt8>) {
        for byte in bytes { take(byte) }
    }

    /// Fetches the next line in the order received.
    ///
    /// - Returns: `nil` when no finished line is left.
    package mutating func next() -> Event? {
        guard nextMark < marks.count else { return nil }
        let mark = marks[nextMark]
        nextMark += 1
        defer { compact() }
        switch mark {
        case .tooLong:
            return .tooLong
        case .line(let byteCount):
            let line = Array(bytes[head..<head + byteCount])
            bytes.overwrite(head..<head + byteCount)
            head += byteCount
            return .line(line)
        }
    }

    private mutating func take(_ byte: UInt8) {
        hasBytesBehindLastLine = true
        switch telnet {
        case .data:
            if byte == TelnetByte.interpretAsCommand { telnet = .command } else { keep(byte) }
        case .command:
            switch byte {
            case TelnetByte.interpretAsCommand:
                telnet = .data
                keep(byte)
            case TelnetByte.subnegotiation:
                telnet = .subnegotiation
            case TelnetByte.will...TelnetByte.dont:
                telnet = .option
            default:
                telnet = .data
            }
        case .option:
            telnet = .data
        case .subnegotiation:
            if byte == TelnetByte.interpretAsCommand { telnet = .subnegotiationCommand }
        case .subnegotiationCommand:
            telnet = byte == TelnetByte.endOfSubnegotiation ? .data : .subnegotiation
        }
    }

    private mutating func keep(_ byte: UInt8) {
        guard byte != .lineFeed else { return finishLine() }
        guard !isDiscarding else { return }
        let byteCount = bytes.count - lineStart
        // One byte more is let in if it may turn out to belong to the line's end.
        if byteCount < Self.maximumByteCount
            || byteCount == Self.maximumByteCount && byte == .carriageReturn
        {
            if bytes.count == bytes.capacity { bytes.moveToLargerMemory() }
            bytes.append(byte)
        } else {
            bytes.overwrite(lineStart..<bytes.count)
            bytes.removeLast(byteCount)
            marks.append(.tooLong)
            isDiscarding = true
        }
    }

    private mutating func finishLine() {
        hasBytesBehindLastLine = false
        guard !isDiscarding else {
            isDiscarding = false
            return
        }
        if bytes.count > lineStart, bytes.last == .carriageReturn { bytes.removeLast() }
        marks.append(.line(byteCount: bytes.count - lineStart))
        lineStart = bytes.count
    }

    /// Gives up the room of lines already fetched.
    ///
    /// Moves at most as many bytes as were fetched since the last time, or the one unfinished line,
    /// so the work stays proportional to the bytes received.
    private mutating func compact() {
        let isDrained = nextMark == marks.count
        if isDrained || head > Self.maximumByteCount && head > bytes.count / 2 {
            bytes.overwriteAndRemoveFirst(head)
            lineStart -= head
            head = 0
        }
        if isDrained || nextMark > 256 && nextMark > marks.count / 2 {
            marks.removeFirst(nextMark)
            nextMark = 0
        }
    }
}

extension [UInt8] {
    /// Overwrites some bytes with zeros.
    fileprivate mutating func overwrite(_ range: Range<Int>) {
        for index in range { self[index] = 0 }
    }

    /// Removes bytes from the front; what moves into their place leaves nothing behind either.
    fileprivate mutating func overwriteAndRemoveFirst(_ count: Int) {
        guard count > 0 else { return }
        let rest = self.count - count
        for index in 0..<rest { self[index] = self[index + count] }
        overwrite(rest..<self.count)
        removeLast(count)
    }

    /// Doubles the capacity, and overwrites the memory that is given up.
    fileprivate mutating func moveToLargerMemory() {
        var larger: [UInt8] = []
        larger.reserveCapacity(Swift.max(512, count * 2))
        larger.append(contentsOf: self)
        overwrite(0..<count)
        self = larger
    }
}

/// Bytes with a meaning of their own after IAC (RFC 854 "TELNET COMMAND STRUCTURE").
private enum TelnetByte {
    static let endOfSubnegotiation: UInt8 = 240
    static let subnegotiation: UInt8 = 250
    static let will: UInt8 = 251
    static let dont: UInt8 = 254
    static let interpretAsCommand: UInt8 = 255
}
