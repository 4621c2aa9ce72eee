internal import CLinux
internal import Glibc
internal import SystemPackage

// Messages that bring several descriptors at once.

extension MessageSocket {
    /// The longest message that comes with several descriptors, in bytes.
    package static let maximumByteCountWithDescriptors = 512

    /// Sends one message together with copies of several descriptors, unless that would have to wait.
    ///
    /// - Parameters:
    ///   - bytes: The message, at most ``maximumByteCountWithDescriptors`` bytes.
    ///   - numbers: The descriptors, which stay the caller's; one at least, and at most eight.
    /// - Throws: ``SystemError``; `EAGAIN` when the other end has not received what was sent before.
    package borrowing func sendNow(
        _ bytes: [UInt8],
        withAll numbers: [CInt]
    ) throws(SystemError) {
        precondition(bytes.count <= Self.maximumByteCountWithDescriptors && !bytes.isEmpty)
        let socket = descriptor.number
        while true {
            let result = unsafe bytes.withUnsafeBytes {
                unsafe CLinux_send_descriptors(
                    socket,
                    $0.baseAddress,
                    $0.count,
                    numbers,
                    numbers.count
                )
            }
            if result >= 0 { return }
            guard result == -Int(EINTR) else {
                throw SystemError("sendmsg", .init(rawValue: CInt(-result)))
            }
        }
    }

    /// Receives one message of ``sendNow(_:withAll:)``, waiting for it.
    ///
    /// - Returns: The message and what came with it, or `nil` when the other end is gone.
    /// - Throws: ``SystemError``; `EMSGSIZE` when the message is longer than
    ///   ``maximumByteCountWithDescriptors`` or brings more than eight descriptors.
    package borrowing func receiveDescriptors() throws(SystemError) -> (
        bytes: [UInt8], passed: PassedDescriptors
    )? {
        let socket = descriptor.number
        var numbers = [CInt](repeating: -1, count: Int(CLinux_MAXIMUM_DESCRIPTORS))
        var count = 0
        var bytes = [UInt8](repeating: 0, count: Self.maximumByteCountWithDescriptors)
        while true {
            let result = unsafe bytes.withUnsafeMutableBytes {
                unsafe CLinux_receive_descriptors(
                    socket,
                    $0.baseAddress,
                    $0.count,
                    &numbers,
                    &count
                )
            }
            if result == -Int(EINTR) { continue }
            if result == 0 || result == -Int(ECONNRESET) { return nil }
            guard result > 0 else {
                throw SystemError("recvmsg", .init(rawValue: CInt(-result)))
            }
            let passed = PassedDescriptors(owning: [CInt](numbers.prefix(count)))
            return ([UInt8](bytes.prefix(result)), passed)
        }
    }
}

/// Descriptors that came with one message, in their order; whatever nobody takes is closed.
package final class PassedDescriptors {
    private var numbers: [CInt]

    /// Takes ownership of `numbers`.
    package init(owning numbers: [CInt]) {
        self.numbers = numbers
    }

    deinit {
        for number in numbers { _ = Glibc.close(number) }
    }

    /// How many nobody has taken yet.
    package var count: Int { numbers.count }

    /// Hands over the next one.
    package func takeNext() -> OwnedDescriptor? {
        guard !numbers.isEmpty else { return nil }
        return OwnedDescriptor(owning: numbers.removeFirst())
    }
}
