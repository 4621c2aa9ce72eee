internal import ArgumentParser
internal import Portcullis

/// `portcullis options`.
struct Options: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the options of the configuration file.",
        discussion: """
            Says of each option what a value looks like, what holds where nothing is written, and what \
            becomes of the option. Status 1 if one of the names is not an option.
            """
    )

    @Argument(help: "The options to tell of; all of them, if none is named.")
    var names: [String] = []

    @Flag(help: "Print one JSON object a line.")
    var json = false

    @Flag(help: "Print the page of the documentation about vsftpd's own options.")
    var vsftpd = false

    func validate() throws {
        guard !vsftpd || names.isEmpty && !json else {
            throw ValidationError("--vsftpd stands alone.")
        }
    }

    func run() throws {
        if vsftpd {
            for line in VsftpdTable.page { show(line) }
            return
        }
        var isComplete = true
        for name in names where ConfigurationOption.named(name) == nil {
            let near = ConfigurationOption.nearest(to: name).map { "; did you mean \($0)?" } ?? ""
            complain("there is no option \(name)\(near)")
            isComplete = false
        }
        let chosen =
            names.isEmpty
            ? ConfigurationOption.all : names.compactMap { ConfigurationOption.named($0) }
        for option in chosen { show(json ? object(option).text : line(option)) }
        guard isComplete else { throw ExitCode.failure }
    }

    private func line(_ option: ConfigurationOption) -> String {
        let value = option.standing.map { "\(option.kind.words), \($0)" } ?? option.kind.words
        let names = option.names.joined(separator: ", ")
        return "\(names) (\(value)): \(option.fate(as: option.name))"
    }

    private func object(_ option: ConfigurationOption) -> JSONValue {
        .object([
            ("name", .string(option.name)),
            ("names", .array(option.names.map(JSONValue.string))),
            ("value", .string(option.kind.words)),
            ("default", option.standing.map(JSONValue.string) ?? .null),
            ("fate", .string(option.fate(as: option.name))),
        ])
    }
}

extension OptionKind {
    /// What a value looks like, for people.
    fileprivate var words: String {
        switch self {
        case .toggle: "YES or NO"
        case .number(let range): "number\(limits(of: range))"
        case .seconds(let range): "seconds\(limits(of: range))"
        case .permissions: "permission bits"
        case .word: "word"
        case .text: "text"
        }
    }

    private func limits(of range: ClosedRange<Int>) -> String {
        range.upperBound == .max
            ? " from \(range.lowerBound)" : " from \(range.lowerBound) to \(range.upperBound)"
    }
}
