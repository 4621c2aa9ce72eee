/// A moment, in whole seconds of UTC.
///
/// The calendar is the proleptic Gregorian one and counts no leap seconds, as POSIX does. Worked
/// out here, because a process without a file system cannot read time zone data, and need not.
package struct Timestamp: Hashable, Comparable, Sendable {
    /// Seconds since 1970-01-01 00:00:00 UTC; negative before.
    package let seconds: Int64

    /// Creates a moment from seconds since 1970.
    package init(seconds: Int64) {
        self.seconds = seconds
    }

    /// Whether one moment is before another.
    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.seconds < right.seconds
    }

    /// The year, which is 0 for 1 BC.
    package var year: Int { civil.year }
    /// The month, from 1.
    package var month: Int { civil.month }
    /// The day of the month, from 1.
    package var day: Int { civil.day }
    /// The hour, 0 to 23.
    package var hour: Int { civil.hour }
    /// The minute, 0 to 59.
    package var minute: Int { civil.minute }
    /// The second, 0 to 59.
    package var second: Int { civil.second }

    /// The moment as `YYYYMMDDHHMMSS` (RFC 3659 section 2.3).
    ///
    /// A file can carry any 64-bit time. Years that do not fit into four digits show as the nearest
    /// moment that does.
    package var timeVal: String {
        var output: [UInt8] = []
        output.append(addingCapacity: 14) { appendTimeVal(to: &$0) }
        return String(decoding: output, as: UTF8.self)
    }

    /// Appends ``timeVal``, which is 14 bytes long.
    func appendTimeVal(to output: inout OutputSpan<UInt8>) {
        let civil = clampedToFourDigitYear.civil
        output.appendFourDigits(civil.year)
        output.appendTwoDigits(civil.month)
        output.appendTwoDigits(civil.day)
        output.appendTwoDigits(civil.hour)
        output.appendTwoDigits(civil.minute)
        output.appendTwoDigits(civil.second)
    }

    /// Reads `YYYYMMDDHHMMSS`, with or without a fraction, which is dropped.
    ///
    /// Second 60, a leap second, counts as 59.
    ///
    /// - Returns: `nil` unless the bytes have that form and name a moment from 1970 to 9999.
    package init?(timeVal: [UInt8]) {
        let whole = timeVal.prefix(14)
        guard whole.count == 14, DecimalNumber.isDigits(whole) else { return nil }
        let fraction = timeVal[14...]
        if let point = fraction.first {
            guard point == UInt8(ascii: "."), DecimalNumber.isDigits(fraction.dropFirst()) else {
                return nil
            }
        }
        func number(_ range: Range<Int>) -> Int {
            whole[range].reduce(0) { $0 * 10 + Int($1 &- UInt8(ascii: "0")) }
        }
        self.init(
            CivilTime(
                year: number(0..<4),
                month: number(4..<6),
                day: number(6..<8),
                hour: number(8..<10),
                minute: number(10..<12),
                second: number(12..<14)
            )
        )
    }

    /// Reads the argument of MFMT, `YYYYMMDDHHMMSS path` (draft-somers-ftp-mfxx section 3.1).
    ///
    /// Some clients give MDTM the same argument to set a time. There it is ambiguous, because a
    /// file may have such a name; the caller decides.
    ///
    /// - Returns: `nil` when the time is not valid or the path is missing.
    package static func parseModifyCommand(
        _ argument: [UInt8]
    ) -> (time: Timestamp, path: [UInt8])? {
        guard let space = argument.firstIndex(of: .space) else { return nil }
        let path = Array(argument[(space + 1)...])
        guard !path.isEmpty, let time = Timestamp(timeVal: Array(argument[..<space])) else {
            return nil
        }
        return (time, path)
    }
}
