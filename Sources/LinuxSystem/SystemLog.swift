internal import CLinux
internal import Glibc
internal import SystemPackage

/// The system's log, syslog(3), written to as RFC 3164 has it.
///
/// Nobody ever waits for it long: where it takes nothing, lines are lost.
package final class SystemLog {
    /// How urgent a line is (RFC 3164 section 4.1.1).
    package enum Severity: Int, Sendable {
        /// Something to look at.
        case warning = 4
        /// What happens every day.
        case information = 6
    }

    /// How long the first line waits that finds no room; later ones do not.
    private static let patience: Duration = .milliseconds(100)

    /// LOG_FTP.
    private static let facility = 11

    private static let path = "/dev/log"

    private let name: String
    private var socket: OwnedDescriptor?
    private var isLosing = false

    /// Prepares to write as the program `name`; connects with the first line.
    package init(as name: String) {
        self.name = name
    }

    /// Writes a line, connecting anew where the log was started anew.
    ///
    /// - Parameters:
    ///   - line: Text without control characters.
    ///   - severity: How urgent it is.
    ///   - date: The time as `Nov  7 21:01:54`.
    /// - Throws: ``SystemError`` when the line is lost.
    package func write(
        _ line: [UInt8],
        _ severity: Severity,
        date: String
    ) throws(SystemError) {
        let header = "<\(Self.facility * 8 + severity.rawValue)>\(date) \(name)[\(getpid())]: "
        let message = Array(header.utf8) + line
        do throws(SystemError) {
            do throws(SystemError) {
                try send(message)
            } catch {
                guard error.errno != .resourceTemporarilyUnavailable else { throw error }
                // The program that reads has ended since, and another may be there.
                socket = nil
                try send(message)
            }
            isLosing = false
        } catch {
            isLosing = true
            throw error
        }
    }

    private func send(_ message: [UInt8]) throws(SystemError) {
        if socket == nil {
            let number = unsafe CLinux_connect_datagram(Self.path)
            socket = OwnedDescriptor(owning: try checked("connect", number))
        }
        guard let number = socket?.number else { throw SystemError("connect", .socketNotConnected) }
        let deadline = Deadline(after: isLosing ? .zero : Self.patience)
        while true {
            let count = unsafe message.withUnsafeBytes {
                unsafe Glibc.send(
                    number,
                    $0.baseAddress,
                    $0.count,
                    CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL)
                )
            }
            if count >= 0 { return }
            let failure = errno
            if failure == EINTR { continue }
            guard failure == EAGAIN, !deadline.hasPassed else { throw SystemError("send") }
            var entries = [PollEntry(number, reading: false, writing: true)]
            _ = try? poll(&entries, until: deadline)
        }
    }
}
