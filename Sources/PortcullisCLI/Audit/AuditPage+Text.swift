internal import FTPProtocol

extension AuditPage {
    /// The page for a terminal.
    var text: String {
        ([title, String(repeating: "=", count: title.count)] + lines + tables.map(\.text))
            .joined(separator: "\n")
    }
}

extension AuditPage.Table {
    fileprivate var text: String {
        var lines = ["", title, String(repeating: "-", count: title.count)]
        guard !rows.isEmpty else { return (lines + [absence]).joined(separator: "\n") }
        let shown = rows.prefix(Self.maximumRowCount).map { row in
            // Whatever a client has sent stays within its line.
            row.map {
                LogText.escaped(Array($0.utf8), maximumByteCount: 400, isQuoted: false)
            }
        }
        let all = (columns.count > 1 ? [columns] : []) + shown
        let widths = columns.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        for row in all {
            let cells = zip(row, widths).map { cell, width in
                cell + String(repeating: " ", count: max(0, width - cell.count))
            }
            var line = cells.joined(separator: "  ")
            while line.hasSuffix(" ") { line.removeLast() }
            lines.append(line)
        }
        if rows.count > shown.count { lines.append("and \(rows.count - shown.count) more") }
        return lines.joined(separator: "\n")
    }
}
