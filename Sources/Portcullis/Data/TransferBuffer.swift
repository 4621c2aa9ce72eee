internal import TLS

/// Memory that a transfer moves bytes through; made when a session needs it, and given back when the
/// session is at rest.
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
    func withBytes<Result, Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe body(memory)
    }
}
