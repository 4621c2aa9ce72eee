import TestSupport
import Testing

@testable import FileSystem

@Suite("Names of a directory in order")
struct DirectoryNamesTests {
    private func sorted(_ names: [[UInt8]], isReversed: Bool = false) -> [[UInt8]] {
        var held = DirectoryNames()
        for name in names { held.append(name.span) }
        held.sort(isReversed: isReversed)
        return rest(&held)
    }

    private func rest(_ names: inout DirectoryNames) -> [[UInt8]] {
        var result: [[UInt8]] = []
        while !names.isEmpty {
            let name = unsafe names.withNext { name, path in
                #expect(unsafe String(cString: path).utf8.count >= name.count)
                return name.indices.map { name[$0] }
            }
            if let name { result.append(name) }
        }
        return result
    }

    /// Names over few letters, so that many begin alike and some are the beginning of others.
    private func names(_ count: Int, beginning: [UInt8]) -> Set<[UInt8]> {
        var generator = SystemRandomNumberGenerator()
        var names: Set<[UInt8]> = []
        while names.count < count {
            let length = Int.random(in: 1...20, using: &generator)
            names.insert(
                beginning
                    + (0..<length).map { _ in [1, 65, 66, 0x7F, 0x80, 0xFF].randomElement() ?? 1 }
            )
        }
        return names
    }

    @Test(arguments: ["", "file-", "more than eight bytes alike "])
    func isThatOfTheirBytes(beginning: String) {
        let names = names(2_000, beginning: bytes(beginning))
        let expected = names.sorted { $0.lexicographicallyPrecedes($1) }
        #expect(sorted(Array(names)) == expected)
        #expect(sorted(Array(names), isReversed: true) == expected.reversed())
    }

    @Test func isWhatItIsForOneAndForNone() {
        #expect(sorted([]).isEmpty)
        #expect(sorted([bytes("one")]) == [bytes("one")])
        #expect(sorted([bytes("ab"), bytes("a")]) == [bytes("a"), bytes("ab")])
    }

    @Test func isThatOfNumbersFirst() {
        var held = DirectoryNames()
        let numbers: [String: Int64] = ["a": .min, "b": .max, "c": 0, "d": -1, "e": 0]
        for name in ["e", "d", "gone", "c", "b", "a"] { held.append(bytes(name).span) }
        unsafe held.sort(isReversed: false) { path in unsafe numbers[String(cString: path)] }
        #expect(rest(&held) == ["b", "c", "e", "d", "a"].map(bytes))
    }

    @Test func areForgottenAndReadAnew() {
        var held = DirectoryNames()
        held.append(bytes("a").span)
        held.append(bytes("b").span)
        _ = unsafe held.withNext { _, _ in }
        #expect(held.count == 1)
        held.removeAll()
        #expect(held.isEmpty)
        held.append(bytes("c").span)
        #expect(rest(&held) == [bytes("c")])
    }
}
