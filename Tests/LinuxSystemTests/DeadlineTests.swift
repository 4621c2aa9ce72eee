import LinuxSystem
import Testing

@Suite("Deadlines on the monotonic clock")
struct DeadlineTests {
    @Test func laterPointsComeLater() {
        let near = Deadline(after: .seconds(1))
        let far = Deadline(after: .seconds(100))
        #expect(near < far)
        #expect(far < .never)
        #expect(min(near, .never) == near)
    }

    @Test func neverNeverPasses() {
        #expect(!Deadline.never.hasPassed)
        #expect(Deadline.never.pollTimeout == -1)
    }

    @Test(
        arguments: [
            .zero, .nanoseconds(-1), .seconds(-1), .seconds(Int64.min), .milliseconds(-1_500),
        ] as [Duration]
    )
    func nothingOrLessHasPassed(duration: Duration) {
        let deadline = Deadline(after: duration)
        #expect(deadline.hasPassed)
        #expect(deadline.pollTimeout == 0)
    }

    @Test(arguments: [.seconds(10_000_000_000), .seconds(Int64.max)] as [Duration])
    func hugeDurationsAreNever(duration: Duration) {
        #expect(Deadline(after: duration) == .never)
    }

    @Test func theLongestFiniteDurationDoesNotOverflow() {
        let deadline = Deadline(after: .seconds(9_999_999_999))
        #expect(!deadline.hasPassed)
        #expect(deadline < .never)
        #expect(deadline.pollTimeout == .max)
    }

    @Test func theTimeLeftIsRoundedUp() {
        // Rounded down, a wait would end early and spin until the deadline.
        let timeout = Deadline(after: .milliseconds(5_000)).pollTimeout
        #expect((4_000...5_000).contains(timeout))
        #expect(Deadline(after: .microseconds(900_100)).pollTimeout <= 901)
        let deadline = Deadline(after: .microseconds(200))
        #expect(deadline.pollTimeout == 1 || deadline.hasPassed)
    }

    @Test func aWaitEndsAtTheDeadline() throws {
        let deadline = Deadline(after: .milliseconds(30))
        var entries = [PollEntry.none]
        let count = try poll(&entries, until: deadline)
        #expect(count == 0)
        #expect(deadline.hasPassed)
    }

    @Test func aWaitEndsWhenSomethingCanBeRead() throws {
        let pair = try MessageSocket.makePair()
        try pair.withSecond { second throws(SystemError) in
            try MessageSocket(owning: second.duplicate()).send([1])
        }
        let socket = pair.takeFirst()
        var entries = [PollEntry.none, PollEntry(socket.descriptor.number, reading: true)]
        let count = try poll(&entries, until: .never)
        #expect(count == 1)
        #expect(entries[1].isReadable && !entries[0].isReadable)
    }

    @Test func sleepingTakesItsTime() {
        let deadline = Deadline(after: .milliseconds(10))
        sleep(for: .milliseconds(20))
        #expect(deadline.hasPassed)
    }

    @Test func aPipeTellsWhenItsInputIsGone() throws {
        var pipe = try Pipe()
        var entries = [PollEntry(pipe.output.number, reading: true)]
        let before = try poll(&entries, until: Deadline(after: .zero))
        #expect(before == 0)
        pipe.closeInput()
        let after = try poll(&entries, until: Deadline(after: .seconds(5)))
        #expect(after == 1)
        #expect(entries[0].hasHungUp)
    }
}
