internal import FTPProtocol

extension AuditPage {
    private static let style = """
        body{font:15px/1.5 system-ui,sans-serif;color:#1d2433;max-width:70em;margin:2em auto;\
        padding:0 1em}h1{font-size:1.6em}h2{font-size:1.15em;margin:2em 0 .5em}\
        table{border-collapse:collapse}th,td{text-align:left;padding:.2em 1em .2em 0;\
        border-bottom:1px solid #d8dce6;vertical-align:top;overflow-wrap:anywhere}\
        td.n{text-align:right;font-variant-numeric:tabular-nums}.bad{color:#a40000;font-weight:600}\
        svg{display:block;margin:.5em 0}text{font:12px system-ui,sans-serif;fill:#1d2433}\
        .a{fill:#2f6fb2}.b{fill:#d98a29}@media print{h2{break-after:avoid}}
        """

    /// The page for a browser: one file that loads nothing from elsewhere.
    var html: String {
        let first = lines.map { line in
            "<p\(line.contains("BROKEN") ? " class=\"bad\"" : "")>\(line.inHTML)</p>"
        }
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <title>\(title.inHTML)</title><style>\(Self.style)</style></head><body>
            <h1>\(title.inHTML)</h1>
            \(first.joined(separator: "\n"))
            \(tables.map(\.html).joined(separator: "\n"))
            </body></html>
            """
    }
}

extension AuditPage.Table {
    private static let barWidth = 420.0
    private static let rowHeight = 22

    fileprivate var html: String {
        let heading = "<h2>\(title.inHTML)</h2>"
        guard !rows.isEmpty else { return "\(heading)<p>\(absence.inHTML)</p>" }
        let head = columns.map { "<th>\($0.inHTML)</th>" }.joined()
        let shown = rows.prefix(Self.maximumRowCount)
        let body = shown.map { row in
            "<tr>" + row.map(cell).joined() + "</tr>"
        }.joined(separator: "\n")
        let rest = rows.count > shown.count ? "<p>and \(rows.count - shown.count) more</p>" : ""
        return "\(heading)\(chart)<table><tr>\(head)</tr>\n\(body)</table>\(rest)"
    }

    private func cell(_ text: String) -> String {
        let isNumber = !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
        let isBad = text.contains("BROKEN")
        return "<td\(isNumber ? " class=\"n\"" : isBad ? " class=\"bad\"" : "")>\(text.inHTML)</td>"
    }

    /// Bars side by side, drawn by the page itself.
    private var chart: String {
        let shown = zip(rows, bars).prefix(40).map { (name: $0.0.first ?? "", values: $0.1) }
        let largest = shown.flatMap(\.values).max() ?? 0
        guard shown.count > 1 || legend.count > 1, largest > 0 else { return "" }
        var parts: [String] = []
        for (row, bar) in shown.enumerated() {
            let top = row * Self.rowHeight
            let name = bar.name.count > 36 ? bar.name.prefix(35) + "…" : bar.name
            parts.append("<text x=\"0\" y=\"\(top + 15)\">\(name.inHTML)</text>")
            let height = (Self.rowHeight - 6) / max(1, bar.values.count)
            for (index, value) in bar.values.enumerated() {
                let width = Int((value / largest * Self.barWidth).rounded())
                parts.append(
                    "<rect class=\"\(index == 0 ? "a" : "b")\" x=\"250\" "
                        + "y=\"\(top + 3 + index * height)\" width=\"\(max(1, width))\" "
                        + "height=\"\(height)\"/>"
                )
            }
        }
        var height = shown.count * Self.rowHeight
        for (index, name) in legend.enumerated() {
            let place = 250 + index * 140
            parts.append(
                "<rect class=\"\(index == 0 ? "a" : "b")\" x=\"\(place)\" y=\"\(height + 6)\" "
                    + "width=\"10\" height=\"10\"/><text x=\"\(place + 16)\" y=\"\(height + 15)\">"
                    + "\(name.inHTML)</text>"
            )
        }
        if !legend.isEmpty { height += Self.rowHeight }
        return "<svg role=\"img\" aria-label=\"\(title.inHTML)\" width=\"680\" "
            + "height=\"\(height)\">\(parts.joined())</svg>"
    }
}

extension StringProtocol {
    /// The text where markup may stand: nothing in it is markup, and nothing reorders the line.
    fileprivate var inHTML: String {
        let line = LogText.escaped(Array(utf8), maximumByteCount: 2_000, isQuoted: false)
        var output = ""
        for character in line.unicodeScalars {
            switch character {
            case "&": output += "&amp;"
            case "<": output += "&lt;"
            case ">": output += "&gt;"
            case "\"": output += "&quot;"
            case "'": output += "&#39;"
            default: output.unicodeScalars.append(character)
            }
        }
        return output
    }
}
