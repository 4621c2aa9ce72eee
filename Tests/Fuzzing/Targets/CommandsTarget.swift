import FTPProtocol

/// Cut anyhow, the bytes of a control connection are the same lines; a command is what was sent.
enum CommandsTarget {
    static func run(_ input: [UInt8]) throws {
        let whole = try events(of: input, inPiecesOf: max(1, input.count))
        let single = try events(of: input, inPiecesOf: 1)
        let uneven = try events(of: input, inPiecesOf: 1 + Int(input.first ?? 0) % 7)
        try claim(whole == single && whole == uneven, "the cuts change the lines")
        for case .line(let line) in whole {
            try claim(!line.contains(0x0A), "a line holds LF")
            try claim(line.count <= CommandLineReader.maximumByteCount, "a line is too long")
            guard let command = try? Command(line: line) else { continue }
            try check(command)
            try ArgumentChecks.run(command)
        }
    }

    private static func events(
        of input: [UInt8],
        inPiecesOf count: Int
    ) throws -> [CommandLineReader.Event] {
        var reader = CommandLineReader()
        var events: [CommandLineReader.Event] = []
        for start in stride(from: 0, to: input.count, by: count) {
            reader.append(input[start..<min(input.count, start + count)])
            while let event = reader.next() { events.append(event) }
            try claim(
                reader.bufferedByteCount <= CommandLineReader.maximumByteCount + 1,
                "an unfinished line holds \(reader.bufferedByteCount) bytes"
            )
        }
        return events
    }

    private static func check(_ command: Command) throws {
        let isClean = !command.argument.contains { [0, 0x0A, 0x0D].contains($0) }
        try claim(isClean, "an argument holds NUL, CR or LF")
        try claim((1...16).contains(command.name.count), "a verb of \(command.name.count) bytes")
        let space = command.argument.isEmpty ? [] : [UInt8(ascii: " ")]
        let printed = try Command(line: command.name + space + command.argument)
        try claim(printed == command, "printed and read again it is another command")
        let text = command.logText
        try claim(isHarmless(text), "the log shows control characters")
        try claim(text.utf8.count <= 515, "a log line of \(text.utf8.count) bytes")
        guard command.name.starts(with: "PASS".utf8) else { return }
        try claim(text == "PASS ****", "the log shows what stands behind PASS")
    }
}
