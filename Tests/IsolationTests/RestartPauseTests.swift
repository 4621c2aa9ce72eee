import Testing

@testable import Isolation

@Suite("How soon a process is started again")
struct RestartPauseTests {
    @Test func pausesGrowToAMinute() {
        var pause = RestartPause()
        var pauses: [Duration] = []
        for _ in 0..<8 {
            pause.noteStart()
            pauses.append(pause.next())
        }
        #expect(pauses == [1, 2, 4, 8, 16, 32, 60, 60].map { .seconds($0) })
    }

    @Test func oneThatCannotEvenBeStartedHasFailedToo() {
        var pause = RestartPause(lasting: .zero)
        let pauses = [pause.next(), pause.next()]
        #expect(pauses == [.seconds(1), .seconds(2)])
    }

    @Test func oneThatHasLastedIsSoonBack() {
        var pause = RestartPause(lasting: .zero)
        _ = pause.next()
        _ = pause.next()
        pause.noteStart()
        let last = pause.next()
        #expect(last == .seconds(1))
    }
}
