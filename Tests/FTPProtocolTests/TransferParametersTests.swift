import FTPProtocol
import TestSupport
import Testing

@Suite("TYPE, STRU, MODE and PROT")
struct TransferParametersTests {
    @Test(arguments: [
        ("A", TransferType.ascii), ("a", .ascii), ("A N", .ascii), ("a n", .ascii),
        ("I", .image), ("i", .image), ("L 8", .image), ("l 8", .image),
        ("L8", .image), ("L7", .ascii), ("l 7", .ascii),
    ])
    func typesAreRead(argument: String, type: TransferType) throws {
        #expect(try TransferType(argument: bytes(argument)) == type)
    }

    @Test(arguments: [
        ("E", TransferParameterError.unsupported), ("e n", .unsupported), ("A T", .unsupported),
        ("A C", .unsupported), ("E C", .unsupported),
        ("L 16", .unsupported), ("L 255", .unsupported),
        ("", .malformed), (" ", .malformed), ("X", .malformed), ("A ", .malformed),
        (" A", .malformed), ("A X", .malformed), ("AN", .malformed), ("A  N", .malformed),
        ("I N", .malformed), ("L", .malformed), ("L ", .malformed), ("L x", .malformed),
        ("L 0", .malformed), ("L 256", .malformed), ("L -8", .malformed), ("L  8", .malformed),
        ("L 99999999999999999999", .malformed), ("\u{C1}", .malformed), ("A\0", .malformed),
    ])
    func otherTypesAreRefused(argument: String, error: TransferParameterError) {
        #expect(throws: error) { try TransferType(argument: bytes(argument)) }
    }

    @Test func oneStructureAndTwoModesAreKnown() throws {
        #expect(try FileStructure(argument: bytes("f")) == .file)
        #expect(try TransferMode(argument: bytes("s")) == .stream)
        #expect(try TransferMode(argument: bytes("z")) == .deflate)
        for argument in ["R", "p"] {
            #expect(throws: TransferParameterError.unsupported) {
                try FileStructure(argument: bytes(argument))
            }
        }
        for argument in ["B", "c"] {
            #expect(throws: TransferParameterError.unsupported) {
                try TransferMode(argument: bytes(argument))
            }
        }
        for argument in ["", "FF", "S ", "X", "F\0"] {
            #expect(throws: TransferParameterError.malformed) {
                try FileStructure(argument: bytes(argument))
            }
            #expect(throws: TransferParameterError.malformed) {
                try TransferMode(argument: bytes(argument))
            }
        }
    }

    @Test func protectionIsClearOrPrivate() throws {
        #expect(try ProtectionLevel(argument: bytes("c")) == .clear)
        #expect(try ProtectionLevel(argument: bytes("P")) == .private)
        for argument in ["S", "e"] {
            #expect(throws: TransferParameterError.unsupported) {
                try ProtectionLevel(argument: bytes(argument))
            }
        }
        for argument in ["", "X", "PP", " P", "P "] {
            #expect(throws: TransferParameterError.malformed) {
                try ProtectionLevel(argument: bytes(argument))
            }
        }
    }
}

@Suite("Numbers from the client")
struct NumberTests {
    @Test(arguments: [
        ("0", 0 as Int64), ("7", 7), ("007", 7), ("4294967296", 4_294_967_296),
        ("9223372036854775807", .max),
        (String(repeating: "0", count: 100) + "1", 1),
    ])
    func offsetsAreRead(argument: String, value: Int64) {
        #expect(RestartOffset.parseOffset(bytes(argument)) == value)
        #expect(DecimalNumber.parse(bytes(argument)) == value)
    }

    @Test(arguments: [
        "", "-1", "+1", " 1", "1 ", "1.0", "1e3", "0x10", "1,000", "9223372036854775808",
        "9223372036854775810", "18446744073709551616", "99999999999999999999999999", "١", "1\0",
        "/", ":",
    ])
    func otherOffsetsAreRefused(argument: String) {
        #expect(RestartOffset.parseOffset(bytes(argument)) == nil)
    }

    @Test(arguments: [
        ("644", 0o644 as UInt16), ("0644", 0o644), ("000", 0), ("7777", 0o7777), ("1777", 0o1777),
        ("777", 0o777),
    ])
    func octalModesAreRead(argument: String, mode: UInt16) {
        #expect(OctalMode.parse(bytes(argument)) == mode)
    }

    @Test(arguments: [
        "", "7", "64", "00644", "888", "648", "0o644", "-644", "+644", " 644", "644 ", "u+x",
        "17777", "6 4",
    ])
    func otherModesAreRefused(argument: String) {
        #expect(OctalMode.parse(bytes(argument)) == nil)
    }
}

@Suite("Permission letters")
struct PermissionsTests {
    @Test func surviveWritingAndReadingInEveryCombination() {
        for bits in 0..<(1 << 10) as Range<UInt16> {
            let permissions = Permissions(rawValue: bits)
            #expect(Permissions(letters: permissions.letters) == permissions)
        }
    }

    @Test func areThoseOfPyftpdlib() {
        let pairs: [(Permissions, String)] = [
            (.enterDirectory, "e"), (.list, "l"), (.retrieve, "r"), (.append, "a"),
            (.delete, "d"), (.rename, "f"), (.makeDirectory, "m"), (.store, "w"),
            (.changeMode, "M"), (.changeTime, "T"), (.readOnly, "elr"), (.all, "elradfmwMT"),
            ([], ""),
        ]
        for (permissions, letters) in pairs { #expect(permissions.letters == letters) }
    }

    @Test func mayComeInAnyOrderAndTwice() {
        #expect(Permissions(letters: "rlerr") == .readOnly)
        #expect(Permissions(letters: "") == [])
    }

    @Test(arguments: ["x", "elrx", "E", "e l", "elr\n", "é", "t"])
    func thatAreUnknownGrantNothing(letters: String) {
        #expect(Permissions(letters: letters) == nil)
    }
}
