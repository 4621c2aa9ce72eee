import FTPProtocol
import TestSupport
import Testing

@Suite("Times, RFC 3659 section 2.3")
struct TimestampTests {
    @Test(arguments: [
        (0 as Int64, "19700101000000"),
        (59, "19700101000059"),
        (86_399, "19700101235959"),
        (86_400, "19700102000000"),
        (951_782_400, "20000229000000"),
        (951_868_800, "20000301000000"),
        (1_709_164_800, "20240229000000"),
        (1_000_000_000, "20010909014640"),
        (2_147_483_647, "20380119031407"),
        (4_107_542_400, "21000301000000"),
        (4_107_456_000, "21000228000000"),
        (253_402_300_799, "99991231235959"),
        (-1, "19691231235959"),
        (-86_400, "19691231000000"),
        (-86_401, "19691230235959"),
        (-2_208_988_800, "19000101000000"),
        (-11_676_096_000, "16000101000000"),
        (-62_135_596_800, "00010101000000"),
        (-62_167_219_200, "00000101000000"),
    ])
    func areShown(seconds: Int64, timeVal: String) {
        #expect(Timestamp(seconds: seconds).timeVal == timeVal)
    }

    @Test func beyondFourDigitsShowAsTheNearestMoment() {
        for seconds in [253_402_300_800, Int64.max] {
            #expect(Timestamp(seconds: seconds).timeVal == "99991231235959")
        }
        for seconds in [-62_167_219_201, Int64.min] {
            #expect(Timestamp(seconds: seconds).timeVal == "00000101000000")
        }
        // The parts of a date do not trap either.
        #expect(Timestamp(seconds: .max).year == 292_277_026_596)
        #expect(Timestamp(seconds: .min).year == -292_277_022_657)
    }

    @Test(arguments: [
        ("19970629144640", 867_595_600 as Int64),
        ("19980615100045.014", 897_904_845),
        ("19980705132316", 899_644_996),
        ("19700101000000", 0),
        ("20240229123456", 1_709_210_096),
        ("20000229000000", 951_782_400),
        ("20161231235960", 1_483_228_799),
        ("20240101000000.0", 1_704_067_200),
        ("20240101000000.99999999999999999999999", 1_704_067_200),
        ("99991231235959", 253_402_300_799),
    ])
    func areRead(timeVal: String, seconds: Int64) {
        #expect(Timestamp(timeVal: bytes(timeVal))?.seconds == seconds)
    }

    @Test(arguments: [
        "", "2024", "2024010100000", "202401010000000", "20240001000000", "20241301000000",
        "20240100000000", "20240132000000", "20240230000000", "20230229000000", "21000229000000",
        "20240431000000", "20240631000000", "20240931000000", "20241131000000", "20240101240000",
        "20240101006000", "20240101000061", "20240101000000.", "20240101000000.x",
        "20240101000000.1.2", "20240101000000,5", "20240101000000Z", "20240101 00000",
        " 20240101000000", "20240101000000 ", "-0240101000000", "+2024010100000", "19691231235959",
        "00000101000000", "2024010100000\0", "２0240101000000", "10.0000000000000",
        "191000101000000",  // what a server of 1999 sent for the year 2000
    ])
    func thatDoNotExistAreRefused(timeVal: String) {
        #expect(Timestamp(timeVal: bytes(timeVal)) == nil)
    }

    @Test func runThroughEveryDayOfTheCalendar() throws {
        // An independent count, one day after the other, over all of 1601 to 2401.
        var year = 1601
        var month = 1
        var day = 1
        var seconds: Int64 = -11_644_473_600
        while year < 2401 {
            let stamp = Timestamp(seconds: seconds)
            let isRight = stamp.year == year && stamp.month == month && stamp.day == day
            try #require(isRight, "\(seconds)")
            if year >= 1970 {
                try #require(Timestamp(timeVal: bytes(stamp.timeVal)) == stamp)
            }
            let isLeap =
                year.isMultiple(of: 4)
                && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
            let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            day += 1
            if day > lengths[month - 1] {
                day = 1
                month += 1
            }
            if month > 12 {
                month = 1
                year += 1
            }
            seconds += 86_400
        }
        #expect(seconds == 13_601_088_000)
    }

    @Test func surviveShowingAndReading() {
        var generator = FixedGenerator(seed: 8)
        for _ in 0..<2_000 {
            let stamp = Timestamp(seconds: .random(in: 0...253_402_300_799, using: &generator))
            #expect(Timestamp(timeVal: bytes(stamp.timeVal)) == stamp)
        }
    }

    @Test func haveATimeOfDayBefore1970Too() {
        let stamp = Timestamp(seconds: -1)
        #expect([stamp.hour, stamp.minute, stamp.second] == [23, 59, 59])
        #expect(stamp < Timestamp(seconds: 0))
    }

    @Test func areTakenFromAModifyCommandWithThePathByteForByte() throws {
        let argument = bytes("20240229123456  two spaces ") + [0xFF]
        let parsed = try #require(Timestamp.parseModifyCommand(argument))
        #expect(parsed.time.seconds == 1_709_210_096)
        #expect(parsed.path == bytes(" two spaces ") + [0xFF])
    }

    @Test(arguments: [
        "", " ", "20240229123456", "20240229123456 ", " 20240229123456 x", "20230229123456 x",
        "name 20240229123456", "2024022912345 x", "20240229123456\tx",
    ])
    func areNotTakenFromABrokenModifyCommand(argument: String) {
        #expect(Timestamp.parseModifyCommand(bytes(argument)) == nil)
    }
}
