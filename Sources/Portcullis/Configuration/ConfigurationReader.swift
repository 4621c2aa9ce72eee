/// Reads the file and the command line's settings into a configuration.
package struct ConfigurationReader {
    private var draft = ConfigurationDraft()
    private var entries: [ConfigurationReport.Entry] = []
    /// The entry in force of each option, by the option's first spelling.
    private var entryInForce: [String: Int] = [:]

    /// Reads, applies and checks everything, and collects all problems instead of the first.
    ///
    /// - Parameters:
    ///   - file: The configuration file; nil reads none.
    ///   - settings: `name=value` from the command line; they come after the file, and win.
    /// - Returns: The configuration in force, and one entry for everything there is to say.
    package static func read(file: String?, settings: [String]) -> ConfigurationReport {
        var reader = ConfigurationReader()
        let assignments = reader.assignments(inFile: file, settings)
        return reader.report(of: assignments)
    }

    /// Reads everything once more, for a server that runs and cannot change some of it.
    ///
    /// What is written for those options has to make sense all the same: it holds from the next start on.
    ///
    /// - Parameters:
    ///   - file: The configuration file; nil reads none.
    ///   - settings: `name=value` from the command line; they come after the file, and win.
    ///   - names: Options that stay as they are, by their first spellings.
    ///   - report: What is in force.
    /// - Returns: The configuration that can be in force now, and the options that wait for a start.
    package static func read(
        file: String?,
        settings: [String],
        keeping names: Set<String>,
        of report: ConfigurationReport
    ) -> (report: ConfigurationReport, waiting: [String]) {
        var reader = ConfigurationReader()
        let assignments = reader.assignments(inFile: file, settings)
        let wished = reader.report(of: assignments)
        guard wished.problems.isEmpty else { return (wished, []) }
        let old = report.entriesInForce
        let waiting = names.intersection(wished.optionsThatDiffer(from: report))
        let others = assignments.filter {
            ConfigurationOption.named($0.name).map { !waiting.contains($0.name) } ?? true
        }
        let kept = waiting.compactMap { old[$0].map(ConfigurationAssignment.init) }
        return (reader.report(of: others + kept), waiting.sorted())
    }

    /// Everything that is written, in its order.
    private mutating func assignments(
        inFile file: String?,
        _ settings: [String]
    ) -> [ConfigurationAssignment] {
        var assignments: [ConfigurationAssignment] = []
        if let file { assignments += self.assignments(inFile: file) }
        assignments += settings.map {
            ConfigurationAssignment(origin: "--set", line: Array($0.utf8))
        }
        return assignments
    }

    /// What becomes of assignments.
    private func report(of assignments: [ConfigurationAssignment]) -> ConfigurationReport {
        var reader = self
        reader.apply(assignments)
        reader.check()
        return ConfigurationReport(
            configuration: reader.draft.configuration,
            entries: reader.entries
        )
    }

    /// Reads the lines of a file, or notes why it cannot be read.
    private mutating func assignments(inFile file: String) -> [ConfigurationAssignment] {
        let limit = ConfigurationFile.maximumByteCount
        let content: HostFile
        do {
            content = try HostFile.read(file, limit: limit)
        } catch {
            refuse(
                file,
                why: "the file cannot be read (\(error.reason))",
                mend: "name a regular file that this account may read"
            )
            return []
        }
        guard content.bytes.count <= limit else {
            refuse(
                file,
                why: "the file is larger than \(limit) bytes",
                mend: "name a configuration file, or shorten this one"
            )
            return []
        }
        guard !content.bytes.contains(0) else {
            refuse(
                file,
                why: "the file holds a NUL byte",
                mend: "name a text file, and save it as UTF-8"
            )
            return []
        }
        if content.mode & 0o002 != 0 {
            entries.append(
                ConfigurationReport.Entry(
                    origin: file.shownInOneLine,
                    name: "",
                    value: nil,
                    disposition: .honoured,
                    remark: "everybody on this machine may write the file"
                )
            )
        }
        return ConfigurationFile.assignments(in: content.bytes, file: file)
    }

    private mutating func refuse(_ file: String, why: String, mend: String) {
        entries.append(
            ConfigurationReport.Entry(
                origin: file.shownInOneLine,
                name: "",
                value: nil,
                disposition: .refused(why: why, mend: mend),
                remark: nil
            )
        )
    }

    /// Applies the last assignment of each option, and explains every other one.
    private mutating func apply(_ assignments: [ConfigurationAssignment]) {
        let options = assignments.map {
            $0.problem == nil ? ConfigurationOption.named($0.name) : nil
        }
        var last: [String: Int] = [:]
        for (index, option) in options.enumerated() {
            if let option { last[option.name] = index }
        }
        for (index, assignment) in assignments.enumerated() {
            guard let option = options[index] else {
                entries.append(Self.unreadable(assignment))
                continue
            }
            var entry = ConfigurationReport.Entry(
                origin: assignment.origin,
                name: assignment.name,
                value: assignment.value,
                disposition: .honoured,
                remark: nil
            )
            if let final = last[option.name], final != index {
                let place = assignments[final].origin
                entry.disposition = .ignored(why: "\(option.name) is set again at \(place)")
            } else {
                draft.remark = nil
                entry.disposition = option.accept(&draft, assignment.value)
                if entry.disposition == .honoured, assignment.name != option.name {
                    entry.disposition = .mapped(to: option.name)
                }
                entry.remark = draft.remark
                entryInForce[option.name] = entries.count
            }
            entries.append(entry)
        }
    }

    /// Makes the entry of a line without a known option.
    private static func unreadable(
        _ assignment: ConfigurationAssignment
    ) -> ConfigurationReport.Entry {
        let unknown: Disposition =
            if let near = ConfigurationOption.nearest(to: assignment.name) {
                .refused(why: "there is no such option", mend: "did you mean `\(near)`?")
            } else {
                .refused(why: "there is no such option", mend: "delete the line")
            }
        return ConfigurationReport.Entry(
            origin: assignment.origin,
            name: assignment.name,
            value: nil,
            disposition: assignment.problem ?? unknown,
            remark: nil
        )
    }

    /// Runs every check, and writes what it found beside the option it is about.
    private mutating func check() {
        draft.settleForeignAddresses()
        draft.checkListening()
        draft.checkLogin()
        draft.checkAnonymous()
        draft.checkJail()
        draft.checkAccounts()
        draft.checkTLS()
        draft.checkPlainFTP()
        draft.checkDataConnections()
        draft.checkMessages()
        draft.checkLogs()
        draft.checkAudit()
        draft.checkAdmin()
        var further: [Int: [String]] = [:]
        for finding in draft.findings {
            guard let index = entryInForce[finding.name] else {
                guard let disposition = finding.disposition, disposition.isRefusal else { continue }
                entries.append(
                    ConfigurationReport.Entry(
                        origin: "configuration",
                        name: finding.name,
                        value: nil,
                        disposition: disposition,
                        remark: nil
                    )
                )
                continue
            }
            // What was refused by itself keeps its first reason: the rest may follow from it.
            guard !entries[index].disposition.isRefusal else { continue }
            if let disposition = finding.disposition { entries[index].disposition = disposition }
            guard let remark = finding.remark else { continue }
            if entries[index].remark == nil {
                entries[index].remark = remark
            } else {
                further[index, default: []].append(remark)
            }
        }
        // One line for each remark, since lines have an end.
        entries = entries.enumerated().flatMap { (index, entry) in
            [entry]
                + (further[index] ?? []).map {
                    var another = entry
                    another.remark = $0
                    return another
                }
        }
    }
}
