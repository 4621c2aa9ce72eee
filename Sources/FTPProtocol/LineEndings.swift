/// Turns lines as they are stored into lines as TYPE A sends them (RFC 959 section 3.1.1.1).
///
/// LF becomes CR LF. A CR LF already there stays as it is, so that a file from another system does
/// not gain a CR on each download.
package struct NetworkLineEncoder: Sendable {
    private var previous: UInt8 = 0

    /// Creates an encoder for one transfer.
    package init() {}

    /// Appends the form of `input` that goes on the wire.
    package mutating func encode(_ input: Span<UInt8>, into output: inout [UInt8]) {
        var before = previous
        output.append(addingCapacity: input.count * 2) { (target: inout OutputSpan<UInt8>) in
            for index in input.indices {
                let byte = input[index]
                if byte == .lineFeed, before != .carriageReturn { target.append(.carriageReturn) }
                target.append(byte)
                before = byte
            }
        }
        previous = before
    }
}

/// Turns lines as TYPE A sends them into lines as they are stored (RFC 959 section 3.1.1.1).
///
/// CR LF becomes LF. Any other CR stays, so that nothing but line ends is ever changed.
package struct NetworkLineDecoder: Sendable {
    private var holdsCarriageReturn = false

    /// Creates a decoder for one transfer.
    package init() {}

    /// Appends the form of `input` that is stored.
    ///
    /// A CR at the end is held until the byte behind it is known.
    package mutating func decode(_ input: Span<UInt8>, into output: inout [UInt8]) {
        var holds = holdsCarriageReturn
        // At most the bytes of `input`, and the CR held since the last call.
        output.append(addingCapacity: input.count + 1) { (target: inout OutputSpan<UInt8>) in
            for index in input.indices {
                let byte = input[index]
                if holds, byte != .lineFeed { target.append(.carriageReturn) }
                holds = byte == .carriageReturn
                if !holds { target.append(byte) }
            }
        }
        holdsCarriageReturn = holds
    }

    /// Appends a CR that was the last byte of the transfer.
    package mutating func finish(into output: inout [UInt8]) {
        if holdsCarriageReturn { output.append(.carriageReturn) }
        holdsCarriageReturn = false
    }
}
