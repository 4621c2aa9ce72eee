import FTPProtocol

/// Whatever a reply quotes, it stays one reply, and whatever a log line quotes, one line.
enum RepliesTarget {
    static func run(_ input: [UInt8]) throws {
        let text = String(decoding: input, as: UTF8.self)
        let code = 100 + UInt16(input.first ?? 0) + UInt16(input.last ?? 0) % 205
        try check(Reply(code, text), code)
        try check(Reply(code, text: text), code)
        try check(Reply(code, lines: [text, "\(code) end", text]), code)
        try check(Reply(code, lines: [ReplyText(name: input), ReplyText(text)]), code)
        if let path = try? VirtualPath.root.resolving(input) {
            let reply = Reply(code, "\(quoting: path) is \(path: path) and \(name: input).")
            try check(reply, code)
        }
        for isQuoted in [true, false] {
            let line = LogText.escaped(input, maximumByteCount: 64, isQuoted: isQuoted)
            try claim(isHarmless(line), "the log shows control characters")
            try claim(line.utf8.count <= 67, "a log line is too long")
        }
        let value = LogText.value(input)
        let ends = value.utf8.first == UInt8(ascii: "\"") && value.utf8.last == UInt8(ascii: "\"")
        try claim(ends || !value.utf8.contains { " =[]\"\\".utf8.contains($0) }, "a value is open")
        let isVisible = value.unicodeScalars.allSatisfy { $0.properties.generalCategory != .format }
        try claim(isVisible, "the log shows what cannot be seen")
        let line = LogText.escaped(input, maximumByteCount: 4 * input.count + 1)
        try claim(line.utf8.count >= input.count, "the log leaves bytes out")
        try claim(unescaped(line) == input, "the log shows other bytes than there were")
    }

    private static func check(_ reply: Reply, _ code: UInt16) throws {
        var reader = ReplyReader()
        try reader.append(reply.encoded)
        try reader.finish()
        try claim(reader.codes == [Int(code)], "one reply became \(reader.codes)")
        let count = reply.encoded.count { $0 == 0x0A }
        try claim(count == reply.lines.count, "\(reply.lines.count) lines became \(count)")
    }

    private static func unescaped(_ line: String) -> [UInt8] {
        var output: [UInt8] = []
        var rest = Array(line.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let sign = rest.popFirst() else {
                output.append(byte)
                continue
            }
            guard sign == UInt8(ascii: "x") else {
                output.append(sign)
                continue
            }
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            output.append(UInt8(digits, radix: 16) ?? 0)
            rest = rest.dropFirst(2)
        }
        return output
    }
}
