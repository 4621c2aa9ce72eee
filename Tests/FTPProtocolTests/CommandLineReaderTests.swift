import FTPProtocol
import TestSupport
import Testing

@Suite("Lines of the control connection")
struct CommandLineReaderTests {
    typealias Event = CommandLineReader.Event

    private func events(_ pieces: [[UInt8]]) -> [Event] {
        var reader = CommandLineReader()
        var events: [Event] = []
        for piece in pieces {
            reader.append(piece)
            while let event = reader.next() { events.append(event) }
        }
        return events
    }

    private func lines(_ texts: String...) -> [Event] {
        texts.map { .line(bytes($0)) }
    }

    @Test func endAtLineFeedWithOrWithoutOneCarriageReturn() {
        #expect(events([bytes("NOOP\r\nPWD\nQUIT\r\n")]) == lines("NOOP", "PWD", "QUIT"))
    }

    @Test func keepEveryOtherCarriageReturnAndNUL() {
        let input = bytes("A\rB\r\r\n\r\n\n\rC\0\n")
        #expect(events([input]) == lines("A\rB\r", "", "", "\rC\0"))
    }

    @Test func areNotDeliveredBeforeTheirEnd() {
        var reader = CommandLineReader()
        reader.append(bytes("NOO"))
        #expect(reader.next() == nil)
        reader.append(bytes("P\r"))
        #expect(reader.next() == nil)
        reader.append(bytes("\n"))
        #expect(reader.next() == .line(bytes("NOOP")))
        #expect(reader.next() == nil)
    }

    @Test(
        arguments: [
            ([0xFF, 0xF4, 0xFF, 0xF2], "ABOR"),  // IP, Synch: what RFC 959 asks for before ABOR
            ([0xFF, 0xFB, 0x01], "ABOR"),
            ([0xFF, 0xFC, 0x0A], "ABOR"),
            ([0xFF, 0xFD, 0xFF], "ABOR"),
            ([0xFF, 0xFE, 0x0D], "ABOR"),
            ([0xFF, 0xFA, 0x18, 0x41, 0x0D, 0x0A, 0xFF, 0xF0], "ABOR"),
            ([0xFF, 0xFA, 0xFF, 0xFF, 0xF0, 0x41, 0xFF, 0xF0], "ABOR"),
            ([0xFF, 0xFA, 0xFF, 0xFA, 0xFF, 0xF0], "ABOR"),
            ([0xFF, 0x0A], "ABOR"),
            ([0xFF, 0xF0], "ABOR"),
        ] as [([UInt8], String)]
    )
    func loseTelnetCommands(sequence: [UInt8], line: String) {
        // In front, in the middle, and at the end.
        let end = bytes("\r\n")
        #expect(events([sequence + bytes(line) + end]) == lines("ABOR"))
        #expect(events([bytes("AB") + sequence + bytes("OR") + end]) == lines("ABOR"))
        #expect(events([bytes("ABOR\r") + sequence + bytes("\n")]) == lines("ABOR"))
    }

    @Test func unescapeADoubledInterpretAsCommand() {
        let input = bytes("RETR a") + [0xFF, 0xFF] + bytes("b\r\n")
        #expect(events([input]) == [.line(bytes("RETR a") + [0xFF] + bytes("b"))])
    }

    @Test func ofTheGreatestLengthAreDelivered() {
        let longest = [UInt8](repeating: 0x41, count: CommandLineReader.maximumByteCount)
        #expect(events([longest + bytes("\r\n")]) == [.line(longest)])
        #expect(events([longest + bytes("\n")]) == [.line(longest)])
        #expect(events([longest + bytes("\r"), bytes("\n")]) == [.line(longest)])
    }

    @Test func longerThanThatAreReportedOnceAndTheirTailIsNoCommand() {
        let longest = [UInt8](repeating: 0x41, count: CommandLineReader.maximumByteCount)
        let tail = bytes("DELE everything\r\nNOOP\r\n")
        let expected: [Event] = [.tooLong, .line(bytes("NOOP"))]
        #expect(events([longest + tail]) == expected)
        #expect(events([longest, tail]) == expected)
        #expect(events([longest + longest + longest + tail]) == expected)
        // A CR inside does not save a line that goes on behind it.
        #expect(events([longest + bytes("\rX\r\nNOOP\r\n")]) == expected)
        #expect(events([longest + bytes("\r\r\nNOOP\r\n")]) == expected)
    }

    @Test func thatAreTooLongAreReportedBeforeTheyEnd() {
        var reader = CommandLineReader()
        reader.append(repeatElement(0x41, count: CommandLineReader.maximumByteCount))
        #expect(reader.next() == nil)
        reader.append([0x41])
        #expect(reader.next() == .tooLong)
        #expect(reader.bufferedByteCount == 0)
        reader.append(repeatElement(0x41, count: 100_000))
        #expect(reader.next() == nil)
        #expect(reader.bufferedByteCount == 0)
    }

    @Test func comeInOrderWithTheReportsBetween() {
        let long = [UInt8](repeating: 0x41, count: 5_000)
        let input = bytes("ONE\r\n") + long + bytes("\r\nTWO\r\n") + long + bytes("\r\n\r\n")
        let expected: [Event] = [
            .line(bytes("ONE")), .tooLong, .line(bytes("TWO")), .tooLong, .line([]),
        ]
        #expect(events([input]) == expected)
    }

    @Test func holdNothingForASubnegotiationWithoutEnd() {
        var reader = CommandLineReader()
        reader.append([0xFF, 0xFA])
        for _ in 0..<100 { reader.append(repeatElement(0x0A, count: 10_000)) }
        #expect(reader.bufferedByteCount == 0)
        #expect(reader.next() == nil)
        #expect(!reader.isEmpty)
    }

    @Test func leaveTheReaderEmptyOnlyWhenNothingCameBehindThem() {
        let behind: [[UInt8]] = [
            bytes("N"), bytes("\r"), bytes("\n"), bytes("\r\n"), [0], [0xFF], [0xFF, 0xFA],
            [0xFF, 0xFA, 0x01], [0xFF, 0xFB], [0xFF, 0xF1], [0xFF, 0xFF], bytes("USER x\r\n"),
            [UInt8](repeating: 0x41, count: 5_000),
            [UInt8](repeating: 0x41, count: 5_000) + bytes("\r\n"),
        ]
        for tail in behind {
            var reader = CommandLineReader()
            reader.append(bytes("AUTH TLS\r\n") + tail)
            #expect(reader.next() == .line(bytes("AUTH TLS")))
            #expect(!reader.isEmpty, "\(tail.prefix(16))")
        }
        var reader = CommandLineReader()
        #expect(reader.isEmpty)
        reader.append([0xFF, 0xF1] + bytes("AUTH TLS\r\n"))
        #expect(!reader.isEmpty)
        #expect(reader.next() == .line(bytes("AUTH TLS")))
        #expect(reader.isEmpty)
    }

    @Test func behindAReportLeaveTheReaderEmptyToo() {
        var reader = CommandLineReader()
        reader.append([UInt8](repeating: 0x41, count: 5_000))
        #expect(reader.next() == .tooLong)
        #expect(!reader.isEmpty)
        reader.append(bytes("\r\n"))
        #expect(reader.isEmpty)
    }

    @Test func areForgottenByRemoveAll() {
        var reader = CommandLineReader()
        reader.append(bytes("ONE\r\nTW") + [0xFF])
        reader.removeAll()
        #expect(reader.isEmpty)
        #expect(reader.bufferedByteCount == 0)
        #expect(reader.next() == nil)
        reader.append([0xFB] + bytes("\n"))
        #expect(reader.next() == .line([0xFB]))
    }

    @Test func areCountedUntilFetched() {
        var reader = CommandLineReader()
        reader.append(bytes("ONE\r\nTWO\r\nTHR"))
        #expect(reader.bufferedByteCount == 9)
        _ = reader.next()
        #expect(reader.bufferedByteCount == 6)
        _ = reader.next()
        #expect(reader.bufferedByteCount == 3)
    }

    @Test func doNotDependOnHowTheBytesWereCut() {
        var generator = FixedGenerator(seed: 3)
        let alphabet: [UInt8] = [
            0x0A, 0x0A, 0x0D, 0x0D, 0xFF, 0xFF, 0xFF, 0xFA, 0xF0, 0xFB, 0xFE, 0xF4, 0x00, 0x20,
            0x41, 0x42, 0x43,
        ]
        for _ in 0..<300 {
            let input = (0..<60).map { _ in alphabet[Int.random(in: 0..<17, using: &generator)] }
            let whole = events([input])
            #expect(events(input.map { [$0] }) == whole)
            for position in 0...input.count {
                let halves = [Array(input[..<position]), Array(input[position...])]
                #expect(events(halves) == whole)
            }
        }
    }

    @Test func aroundTheLimitDoNotDependOnHowTheBytesWereCut() {
        var generator = FixedGenerator(seed: 4)
        let limit = CommandLineReader.maximumByteCount
        let ends = ["\n", "\r\n", "\r\r\n", "\rX\n"]
        for _ in 0..<60 {
            var input: [UInt8] = []
            for _ in 0..<3 {
                let byteCount = limit + Int.random(in: -3...3, using: &generator)
                input += repeatElement(0x41, count: byteCount)
                input += bytes(ends[Int.random(in: 0..<4, using: &generator)])
            }
            let whole = events([input])
            let pieces = cut(input, longest: 3_000, using: &generator)
            #expect(events(pieces) == whole)
        }
    }

    @Test func thatWaitInGreatNumberAreAllDelivered() {
        var reader = CommandLineReader()
        let count = 50_000
        for number in 0..<count { reader.append(bytes("CWD \(number)\r\n")) }
        // Fetch and receive in turn, which is when room is given up.
        for number in 0..<count {
            #expect(reader.next() == .line(bytes("CWD \(number)")))
            if number.isMultiple(of: 1_000) { reader.append(bytes("LATE\r\n")) }
        }
        for _ in 0..<50 { #expect(reader.next() == .line(bytes("LATE"))) }
        #expect(reader.next() == nil)
        #expect(reader.isEmpty)
    }
}

extension CommandLineReader {
    fileprivate mutating func append(_ bytes: some Sequence<UInt8>) { append(Array(bytes)[...]) }
}
