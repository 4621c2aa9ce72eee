import Authentication
import FTPProtocol

@testable import Portcullis

/// A configuration of any bytes is read to the end, each line of it is answered for, and nothing of
/// it reaches a terminal.
enum ConfigurationTarget {
    static func run(_ input: [UInt8]) throws {
        let assignments = ConfigurationFile.assignments(in: input, file: "fuzz")
        let lines = input.split(separator: 0x0A, omittingEmptySubsequences: false)
        try claim(assignments.count <= lines.count, "more assignments than lines")
        for assignment in assignments where assignment.problem == nil {
            try claim(!assignment.name.isEmpty, "an option without a name")
            let line = Array("\(assignment.name)=\(assignment.value)".utf8)
            let again = ConfigurationAssignment(origin: "", line: line)
            let isSame = again.name == assignment.name && again.value == assignment.value
            try claim(isSame && again.problem == nil, "printed it is another assignment")
        }
        // What names a file of this machine would have it read for each input.
        let settings = assignments.filter { $0.problem == nil && !$0.value.contains("/") }
            .map { "\($0.name)=\($0.value)" }
        let report = ConfigurationReader.read(file: nil, settings: settings)
        try claim(report.entries.count >= settings.count, "a setting that nobody answers for")
        for entry in report.entries {
            try claim(
                isHarmless(entry.text),
                "a terminal would obey \(entry.text.debugDescription)"
            )
            try claim(entry.text.utf8.count <= 8_192, "a line without an end")
        }
        let again = ConfigurationReader.read(file: nil, settings: settings)
        try claim(again.entries == report.entries, "read again it says something else")
        let posture = SecurityPosture.lines(for: report.configuration)
        try claim(posture.allSatisfy(isHarmless), "the posture shows control characters")
        try checkOfUser(settings)
    }

    /// What one user's options hold is what the Session of that user makes of the accepted ones.
    private static func checkOfUser(_ settings: [String]) throws {
        var options = UserOptions(over: Configuration())
        guard (try? options.apply(settings, from: "fuzz")) != nil else { return }
        var again = UserOptions(over: Configuration())
        guard (try? again.apply(options.accepted, from: "fuzz")) != nil else {
            throw Flaw(description: "accepted options are refused by the Session")
        }
        try claim(again.accepted == options.accepted, "a Session has other options")
        try claim(again.remarks.isEmpty, "an accepted option has no effect")
        var last = UserOptions(over: Configuration())
        guard (try? last.apply(options.lastOfEach, from: "fuzz")) != nil else {
            throw Flaw(description: "the last of each option is refused")
        }
    }
}
