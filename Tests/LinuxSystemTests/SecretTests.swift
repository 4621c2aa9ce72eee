import Glibc
import LinuxSystem
import Testing

@Suite("Passwords in memory, and random words")
struct SecretTests {
    @Test(arguments: ["", "a", "correct horse battery staple", "pässwörd"])
    func aSecretIsLentAsACString(text: String) {
        let secret = Secret(copying: Array(text.utf8))
        #expect(secret.count == text.utf8.count)
        let copy = unsafe secret.withCString { unsafe String(cString: $0) }
        #expect(copy == text)
        let length = unsafe secret.withCString { unsafe strlen($0) }
        #expect(length == text.utf8.count)
    }

    @Test func itsBytesEndBeforeTheNUL() {
        let secret = Secret(copying: [1, 2, 3][...].dropFirst())
        let bytes = unsafe secret.withBytes { unsafe [UInt8]($0) }
        #expect(bytes == [2, 3])
    }

    @Test func aNULInsideIsCountedAndKept() {
        let secret = Secret(copying: [65, 0, 66])
        #expect(secret.count == 3)
        let bytes = unsafe secret.withBytes { unsafe [UInt8]($0) }
        #expect(bytes == [65, 0, 66])
    }

    @Test func wipingOverwritesEveryByte() {
        var bytes: [UInt8] = [1, 2, 3, 255]
        unsafe bytes.withUnsafeMutableBytes { unsafe wipeMemory($0) }
        #expect(bytes == [0, 0, 0, 0])
        unsafe wipeMemory(UnsafeMutableRawBufferPointer(start: nil, count: 0))
    }

    @Test func aRandomWordHoldsNoLookAlikes() {
        let allowed = Set("abcdefghjkmnpqrstuvwxyz23456789")
        let word = randomWord(count: 5_000)
        #expect(word.count == 5_000)
        #expect(Set(word) == allowed)
        #expect(randomWord(count: 0).isEmpty)
    }

    @Test func randomWordsDiffer() {
        let words = Set((0..<200).map { _ in randomWord(count: 16) })
        #expect(words.count == 200)
    }

    @Test func randomBytesCoverAllValues() {
        let bytes = randomBytes(count: 20_000)
        #expect(bytes.count == 20_000)
        #expect(Set(bytes).count == 256)
    }

    @Test(arguments: [0, 1, 7, 8, 9, 80])
    func randomBytesAreAsManyAsAskedForAndDiffer(count: Int) {
        let draws = (0..<64).map { _ in randomBytes(count: count) }
        #expect(draws.allSatisfy { $0.count == count })
        guard count > 0 else { return }
        // Of 64 equal bytes in one place chance is innocent.
        for place in 0..<count { #expect(Set(draws.map { $0[place] }).count > 1) }
    }
}
