internal import CLinux
internal import Glibc

/// Bytes that must not outlive their use: a password.
///
/// Not copyable, hence not printable either; the memory is overwritten when the value goes.
@safe package struct Secret: ~Copyable {
    private let memory: UnsafeMutableRawBufferPointer

    /// Copies `bytes` and adds a terminating NUL behind them.
    package init(copying bytes: some Collection<UInt8>) {
        unsafe memory = .allocate(byteCount: bytes.count + 1, alignment: 1)
        let copied: Void? = bytes.withContiguousStorageIfAvailable {
            unsafe memory.copyMemory(from: UnsafeRawBufferPointer($0))
        }
        if copied == nil { unsafe memory.copyBytes(from: bytes) }
        unsafe memory[bytes.count] = 0
    }

    /// Copies another secret, which then is two places to overwrite.
    package init(_ other: borrowing Secret) {
        unsafe memory = .allocate(byteCount: other.count + 1, alignment: 1)
        unsafe memory.copyMemory(from: UnsafeRawBufferPointer(other.memory))
    }

    deinit {
        unsafe wipeMemory(memory)
        unsafe memory.deallocate()
    }

    /// Overwrites the bytes before their time, such as before a fork; the count stays.
    package borrowing func wipe() {
        unsafe wipeMemory(memory)
    }

    /// Number of bytes, without the terminating NUL.
    package var count: Int { unsafe memory.count - 1 }

    /// Lends the bytes, with a NUL behind the last one.
    package borrowing func withCString<Result>(
        _ body: (UnsafePointer<CChar>) -> Result
    ) -> Result {
        // SAFETY: the memory holds at least the terminating NUL, so there is a base address.
        unsafe body(memory.assumingMemoryBound(to: CChar.self).baseAddress.unsafelyUnwrapped)
    }

    /// Lends the bytes without the NUL.
    package borrowing func withBytes<Result>(
        _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        unsafe body(UnsafeRawBufferPointer(rebasing: memory[..<count]))
    }

    /// Whether another secret holds the same bytes; for two that the same person typed.
    package borrowing func isEqual(to other: borrowing Secret) -> Bool {
        guard count == other.count else { return false }
        return unsafe withCString { one in
            unsafe other.withCString { two in unsafe memcmp(one, two, count) == 0 }
        }
    }
}

/// Overwrites memory in a way that the optimiser may not remove (`explicit_bzero(3)`).
package func wipeMemory(_ memory: UnsafeMutableRawBufferPointer) {
    guard let start = memory.baseAddress else { return }
    unsafe explicit_bzero(start, memory.count)
}

/// Overwrites what functions that have returned have left on the stack, 64 KiB beneath the caller.
///
/// Copies of a secret get there without anybody making one, through the processor's registers.
package func wipeStack() {
    CLinux_wipe_stack()
}

/// Overwrites the bytes of an array that may have held a secret, for everybody who shares them.
///
/// Only for bytes that nobody reads any more.
package func wipeMemory(of bytes: [UInt8]) {
    unsafe bytes.withUnsafeBytes { memory in
        // SAFETY: the elements lie in memory that is allocated for them, never in constant memory,
        // as they came from a socket.
        unsafe wipeMemory(UnsafeMutableRawBufferPointer(mutating: memory))
    }
}
