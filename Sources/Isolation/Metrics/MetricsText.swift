internal import LinuxSystem

/// Writes what is counted as Prometheus reads it (text format 0.0.4).
enum MetricsText {
    /// The text of all numbers on `page`.
    static func text(of page: SharedPage, version: String) -> String {
        var text = """
            # HELP portcullis_build_info The program that serves.
            # TYPE portcullis_build_info gauge
            portcullis_build_info{version="\(version)"} 1

            """
        for family in Metrics.all { append(family, page, to: &text) }
        return text
    }

    private static func append(_ family: MetricFamily, _ page: SharedPage, to text: inout String) {
        let kind =
            switch family.kind {
            case .counter: "counter"
            case .gauge: "gauge"
            case .histogram: "histogram"
            }
        text += "# HELP \(family.name) \(family.help)\n# TYPE \(family.name) \(kind)\n"
        for (index, labels) in family.series.enumerated() {
            let place = family.place(of: index)
            switch family.kind {
            case .histogram(let limits):
                appendHistogram(family.name, labels, limits, page, place, to: &text)
            case .gauge(omitsZero: true) where page.load(place) == 0: continue
            case .gauge, .counter:
                let braced = labels.isEmpty ? "" : "{\(labels)}"
                text += "\(family.name)\(braced) \(page.load(place))\n"
            }
        }
    }

    private static func appendHistogram(
        _ name: String,
        _ labels: String,
        _ limits: [Int64],
        _ page: SharedPage,
        _ place: Int,
        to text: inout String
    ) {
        let front = labels.isEmpty ? "" : "\(labels),"
        var sum: Int64 = 0
        for (index, limit) in limits.enumerated() {
            sum &+= page.load(place + index)
            text += "\(name)_bucket{\(front)le=\"\(seconds(milliseconds: limit))\"} \(sum)\n"
        }
        sum &+= page.load(place + limits.count)
        let braced = labels.isEmpty ? "" : "{\(labels)}"
        let total = page.load(place + limits.count + 1)
        text += "\(name)_bucket{\(front)le=\"+Inf\"} \(sum)\n"
        text += "\(name)_sum\(braced) \(seconds(nanoseconds: total))\n"
        text += "\(name)_count\(braced) \(sum)\n"
    }

    private static func seconds(milliseconds: Int64) -> String {
        let rest = milliseconds % 1_000
        guard rest != 0 else { return "\(milliseconds / 1_000)" }
        let digits = "\(rest)"
        var padded = String(repeating: "0", count: 3 - digits.count) + digits
        while padded.hasSuffix("0") { padded.removeLast() }
        return "\(milliseconds / 1_000).\(padded)"
    }

    private static func seconds(nanoseconds: Int64) -> String {
        let digits = "\(max(0, nanoseconds) % 1_000_000_000)"
        let padded = String(repeating: "0", count: 9 - digits.count) + digits
        return "\(max(0, nanoseconds) / 1_000_000_000).\(padded)"
    }
}
