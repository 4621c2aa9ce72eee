internal import CZlib
internal import FileSystem

// MODE Z (draft-preston-ftpext-deflate): the bytes of a transfer as one zlib stream (RFC 1950).

/// zlib's state and a buffer, at addresses that never change.
@safe private final class ZlibStream {
    static let byteCount = 65_536

    let state: UnsafeMutablePointer<z_stream>
    let memory: UnsafeMutableRawBufferPointer

    init() {
        // zlib keeps a pointer to its state, so the state must not move.
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: z_stream())
        unsafe memory = .allocate(byteCount: Self.byteCount, alignment: 64)
    }

    deinit {
        unsafe memory.deallocate()
        unsafe state.deallocate()
    }
}

/// Another source, compressed.
@safe final class DeflateSource: TransferSource {
    /// After so many bytes that came to nothing yet what there is goes out, so that a client sees
    /// its download move.
    private static let patience = 1 << 20

    private let base: any TransferSource
    private let stream = ZlibStream()
    private var silentByteCount = 0
    private var hasInputEnded = false
    private var hasEnded = false

    /// Compresses what `base` has, at a level from 0 to 9.
    ///
    /// - Throws: ``FileError/inputOutput`` when there is no memory.
    init(_ base: any TransferSource, level: Int) throws(FileError) {
        self.base = base
        guard unsafe CZlib_deflateInit(stream.state, CInt(clamping: level)) == Z_OK else {
            throw .inputOutput
        }
    }

    deinit {
        // After a failed init it finds no state and does nothing.
        _ = unsafe deflateEnd(stream.state)
    }

    func next(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        unsafe stream.state.pointee.next_out =
            buffer.assumingMemoryBound(to: UInt8.self).baseAddress
        unsafe stream.state.pointee.avail_out = CUnsignedInt(clamping: buffer.count)
        while !hasEnded {
            if unsafe stream.state.pointee.avail_in == 0, !hasInputEnded {
                let count = try unsafe base.next(into: stream.memory)
                hasInputEnded = count == 0
                silentByteCount += count
                unsafe stream.state.pointee.next_in =
                    stream.memory.assumingMemoryBound(to: UInt8.self).baseAddress
                unsafe stream.state.pointee.avail_in = CUnsignedInt(clamping: count)
            }
            let isPatient = silentByteCount < Self.patience
            let flush = hasInputEnded ? Z_FINISH : isPatient ? Z_NO_FLUSH : Z_SYNC_FLUSH
            let result = unsafe deflate(stream.state, flush)
            guard result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR else {
                throw .inputOutput
            }
            hasEnded = result == Z_STREAM_END
            let count = unsafe buffer.count - Int(stream.state.pointee.avail_out)
            if count == buffer.count || count > 0 && (hasEnded || !isPatient) {
                silentByteCount = 0
                return count
            }
        }
        return 0
    }
}

/// Puts what a zlib stream holds into another sink.
///
/// Memory is bounded whatever the stream inflates to; how much is written is the other sink's to
/// limit, as with any upload.
@safe final class InflateSink: TransferSink {
    private let base: any TransferSink
    private let stream = ZlibStream()
    private var hasEnded = false

    /// Inflates into `base`.
    ///
    /// - Throws: ``FileError/inputOutput`` when there is no memory.
    init(_ base: any TransferSink) throws(FileError) {
        self.base = base
        guard unsafe CZlib_inflateInit(stream.state) == Z_OK else { throw .inputOutput }
    }

    deinit {
        _ = unsafe inflateEnd(stream.state)
    }

    func put(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        // zlib does not write to its input; C of its age had no const.
        unsafe stream.state.pointee.next_in = UnsafeMutablePointer(
            mutating: bytes.assumingMemoryBound(to: UInt8.self).baseAddress
        )
        unsafe stream.state.pointee.avail_in = CUnsignedInt(clamping: bytes.count)
        var isFull = false
        while unsafe stream.state.pointee.avail_in > 0 || isFull {
            // What stands behind the end of the stream belongs to no file.
            guard !hasEnded else { throw .damaged }
            unsafe stream.state.pointee.next_out =
                stream.memory.assumingMemoryBound(to: UInt8.self).baseAddress
            unsafe stream.state.pointee.avail_out = CUnsignedInt(ZlibStream.byteCount)
            let result = unsafe inflate(stream.state, Z_NO_FLUSH)
            switch result {
            case Z_OK, Z_BUF_ERROR: break
            case Z_STREAM_END: hasEnded = true
            case Z_MEM_ERROR: throw .inputOutput
            default: throw .damaged
            }
            let room = unsafe Int(stream.state.pointee.avail_out)
            let count = ZlibStream.byteCount - room
            isFull = room == 0 && !hasEnded
            guard count > 0 else {
                if result == Z_BUF_ERROR { break }
                continue
            }
            try unsafe base.put(UnsafeRawBufferPointer(rebasing: stream.memory[..<count]))
        }
    }

    func finish() throws(FileError) {
        guard hasEnded else { throw .damaged }
        try base.finish()
    }
}
