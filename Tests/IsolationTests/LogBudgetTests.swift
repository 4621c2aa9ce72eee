import LinuxSystem
import Testing

@testable import Isolation

@Suite("How much a Session may write into the log")
struct LogBudgetTests {
    @Test func linesBeyondTheBudgetAreDropped() {
        var budget = LogBudget()
        let verdicts = (0..<2_000).map { _ in budget.spend() }
        #expect(verdicts.prefix(500).allSatisfy { $0 == .write })
        #expect(verdicts.dropFirst(500).allSatisfy { $0 == .drop })
    }

    @Test(.timeLimit(.minutes(1)))
    func whoeverWaitsLosesNoLine() {
        var budget = LogBudget(lineCount: 100, period: .milliseconds(100))
        let time = ContinuousClock().measure {
            for _ in 0..<350 {
                budget.spendPatiently { end in
                    while !end.hasPassed { sleep(for: .milliseconds(1)) }
                }
            }
        }
        #expect(budget.dropped == 0)
        #expect(time >= .milliseconds(300))
    }

    @Test func aWaitThatIsGivenUpIsNotRepeated() {
        var budget = LogBudget(lineCount: 1, period: .seconds(3_600))
        var waits = 0
        for _ in 0..<3 { budget.spendPatiently { _ in waits += 1 } }
        #expect(waits == 2)
    }

    @Test func linesThatAreDroppedForAnotherReasonAreTold() {
        var budget = LogBudget(period: .zero)
        budget.noteDropped()
        #expect(budget.spend() == .writeAfterDropping(1))
    }

    @Test func eachSessionHasABudgetOfItsOwn() {
        var first = LogBudget()
        for _ in 0..<1_000 { _ = first.spend() }
        var second = LogBudget()
        #expect(second.spend() == .write)
    }

    @Test(.timeLimit(.minutes(1)))
    func theNextPeriodBeginsWithTheNumberOfDroppedLines() async throws {
        var budget = LogBudget(period: .seconds(2))
        var quiet = LogBudget(period: .seconds(2))
        for _ in 0..<507 { _ = budget.spend() }
        for _ in 0..<400 { _ = quiet.spend() }
        #expect(budget.spend() == .drop)
        try await Task.sleep(for: .milliseconds(2_100))
        #expect(budget.spend() == .writeAfterDropping(8))
        // The announced line counts, and so does every other one.
        let verdicts = (0..<500).map { _ in budget.spend() }
        #expect(verdicts.prefix(499).allSatisfy { $0 == .write })
        #expect(verdicts.last == .drop)
        #expect(quiet.spend() == .write)
    }
}
