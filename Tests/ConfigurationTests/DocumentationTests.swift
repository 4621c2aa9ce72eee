import FTPProtocol
import LinuxSystem
import Testing

@testable import Portcullis

@Suite("The tables of the documentation, held against the code")
struct DocumentationTests {
    /// One row of a table: the name in its first column, and the test in its last.
    private struct Row {
        let name: String
        let cells: [String]

        /// `test_x.py::test_y`, taken apart.
        var test: (file: String, function: String)? {
            guard let last = cells.last else { return nil }
            let parts = last.split(separator: ":", omittingEmptySubsequences: true)
            guard parts.count == 2, parts[0].hasPrefix("test_"), parts[1].hasPrefix("test_") else {
                return nil
            }
            return (String(parts[0]), String(parts[1]))
        }
    }

    private static let root = String(#filePath.prefix(upTo: #filePath.range(ofLast: "/Tests/")))

    private static func text(_ path: String) throws -> String {
        let bytes = try readFile(at: "\(root)/\(path)", maximumByteCount: 4_194_304)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func rows(_ page: String) throws -> [Row] {
        try text("Sources/Portcullis/Portcullis.docc/\(page).md").split(separator: "\n")
            .filter { $0.hasPrefix("| `") }
            .map { line in
                let cells = line.split(separator: "|").map { cell in
                    String(cell.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
                }
                return Row(name: String(cells[0].split(separator: "`")[0]), cells: cells)
            }
    }

    /// Whether the test stands in its file, and whether that file names what it is said to cover.
    private static func problem(of row: Row, names: [String]) throws -> String? {
        guard let test = row.test else { return "\(row.name): no test is named" }
        let source = try text("Tests/Interop/\(test.file)")
        guard source.contains("def \(test.function)(") else {
            return "\(row.name): no \(test.function) in \(test.file)"
        }
        guard names.contains(where: { source.contains($0) }) else {
            return "\(row.name): \(test.file) never mentions it"
        }
        return nil
    }

    @Test func everyCommandHasARowWithATest() throws {
        let rows = try Self.rows("Commands")
        let site = SiteCommand.allCases.map { "SITE \($0.rawValue)" }
        let commands = Verb.allCases.map(\.rawValue) + site
        #expect(rows.map(\.name).sorted() == commands.sorted())
        for row in rows {
            let problem = try Self.problem(of: row, names: [row.name, row.name.lowercased()])
            #expect(problem == nil)
        }
    }

    @Test func everyOptionHasARow() throws {
        let rows = try Self.rows("Options")
        #expect(rows.map(\.name).sorted() == ConfigurationOption.all.flatMap(\.names).sorted())
    }

    /// The third column says what becomes of the option; where that is anything, a test shows it.
    @Test func everyOptionThatDoesAnythingHasATest() throws {
        for row in try Self.rows("Options") {
            let option = try #require(ConfigurationOption.named(row.name))
            let outcomes = Self.outcomes(option)
            #expect("\(row.name) \(row.cells[2])" == "\(row.name) \(outcomes)")
            guard outcomes.hasPrefix("honoured") else { continue }
            let problem = try Self.problem(of: row, names: option.names)
            #expect(problem == nil)
        }
    }

    @Test func whatMayDifferFromUserToUserIsMarked() throws {
        for row in try Self.rows("Options") {
            let option = try #require(ConfigurationOption.named(row.name))
            let isPerUser = ConfigurationOption.perUser.contains(option.name)
            #expect((row.cells[3] == "yes") == isPerUser, "\(row.name)")
        }
    }

    /// `test_x.py`, `test_x.py::test_y` and `XTests` wherever SECURITY.md names them.
    @Test func everyTestThatTheSecurityPageNamesExists() throws {
        let names = try Self.text("SECURITY.md").split(separator: "`")
            .filter {
                $0.hasPrefix("test_") || $0.hasSuffix("Tests") && $0.count > 5 && !$0.contains("/")
            }
        #expect(names.count > 100)
        let suites = [
            "Authentication", "Configuration", "FTPProtocol", "FileSystem", "Isolation",
            "LinuxSystem", "TLS",
        ]
        for name in Set(names) {
            if name.hasPrefix("test_") {
                let parts = name.split(separator: ":", omittingEmptySubsequences: true)
                let source = try? Self.text("Tests/Interop/\(parts[0])")
                let isThere = parts.count == 1 || source?.contains("def \(parts[1])(") == true
                #expect(source != nil && isThere, "\(name)")
            } else {
                let isThere = suites.contains {
                    (try? Self.text("Tests/\($0)Tests/\(name).swift")) != nil
                }
                #expect(isThere, "\(name)")
            }
        }
    }

    /// What the posture and the compliance table call options are options.
    @Test func everyOptionThatTheSecurityPageNamesExists() throws {
        let rows = try Self.text("SECURITY.md").split(separator: "\n").filter { $0.hasPrefix("| ") }
        for row in rows.map({ $0.split(separator: "|") }) where row.count == 5 {
            for word in row[2].split(separator: "`") where word.contains("_") {
                let name = word.split(separator: "=")[0]
                #expect(ConfigurationOption.named(String(name)) != nil, "\(name)")
            }
        }
    }

    /// What becomes of an option, tried out with values of every kind.
    private static func outcomes(_ option: ConfigurationOption) -> String {
        var honoured = false
        var ignored = false
        for value in [
            "YES", "NO", "7", "077", "4000", "/", "word", "127.0.0.1", "::1", "virtual",
            "intermediate", "RETR", "/:e", "a:/b", "second", "email",
            "10.0.0.1:192.0.2.1",
        ] {
            var draft = ConfigurationDraft()
            switch option.accept(&draft, value) {
            case .honoured, .mapped: honoured = true
            case .ignored: ignored = true
            case .refused: continue
            }
        }
        // A switch that must not stand one way is a refusal, though the other way is the rule.
        if isRefused("NO", option) != isRefused("YES", option), isRefused("word", option) {
            return "refused"
        }
        switch (honoured, ignored) {
        case (true, false): return "honoured"
        case (_, true): return "ignored"
        case (false, false): return "refused"
        }
    }

    private static func isRefused(_ value: String, _ option: ConfigurationOption) -> Bool {
        var draft = ConfigurationDraft()
        return option.accept(&draft, value).isRefusal
    }
}

extension String {
    fileprivate func range(ofLast text: String) -> String.Index {
        var index = endIndex
        while index > startIndex {
            index = self.index(before: index)
            if self[index...].hasPrefix(text) { return index }
        }
        return startIndex
    }
}
