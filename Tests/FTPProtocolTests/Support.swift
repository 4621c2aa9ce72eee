import TestSupport

/// The text of bytes that a test expects to be UTF-8.
func text(_ bytes: [UInt8]) -> String {
    String(decoding: bytes, as: UTF8.self)
}

/// Cuts bytes into pieces of up to `longest` bytes, empty ones among them.
func cut(
    _ bytes: [UInt8],
    longest: Int,
    using generator: inout FixedGenerator
) -> [[UInt8]] {
    var pieces: [[UInt8]] = []
    var rest = bytes[...]
    while !rest.isEmpty {
        let piece = rest.prefix(Int.random(in: 0...longest, using: &generator))
        pieces.append(Array(piece))
        rest = rest.dropFirst(piece.count)
    }
    return pieces
}
