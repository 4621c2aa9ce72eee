import LinuxSystem
import Testing

@Suite("How much a line of the log matters to the journal")
struct JournalPriorityTests {
    @Test(arguments: [
        ("trace", 7), ("debug", 7), ("info", 6), ("notice", 5), ("warning", 4), ("error", 3),
        ("critical", 2),
    ])
    func aLevelHasItsPriority(level: String, number: Int) {
        let line = "2026-11-22T03:00:00+0000 \(level) portcullis: [Isolation] a text\n"
        #expect(JournalPriority(ofLine: line).mark == "<\(number)>")
    }

    @Test(arguments: ["", "\n", "error", "  ", "a errors b", "one <0> two", "a\u{0}b c"])
    func whatNamesNoLevelIsInformation(line: String) {
        #expect(JournalPriority(ofLine: line) == .info)
    }
}
