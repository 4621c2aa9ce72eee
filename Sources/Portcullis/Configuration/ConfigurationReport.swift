/// What was read, and what became of every option that was written.
package struct ConfigurationReport: Sendable {
    /// The configuration in force; only to be served when ``problems`` is empty.
    package let configuration: Configuration

    /// One entry per written assignment, in order, then findings about what was not written.
    package let entries: [Entry]

    /// Everything that has to be mended before the daemon starts.
    package var problems: [Entry] { entries.filter(\.disposition.isRefusal) }

    /// Everything that does not hold as its writer may expect, though the daemon starts.
    package var warnings: [Entry] { entries.filter(\.isWarning) }

    /// Finds where the assignment in force was written.
    ///
    /// - Parameter name: Any spelling of an option.
    /// - Returns: `FILE:LINE`, `--set`, or nil when the default is in force.
    package func origin(of name: String) -> String? {
        let names = ConfigurationOption.named(name)?.names ?? [name]
        let entry = entries.last { $0.value != nil && names.contains($0.name) }
        return entry?.origin
    }

    /// The assignments in force, by their options' first spellings.
    package var entriesInForce: [String: Entry] {
        var found: [String: Entry] = [:]
        for entry in entries where entry.value != nil {
            if let option = ConfigurationOption.named(entry.name) { found[option.name] = entry }
        }
        return found
    }

    /// The options, by their first spellings, that have another value in force in `other`.
    package func optionsThatDiffer(from other: ConfigurationReport) -> Set<String> {
        let (own, others) = (entriesInForce, other.entriesInForce)
        return Set(own.keys).union(others.keys).filter { own[$0]?.value != others[$0]?.value }
    }

    /// One written assignment, or one finding about something that was not written.
    package struct Entry: Hashable, Sendable {
        /// Where it was written: `FILE:LINE`, `--set`, or `configuration` for what was not.
        package let origin: String

        /// The option as it was spelt; empty when the line holds none.
        package let name: String

        /// The value as it was written; nil for a finding and for a name that is not known.
        ///
        /// Nobody can say whether the value of an unknown name is a secret.
        package let value: String?

        /// What became of it.
        package internal(set) var disposition: Disposition

        /// What the writer should know about an option that is honoured.
        package internal(set) var remark: String?

        /// The entry in one line, safe to print whatever the file holds.
        package var text: String {
            let subject = value.map { "\(name)=\($0)" } ?? name
            let place = subject.isEmpty ? origin : "\(origin): \(subject.shownInOneLine)"
            switch disposition {
            case .honoured:
                guard let remark else { return "\(place): honoured" }
                return "\(place): honoured, but \(remark.shownInOneLine)"
            case .mapped(let name):
                let text = "\(place): mapped to \(name)"
                return remark.map { "\(text), but \($0.shownInOneLine)" } ?? text
            case .ignored(let why):
                return "\(place): ignored: \(why.shownInOneLine)"
            case .refused(let why, let mend):
                return "\(place): refused: \(why.shownInOneLine); \(mend.shownInOneLine)"
            }
        }

        /// Whether this deserves a warning at start.
        var isWarning: Bool {
            switch disposition {
            case .honoured, .mapped: remark != nil
            case .ignored: true
            case .refused: false
            }
        }
    }
}

extension String {
    /// The text without control characters, and no longer than a line should be.
    ///
    /// A configuration may be written by whoever is being tried out with `check-config`, and the
    /// reader's terminal must not obey it.
    var shownInOneLine: String {
        let limit = 300
        var shown = ""
        for scalar in unicodeScalars.prefix(limit) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate:
                shown.unicodeScalars.append("?")
            default:
                shown.unicodeScalars.append(scalar)
            }
        }
        return unicodeScalars.count > limit ? shown + "…" : shown
    }
}
