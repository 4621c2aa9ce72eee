// Dates as logs have them, in English whatever the locale.

private let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
private let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
]

extension Timestamp {
    /// The moment as `Sat Nov  7 21:01:54 2026`, ctime(3).
    package var logDate: String {
        let day = clampedToFourDigitYear.seconds.flooredQuotient(by: 86_400)
        // 1970-01-01 was a Thursday.
        let weekday = weekdays[Int((day % 7 + 7) % 7)]
        return "\(weekday) \(syslogDate) \(clampedToFourDigitYear.year)"
    }

    /// The moment as `2026-11-07T21:01:54.000123Z` (RFC 3339).
    package func auditDate(microseconds: Int) -> String {
        let civil = clampedToFourDigitYear.civil
        var text: [UInt8] = []
        text.appendZeroPadded(civil.year, width: 4)
        for (mark, part) in [
            ("-", civil.month), ("-", civil.day), ("T", civil.hour), (":", civil.minute),
            (":", civil.second),
        ] {
            text.append(ascii: mark)
            text.appendZeroPadded(part, width: 2)
        }
        text.append(ascii: ".")
        text.appendZeroPadded(microseconds, width: 6)
        text.append(ascii: "Z")
        return String(decoding: text, as: UTF8.self)
    }

    /// The moment as `Nov  7 21:01:54` (RFC 3164 section 4.1.2).
    package var syslogDate: String {
        let civil = clampedToFourDigitYear.civil
        var text = Array("\(months[civil.month - 1]) ".utf8)
        text.appendDecimal(UInt64(civil.day), width: 2)
        text.append(.space)
        for (index, part) in [civil.hour, civil.minute, civil.second].enumerated() {
            if index > 0 { text.append(UInt8(ascii: ":")) }
            text.appendZeroPadded(part, width: 2)
        }
        return String(decoding: text, as: UTF8.self)
    }
}

extension Int64 {
    fileprivate func flooredQuotient(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
