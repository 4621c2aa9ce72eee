internal import TLS

/// Memory that a transfer moves bytes through, made at the first transfer of a session.
@safe final class TransferBuffer {
    /// As much as one piece of TLS records.
    static let byteCount = TLSConnection.pieceByteCount

    private let memory: UnsafeMutableRawBufferPointer

    init() {
        unsafe memory = .allocate(byteCount: Self.byteCount, alignment: 4_096)
    }

    deinit {
        unsafe memory.deallocate()
    }

    /// Lends the whole of it.
    func withBytes<Result>(_ body: (UnsafeMutableRawBufferPointer) -> Result) -> Result {
        unsafe body(memory)
    }
}
