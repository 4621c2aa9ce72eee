/// A date and a time of day in UTC.
struct CivilTime: Hashable, Sendable {
    var year: Int
    var month: Int
    var day: Int
    var hour: Int
    var minute: Int
    var second: Int
}

private let secondsPerDay: Int64 = 86_400

/// The Gregorian calendar repeats after 400 years.
private let daysPerEra: Int64 = 146_097

/// From 0000-03-01, where the years of the calculation start, to 1970-01-01.
private let daysBefore1970: Int64 = 719_468

extension Timestamp {
    /// Finds the moment of a date from 1970 to 9999.
    ///
    /// - Returns: `nil` when there is no such day or time of day.
    init?(_ civil: CivilTime) {
        guard
            (1970...9999).contains(civil.year), (1...12).contains(civil.month),
            (1...Timestamp.dayCount(year: civil.year, month: civil.month)).contains(civil.day),
            (0...23).contains(civil.hour), (0...59).contains(civil.minute),
            (0...60).contains(civil.second)
        else {
            return nil
        }
        // Years begin in March, so that the leap day is the last day of a year.
        let year = Int64(civil.month <= 2 ? civil.year - 1 : civil.year)
        let era = year / 400
        let yearOfEra = year % 400
        let monthFromMarch = Int64((civil.month + 9) % 12)
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + Int64(civil.day) - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * daysPerEra + dayOfEra - daysBefore1970
        let second = min(civil.second, 59)
        let secondOfDay = Int64((civil.hour * 60 + civil.minute) * 60 + second)
        self.init(seconds: days * secondsPerDay + secondOfDay)
    }

    /// The date and time of day.
    var civil: CivilTime {
        var days = seconds / secondsPerDay
        var secondOfDay = seconds % secondsPerDay
        if secondOfDay < 0 {
            secondOfDay += secondsPerDay
            days -= 1
        }
        days += daysBefore1970
        let era = (days >= 0 ? days : days - (daysPerEra - 1)) / daysPerEra
        let dayOfEra = days - era * daysPerEra
        let yearOfEra =
            (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return CivilTime(
            year: Int(yearOfEra + era * 400 + (month <= 2 ? 1 : 0)),
            month: Int(month),
            day: Int(dayOfYear - (153 * monthFromMarch + 2) / 5 + 1),
            hour: Int(secondOfDay / 3_600),
            minute: Int(secondOfDay / 60 % 60),
            second: Int(secondOfDay % 60)
        )
    }

    /// The nearest moment from year 0 to year 9999.
    var clampedToFourDigitYear: Timestamp {
        Timestamp(seconds: min(max(seconds, -62_167_219_200), 253_402_300_799))
    }

    private static func dayCount(year: Int, month: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
