internal import CLinux
internal import Glibc
internal import SystemPackage

/// One end of a channel between two processes: whole messages, in order, with descriptors.
///
/// A `SOCK_SEQPACKET` Unix socket (`unix(7)`).
package struct MessageSocket: ~Copyable {
    /// The largest message either side may send, in bytes.
    package static let maximumByteCount = 65_536

    /// Bytes that all but the longest messages have room in.
    private static let usualByteCount = 1_024

    /// The socket, for `poll(2)`.
    package let descriptor: OwnedDescriptor

    /// Takes over a socket made by ``makePair()``.
    package init(owning descriptor: consuming OwnedDescriptor) {
        self.descriptor = descriptor
    }

    /// Makes two connected ends, both with close-on-exec set.
    package static func makePair() throws(SystemError) -> MessageSocketPair {
        var numbers: [CInt] = [-1, -1]
        let type = CInt(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue)
        guard unsafe socketpair(AF_UNIX, type, 0, &numbers) == 0 else {
            throw SystemError("socketpair")
        }
        return MessageSocketPair(
            first: MessageSocket(owning: OwnedDescriptor(owning: numbers[0])),
            second: MessageSocket(owning: OwnedDescriptor(owning: numbers[1]))
        )
    }

    /// Ends this direction for every process that holds the socket (`shutdown(2)`).
    package borrowing func endSending() { descriptor.endWriting() }

    /// Gives up the message socket and keeps its descriptor, to be sent to another process.
    package consuming func takeDescriptor() -> OwnedDescriptor { descriptor }

    /// Sends one message, waiting for room.
    ///
    /// - Throws: ``SystemError``; `EPIPE` or `ECONNRESET` when the other end is gone.
    package borrowing func send(_ bytes: [UInt8]) throws(SystemError) {
        try send(bytes, descriptorNumber: -1)
    }

    /// Sends one message together with a copy of `descriptor`.
    package borrowing func send(
        _ bytes: [UInt8],
        with descriptor: borrowing OwnedDescriptor
    ) throws(SystemError) {
        try send(bytes, descriptorNumber: descriptor.number)
    }

    /// Sends one message, with a copy of `descriptor` if there is one, unless that would have to wait.
    ///
    /// For a process that must not wait for one that may be hostile.
    ///
    /// - Throws: ``SystemError``; `EAGAIN` when the other end has not received what was sent before.
    package borrowing func sendNow(_ bytes: [UInt8]) throws(SystemError) {
        try send(bytes, descriptorNumber: -1, waits: false)
    }

    /// Sends one message together with a copy of `descriptor`, unless that would have to wait.
    package borrowing func sendNow(
        _ bytes: [UInt8],
        with descriptor: borrowing OwnedDescriptor
    ) throws(SystemError) {
        try send(bytes, descriptorNumber: descriptor.number, waits: false)
    }

    /// About how many bytes the other end has not received yet (SIOCOUTQ of `unix(7)`).
    package var unreceivedByteCount: Int {
        max(0, Int(CLinux_unreceived_bytes(descriptor.number)))
    }

    private borrowing func send(
        _ bytes: [UInt8],
        descriptorNumber: CInt,
        waits: Bool = true
    ) throws(SystemError) {
        precondition(bytes.count <= Self.maximumByteCount && !bytes.isEmpty)
        let socket = descriptor.number
        while true {
            let result = unsafe bytes.withUnsafeBytes {
                unsafe CLinux_send_message(
                    socket,
                    $0.baseAddress,
                    $0.count,
                    descriptorNumber,
                    waits ? 1 : 0
                )
            }
            if result >= 0 { return }
            guard result == -Int(EINTR) else {
                throw SystemError("sendmsg", .init(rawValue: CInt(-result)))
            }
        }
    }

    /// Receives one message, waiting for it.
    ///
    /// - Returns: The message, or `nil` when the other end is gone.
    /// - Throws: ``SystemError``; `EMSGSIZE` when the message is longer than
    ///   ``maximumByteCount`` or brings more than one descriptor.
    package borrowing func receive() throws(SystemError) -> ReceivedMessage? {
        var number: CInt = -1
        let (bytes, result) = receiveBytes(&number)
        guard result >= 0 else {
            let errno = CInt(-result)
            if errno == ECONNRESET { return nil }
            throw SystemError("recvmsg", .init(rawValue: errno))
        }
        let passed = number >= 0 ? OwnedDescriptor(owning: number) : nil
        // A SEQPACKET socket gives 0 both at the end and for an empty message; nobody sends those.
        guard result > 0 else { return nil }
        return ReceivedMessage(bytes: bytes, descriptor: passed)
    }

    /// Receives what fits into a message; the second is what recvmsg(2) said.
    private borrowing func receiveBytes(_ number: inout CInt) -> ([UInt8], Int) {
        guard let rest = unsafe CLinux_take_message_rest() else {
            return receiveMeasured(&number)
        }
        let socket = descriptor.number
        return unsafe withUnsafeTemporaryAllocation(
            byteCount: Self.usualByteCount,
            alignment: 16
        ) { usual in
            var result = 0
            // Nobody gives up a question because of a signal: the answer would be taken for that
            // to the next one.
            repeat {
                result = unsafe CLinux_receive_message(
                    socket,
                    usual.baseAddress,
                    usual.count,
                    rest,
                    &number
                )
            } while result == -Int(EINTR)
            let count = max(0, result)
            // Not even of no bytes: an array that is filled is written to, and all empty ones are one.
            guard count > 0 else {
                CLinux_return_message_rest(
                    result == -Int(EMSGSIZE) ? Self.maximumByteCount : 0
                )
                unsafe wipeMemory(usual)
                return ([], result)
            }
            let head = unsafe UnsafeMutableRawBufferPointer(
                rebasing: usual[..<min(count, usual.count)]
            )
            let tail = unsafe UnsafeRawBufferPointer(start: rest, count: count - head.count)
            // Room for this message and no more: memory that is handed out is filled in some
            // processes (DaemonProcess.wipeFreedMemory), and each page of it is one more of their own.
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
                let buffer = UnsafeMutableRawBufferPointer(buffer)
                unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(head))
                unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[head.count...])
                    .copyMemory(from: tail)
                filled = count
            }
            unsafe wipeMemory(head)
            CLinux_return_message_rest(tail.count)
            return (bytes, result)
        }
    }

    /// Receives while another thread has the memory for long messages: asks first how long it is.
    private borrowing func receiveMeasured(_ number: inout CInt) -> ([UInt8], Int) {
        let socket = descriptor.number
        var room: Int
        repeat { room = CLinux_message_size(socket) } while room == -Int(EINTR)
        // Whoever closes a socket without having read it leaves an error, which comes once and in front of
        // what was sent before.
        guard room != -Int(ECONNRESET) else { return ([], room) }
        var result = 0
        let bytes = unsafe [UInt8](
            unsafeUninitializedCapacity: min(max(room, 1), Self.maximumByteCount)
        ) { buffer, count in
            repeat {
                result = unsafe CLinux_receive_message(
                    socket,
                    buffer.baseAddress,
                    buffer.count,
                    nil,
                    &number
                )
            } while result == -Int(EINTR)
            count = max(0, result)
        }
        return (bytes, result)
    }
}

/// The two ends of a new channel.
package struct MessageSocketPair: ~Copyable {
    private var first: MessageSocket
    private var second: MessageSocket

    init(first: consuming MessageSocket, second: consuming MessageSocket) {
        self.first = first
        self.second = second
    }

    /// Keeps the first end and closes the second.
    package consuming func takeFirst() -> MessageSocket { first }

    /// Keeps the second end and closes the first.
    package consuming func takeSecond() -> MessageSocket { second }

    /// Gives both ends away.
    package consuming func split<Result>(
        _ body: (consuming MessageSocket, consuming MessageSocket) -> Result
    ) -> Result {
        body(first, second)
    }

    /// Lends the second end's descriptor, to be sent to another process.
    package borrowing func withSecond<Result>(
        _ body: (borrowing OwnedDescriptor) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        try body(second.descriptor)
    }
}

/// One message from another process.
package struct ReceivedMessage: ~Copyable {
    /// The whole message, at least one byte.
    package private(set) var bytes: [UInt8]

    /// The descriptor that came with it.
    private var descriptor: OwnedDescriptor?

    init(bytes: [UInt8], descriptor: consuming OwnedDescriptor?) {
        self.bytes = bytes
        self.descriptor = descriptor
    }

    /// Hands over the descriptor that came with the message, the first time.
    package mutating func takeDescriptor() -> OwnedDescriptor? { descriptor.take() }

    /// Overwrites the message, which held a secret.
    package mutating func wipe() {
        unsafe bytes.withUnsafeMutableBytes { unsafe wipeMemory($0) }
    }
}
