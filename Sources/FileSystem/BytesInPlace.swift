// Integers and bytes at their places in the memory of a message.

extension OutputSpan<UInt8> {
    /// Appends an integer in its full width, in little-endian order.
    mutating func put<Value: FixedWidthInteger>(_ value: Value) {
        precondition(freeCapacity >= Value.bitWidth / 8)
        unsafe withUnsafeMutableBufferPointer { buffer, count in
            // SAFETY: there is room for the whole integer.
            unsafe UnsafeMutableRawBufferPointer(buffer).storeBytes(
                of: value.littleEndian,
                toByteOffset: count,
                as: Value.self
            )
            count += Value.bitWidth / 8
        }
    }

    /// Appends bytes one by one.
    mutating func put(_ bytes: Span<UInt8>) {
        for index in bytes.indices { append(bytes[index]) }
    }
}

extension [UInt8] {
    /// The integer in little-endian order whose first byte is at `position`.
    func integer<Value: FixedWidthInteger>(
        at position: Int,
        as type: Value.Type = Value.self
    ) -> Value {
        precondition(position >= 0 && count - position >= Value.bitWidth / 8)
        return unsafe withUnsafeBytes { memory in
            // SAFETY: the precondition says that the whole integer lies within.
            unsafe Value(littleEndian: memory.loadUnaligned(fromByteOffset: position, as: type))
        }
    }
}
