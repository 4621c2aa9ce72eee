internal import CLinux
internal import Glibc

/// The service manager that started this process, and wants to hear of it (`sd_notify(3)`).
///
/// Nothing that happens to the messages keeps a client from being served: they are sent without
/// waiting, and lost where nobody takes them.
package final class ServiceManager {
    private let path: String
    private var socket: OwnedDescriptor?
    private let interval: Duration?

    /// When the next sign of life is due; never where none is wanted.
    package private(set) var nextSign = Deadline.never

    private init(path: String, interval: Duration?) {
        self.path = path
        self.interval = interval
        if interval != nil { nextSign = .passed }
    }

    /// Looks for a service manager.
    ///
    /// Reads `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`.
    ///
    /// - Returns: `nil` where nobody wants to hear anything.
    package static func find() -> ServiceManager? {
        guard let path = environment("NOTIFY_SOCKET"), let first = path.utf8.first,
            first == UInt8(ascii: "/") || first == UInt8(ascii: "@")
        else { return nil }
        var interval: Duration?
        if let text = environment("WATCHDOG_USEC"), let microseconds = Int64(text),
            microseconds > 0,
            environment("WATCHDOG_PID").map({ pid_t($0) == getpid() }) ?? true
        {
            // Twice as often as it is asked for, so that one sign may come late.
            interval = .microseconds(max(1_000, microseconds / 2))
        }
        return ServiceManager(path: path, interval: interval)
    }

    /// Says that clients are served from now on, and in one line how it goes.
    package func noteReady(_ status: String) {
        send(["READY=1", "STATUS=\(status)"])
    }

    /// Says that the configuration is being read anew; ``noteReady(_:)`` ends that.
    package func noteReload() {
        let microseconds = MonotonicClock.nanoseconds / 1_000
        send(["RELOADING=1", "MONOTONIC_USEC=\(microseconds)", "STATUS=reading files anew"])
    }

    /// Says that the server ends, and that this may take `limit`.
    package func noteEnd(_ status: String, within limit: Duration) {
        let microseconds = max(0, limit.components.seconds) * 1_000_000
        send(["STOPPING=1", "EXTEND_TIMEOUT_USEC=\(microseconds)", "STATUS=\(status)"])
    }

    /// Gives a sign of life when one is due, with a line about how it goes.
    package func giveSign(_ status: @autoclosure () -> String) {
        guard let interval, nextSign.hasPassed else { return }
        nextSign = Deadline(after: interval)
        send(["WATCHDOG=1", "STATUS=\(status())"])
    }

    private func send(_ lines: [String]) {
        let message = Array(lines.map { "\($0)\n" }.joined().utf8)
        if trySending(message) { return }
        // The service manager has started anew since, and its socket is another.
        socket = nil
        _ = trySending(message)
    }

    private func trySending(_ message: [UInt8]) -> Bool {
        if socket == nil {
            let number = unsafe CLinux_connect_datagram(path)
            guard number >= 0 else { return false }
            socket = OwnedDescriptor(owning: number)
        }
        guard let number = socket?.number else { return false }
        // SAFETY: the buffer lives for the call, and the kernel copies it.
        let count = unsafe message.withUnsafeBytes {
            unsafe Glibc.send(
                number,
                $0.baseAddress,
                $0.count,
                CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL)
            )
        }
        return count == message.count
    }

    private static func environment(_ name: String) -> String? {
        // SAFETY: nothing changes the environment meanwhile, in a process with one thread.
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }
}
