/// File modes as SITE CHMOD writes them.
package enum OctalMode {
    /// Reads three or four octal digits.
    ///
    /// Fewer are refused: `SITE CHMOD 6 name` is a slip, and would take everybody's rights away.
    package static func parse(_ bytes: some Collection<UInt8>) -> UInt16? {
        guard (3...4).contains(bytes.count) else { return nil }
        var value: UInt16 = 0
        for byte in bytes {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "7") else { return nil }
            value = value << 3 | UInt16(byte &- UInt8(ascii: "0"))
        }
        return value
    }

    /// Writes a mode with zeros in front, up to `digits` digits.
    package static func text(_ mode: UInt16, digits: Int) -> String {
        let text = String(mode, radix: 8)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
