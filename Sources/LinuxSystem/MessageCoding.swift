/// Why a message from another process was refused.
package enum MessageError: Error, Hashable, Sendable {
    /// The message ends before it should.
    case truncated
    /// There is more than the message should hold.
    case trailingBytes(count: Int)
    /// A field is longer than allowed.
    case tooLong(byteCount: Int)
    /// The message's kind does not exist.
    case unknownTag(UInt8)
    /// A field has a value that it cannot have.
    case invalidValue
    /// The message's kind is not allowed now.
    case outOfTurn
    /// A descriptor is missing, or one came that nobody asked for.
    case wrongDescriptor
}

/// Builds a message, field by field, integers in little-endian order.
package struct MessageWriter {
    /// What has been written.
    @usableFromInline
    package internal(set) var bytes: [UInt8]

    /// Begins a message of kind `tag`.
    package init(tag: UInt8) {
        bytes = [tag]
    }

    /// Appends an integer in its full width.
    ///
    /// Inlined, so that no other module has to find out at run time how wide the integer is.
    @inlinable
    @inline(__always)
    package mutating func put(_ value: some FixedWidthInteger) {
        unsafe withUnsafeBytes(of: value.littleEndian) { unsafe bytes.append(contentsOf: $0) }
    }

    /// Appends 1 or 0.
    package mutating func put(_ value: Bool) {
        bytes.append(value ? 1 : 0)
    }

    /// Appends bytes behind their 32-bit count.
    package mutating func put(_ value: [UInt8]) {
        put(UInt32(value.count))
        bytes.append(contentsOf: value)
    }

    /// Appends bytes whose count the reader knows.
    package mutating func append(_ value: ArraySlice<UInt8>) {
        bytes.append(contentsOf: value)
    }

    /// Appends a secret behind its 32-bit count, and leaves no copy of it behind.
    package mutating func put(_ secret: borrowing Secret) {
        // Memory that has to grow later would be moved, and the old place keeps what it held.
        bytes.reserveCapacity(bytes.count + secret.count + 64)
        put(UInt32(secret.count))
        unsafe secret.withBytes { unsafe bytes.append(contentsOf: $0) }
    }

    /// Appends the UTF-8 form behind its 32-bit count.
    package mutating func put(_ value: String) {
        put(UInt32(value.utf8.count))
        bytes.append(contentsOf: value.utf8)
    }
}

extension String {
    /// As much of the beginning as has at most `maximum` bytes of UTF-8, in whole scalars.
    package func cut(toByteCount maximum: Int) -> String {
        guard utf8.count > maximum else { return self }
        var end = utf8.index(utf8.startIndex, offsetBy: max(0, maximum))
        while utf8[end] & 0xC0 == 0x80 { end = utf8.index(before: end) }
        return String(unicodeScalars[..<end])
    }
}

/// Takes a message apart and treats every byte of it as hostile.
package struct MessageReader {
    @usableFromInline let bytes: [UInt8]
    @usableFromInline var position: Int

    /// The kind of the message.
    package let tag: UInt8

    /// Begins to read `bytes`.
    package init(_ bytes: [UInt8]) throws(MessageError) {
        guard let tag = bytes.first else { throw .truncated }
        self.bytes = bytes
        self.tag = tag
        position = 1
    }

    /// Bytes that have not been read.
    @inlinable package var remaining: Int { bytes.count - position }

    /// Takes an integer.
    ///
    /// Inlined as ``MessageWriter/put(_:)`` is.
    @inlinable
    @inline(__always)
    package mutating func take<Value: FixedWidthInteger>(
        _ type: Value.Type = Value.self
    ) throws(MessageError) -> Value {
        let width = Value.bitWidth / 8
        guard remaining >= width else { throw .truncated }
        let start = position
        position += width
        // Byte by byte: what is generic looks types up, and writes down in shared memory that it does.
        var word: UInt64 = 0
        for offset in 0..<width { word |= UInt64(bytes[start + offset]) << UInt64(8 * offset) }
        return Value(truncatingIfNeeded: word)
    }

    /// Takes a truth value, which must be 0 or 1.
    package mutating func takeBool() throws(MessageError) -> Bool {
        switch try take(UInt8.self) {
        case 0: return false
        case 1: return true
        default: throw .invalidValue
        }
    }

    /// Takes counted bytes, at most `maximum`.
    package mutating func takeBytes(maximum: Int) throws(MessageError) -> [UInt8] {
        let count = Int(try take(UInt32.self))
        guard count <= maximum else { throw .tooLong(byteCount: count) }
        return try takeBytes(count: count)
    }

    /// Takes so many bytes.
    package mutating func takeBytes(count: Int) throws(MessageError) -> [UInt8] {
        guard remaining >= count else { throw .truncated }
        defer { position += count }
        return [UInt8](bytes[position..<(position + count)])
    }

    /// Takes counted UTF-8, at most `maximum` bytes.
    package mutating func takeString(maximum: Int) throws(MessageError) -> String {
        guard let text = String(validating: try takeBytes(maximum: maximum), as: UTF8.self) else {
            throw .invalidValue
        }
        return text
    }

    /// Takes counted bytes into memory that wipes itself.
    package mutating func takeSecret(maximum: Int) throws(MessageError) -> Secret {
        let count = Int(try take(UInt32.self))
        guard count <= maximum else { throw .tooLong(byteCount: count) }
        guard remaining >= count else { throw .truncated }
        defer { position += count }
        return Secret(copying: bytes[position..<(position + count)])
    }

    /// Checks that nothing is left over.
    package func finish() throws(MessageError) {
        guard remaining == 0 else { throw .trailingBytes(count: remaining) }
    }
}
