internal import CLinux
internal import Glibc
internal import SystemPackage

/// Threads of a server that is part of another program.
///
/// No process of the daemon ever starts one.
package enum DetachedThread {
    /// What a thread may keep on its stack, in bytes; memory is taken as it is used.
    private static let stackByteCount = 1_048_576

    /// Runs `body` on a thread of its own, with every signal blocked.
    ///
    /// Wraps `pthread_create(3)`. A write to a connection that is gone raises no signal there.
    ///
    /// - Parameters:
    ///   - name: What ps(1) shows, at most 15 bytes.
    ///   - body: What the thread does; it ends by returning.
    /// - Throws: ``SystemError``; `EAGAIN` when there may be no more threads.
    package static func start(
        _ name: String,
        _ body: @escaping @Sendable () -> Void
    ) throws(SystemError) {
        // SAFETY: the thread takes the one reference over; without a thread it is taken back below.
        let context = unsafe Unmanaged.passRetained(ThreadStart(name, body))
        let result = unsafe CLinux_start_thread(stackByteCount, runThread, context.toOpaque())
        if result < 0 { unsafe context.release() }
        try checked("pthread_create", result)
    }
}

/// What a thread begins with.
private final class ThreadStart: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(_ name: String, _ body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}

/// What the C library calls on the new thread.
private func runThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context = unsafe context else { return nil }
    let start = unsafe Unmanaged<ThreadStart>.fromOpaque(context).takeRetainedValue()
    unsafe start.name.withCString { _ = unsafe CLinux_set_name($0) }
    start.body()
    return nil
}
