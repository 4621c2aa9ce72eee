import Glibc
import LinuxSystem
import SystemPackage
import TestSupport
import Testing

/// A number that nothing else in the process gets, for a signal's handler to send through.
private let sendingEnd: CInt = 700

@Suite("Messages and descriptors between two processes")
struct MessageSocketTests {
    private func drop(_: consuming Ends) {}

    private func receive(_ socket: borrowing MessageSocket) throws -> [UInt8]? {
        guard let message = try socket.receive() else { return nil }
        return message.bytes
    }

    @Test func messagesArriveWholeAndInOrder() throws {
        let ends = try Ends.make()
        let messages: [[UInt8]] = [[1], [2, 0, 2], [UInt8](repeating: 3, count: 10_000), [0]]
        for message in messages { try ends.near.send(message) }
        for message in messages {
            let received = try receive(ends.far)
            #expect(received == message)
        }
    }

    @Test func theLargestMessagePasses() throws {
        let ends = try Ends.make()
        let message = [UInt8](repeating: 7, count: MessageSocket.maximumByteCount)
        try ends.near.send(message)
        let received = try receive(ends.far)
        #expect(received == message)
    }

    @Test func whatNobodyHasReceivedIsCounted() throws {
        let ends = try Ends.make()
        let before = ends.near.unreceivedByteCount
        #expect(before == 0)
        for _ in 0..<4 { try ends.near.send([UInt8](repeating: 1, count: 10_000)) }
        let waiting = ends.near.unreceivedByteCount
        #expect(waiting >= 40_000)
        for _ in 0..<4 { _ = try ends.far.receive() }
        let after = ends.near.unreceivedByteCount
        #expect(after == 0)
    }

    @Test func whoMustNotWaitIsToldThatThereIsNoRoom() throws {
        let ends = try Ends.make()
        let error = thrown(SystemError.self) {
            // More than any socket holds.
            for _ in 0..<4_000 { try ends.near.sendNow([UInt8](repeating: 1, count: 60_000)) }
        }
        #expect(error?.errno == .resourceTemporarilyUnavailable)
    }

    @Test func aSignalWhileAMessageIsAwaitedDoesNotLoseIt() async {
        await #expect(processExitsWith: .exitCode(Seen.allWell)) {
            let ends = try Ends.make()
            guard moved(ends.near.descriptor, to: sendingEnd) == sendingEnd else {
                DaemonProcess.exit(Seen.amiss)
            }
            // Installed without SA_RESTART, so that the system call ends with EINTR; only then
            // is there a message.
            var action = sigaction()
            unsafe action.__sigaction_handler.sa_handler = { _ in
                var message: UInt8 = 5
                _ = unsafe write(sendingEnd, &message, 1)
            }
            guard unsafe sigaction(SIGALRM, &action, nil) == 0 else {
                DaemonProcess.exit(Seen.amiss)
            }
            alarm(1)
            let received = try ends.far.receive()?.bytes
            DaemonProcess.exit(received == [5] ? Seen.allWell : Seen.amiss)
        }
    }

    @Test func aMessageWithoutDescriptorBringsNone() throws {
        let ends = try Ends.make()
        try ends.near.send([1])
        var message = try ends.far.receive()
        let hasDescriptor = message?.takeDescriptor() != nil
        #expect(message != nil && !hasDescriptor)
    }

    @Test func aDescriptorThatIsPassedLeadsToTheSameFile() throws {
        let ends = try Ends.make()
        let passed = try Ends.make()
        try ends.near.send([9], with: passed.near.descriptor)
        let received = try ends.far.receive()
        var message = try present(received)
        let descriptor = message.takeDescriptor()
        let again = message.takeDescriptor()
        let isSecond = again != nil
        #expect(!isSecond)
        let arrived = MessageSocket(owning: try present(descriptor))
        #expect(fcntl(arrived.descriptor.number, F_GETFD) & FD_CLOEXEC != 0)
        try arrived.send([4, 2])
        let heard = try receive(passed.far)
        #expect(heard == [4, 2])
    }

    @Test func severalDescriptorsArriveInTheirOrder() throws {
        let ends = try Ends.make()
        let first = try Ends.make()
        let second = try Ends.make()
        let numbers = [first.near.descriptor.number, second.near.descriptor.number]
        try ends.near.sendNow([7, 7], withAll: numbers)
        let far = try MessageSocket(owning: second.far.descriptor.duplicate())
        do {
            guard let (bytes, passed) = try ends.far.receiveDescriptors() else { throw Missing() }
            #expect(bytes == [7, 7] && passed.count == 2)
            let arrived = MessageSocket(owning: try present(passed.takeNext()))
            #expect(fcntl(arrived.descriptor.number, F_GETFD) & FD_CLOEXEC != 0)
            try arrived.send([1])
            let heard = try receive(first.far)
            #expect(heard == [1])
            drop(second)
        }
        // The one that nobody has taken is closed with the rest.
        let isLost = try loses(far)
        #expect(isLost)
    }

    @Test(arguments: [(8, 512), (9, 1), (12, 1), (1, 513)])
    func moreThanHasRoomIsRefusedAndNothingLeaks(count: Int, byteCount: Int) throws {
        let ends = try Ends.make()
        let passed = try Ends.make()
        let far = try MessageSocket(owning: passed.far.descriptor.duplicate())
        let sent = sendRaw(
            [UInt8](repeating: 1, count: byteCount),
            descriptors: [CInt](repeating: passed.near.descriptor.number, count: count),
            over: ends.near.descriptor.number
        )
        #expect(sent == byteCount)
        drop(passed)
        var received = 0
        let error = thrown(SystemError.self) {
            received = try ends.far.receiveDescriptors()?.passed.count ?? 0
        }
        let fits = count <= 8 && byteCount <= 512
        #expect(fits ? received == count : error?.errno == .messageTooLong)
        let isLost = try loses(far)
        #expect(isLost)
    }

    @Test func theEndOfTheOtherSideIsNoConnection() throws {
        let ends = try Ends.make()
        let far = try MessageSocket(owning: ends.far.descriptor.duplicate())
        drop(ends)
        let isOver = try far.receiveDescriptors() == nil
        #expect(isOver)
    }

    @Test func aDescriptorThatNobodyTakesIsClosed() throws {
        let ends = try Ends.make()
        let passed = try Ends.make()
        try ends.near.send([9], with: passed.near.descriptor)
        let received = try receive(ends.far)
        #expect(received == [9])
        let far = try MessageSocket(owning: passed.far.descriptor.duplicate())
        drop(passed)
        let isLost = try loses(far)
        #expect(isLost)
    }

    @Test(arguments: [2, 3, 8, 12])
    func moreThanOneDescriptorIsRefusedAndNothingLeaks(count: Int) throws {
        let ends = try Ends.make()
        let passed = try Ends.make()
        let number = passed.near.descriptor.number
        let far = try MessageSocket(owning: passed.far.descriptor.duplicate())
        let sent = sendRaw(
            [1],
            descriptors: [CInt](repeating: number, count: count),
            over: ends.near.descriptor.number
        )
        #expect(sent == 1)
        drop(passed)
        let error = thrown(SystemError.self) { _ = try ends.far.receive() }
        #expect(error?.errno == .messageTooLong)
        // Only copies that came with the message could keep this connection alive.
        let isLost = try loses(far)
        #expect(isLost)
        // The channel itself still works.
        try ends.near.send([5])
        let next = try receive(ends.far)
        #expect(next == [5])
    }

    @Test func aMessageThatIsTooLongIsRefusedWithItsDescriptor() throws {
        let ends = try Ends.make()
        let passed = try Ends.make()
        let far = try MessageSocket(owning: passed.far.descriptor.duplicate())
        let sent = sendRaw(
            [UInt8](repeating: 1, count: MessageSocket.maximumByteCount + 1),
            descriptors: [passed.near.descriptor.number],
            over: ends.near.descriptor.number
        )
        #expect(sent == MessageSocket.maximumByteCount + 1)
        drop(passed)
        let error = thrown(SystemError.self) { _ = try ends.far.receive() }
        #expect(error?.errno == .messageTooLong)
        let isLost = try loses(far)
        #expect(isLost)
    }

    @Test func whatWasSentBeforeTheEndIsStillDelivered() throws {
        let pair = try MessageSocket.makePair()
        let copy = try pair.withSecond { second throws(SystemError) in
            try Holder(second.duplicate())
        }
        let near = pair.takeFirst()
        let far = MessageSocket(owning: try present(copy.take()))
        try far.send([1, 2])
        try far.takeDescriptor().close()
        let last = try receive(near)
        #expect(last == [1, 2])
        let end = try receive(near)
        #expect(end == nil)
        let error = thrown(SystemError.self) { try near.send([1]) }
        #expect(error?.errno == .brokenPipe)
    }

    @Test func anEndThatHeldUnreadMessagesIsGoneToo() throws {
        let pair = try MessageSocket.makePair()
        try pair.withSecond { second throws(SystemError) in
            try MessageSocket(owning: try second.duplicate()).send([1])
        }
        // Closing an end with something unread makes the other one see ECONNRESET.
        let far = pair.takeSecond()
        let end = try receive(far)
        #expect(end == nil)
    }

    @Test func wipingLeavesNothingOfTheMessage() throws {
        let ends = try Ends.make()
        try ends.near.send(Array("secret".utf8))
        let received = try ends.far.receive()
        var message = try present(received)
        message.wipe()
        let bytes = message.bytes
        #expect(bytes == [UInt8](repeating: 0, count: 6))
    }
}

/// Sends a message as a hostile sender would, with any number of descriptors.
private func sendRaw(_ bytes: [UInt8], descriptors: [CInt], over socket: CInt) -> Int {
    var bytes = bytes
    // struct cmsghdr of a 64-bit system: length with this header, level, type.
    var control: [UInt8] = []
    func put(_ value: some FixedWidthInteger) {
        unsafe withUnsafeBytes(of: value) { unsafe control.append(contentsOf: $0) }
    }
    put(UInt64(16 + 4 * descriptors.count))
    put(SOL_SOCKET)
    put(CInt(1))  // SCM_RIGHTS
    for descriptor in descriptors { put(descriptor) }
    while control.count % 8 != 0 { control.append(0) }
    return unsafe bytes.withUnsafeMutableBytes { payload in
        unsafe control.withUnsafeMutableBytes { control in
            var part = unsafe iovec(iov_base: payload.baseAddress, iov_len: payload.count)
            return unsafe withUnsafeMutablePointer(to: &part) { part in
                var message = unsafe msghdr()
                unsafe message.msg_iov = part
                unsafe message.msg_iovlen = 1
                unsafe message.msg_control = control.baseAddress
                unsafe message.msg_controllen = control.count
                return unsafe sendmsg(socket, &message, CInt(MSG_NOSIGNAL))
            }
        }
    }
}
