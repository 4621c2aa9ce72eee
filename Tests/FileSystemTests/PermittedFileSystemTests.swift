import FTPProtocol
import FileSystem
import TestSupport
import Testing

@Suite("Permission letters")
struct PermittedFileSystemTests {
    private static let letters = "elradfmwMT".map(String.init)

    @Test(arguments: Operation.allCases)
    func eachOperationTakesExactlyItsLetter(operation: Operation) throws {
        for letter in Self.letters {
            let base = RecordingFileSystem()
            let permitted = PermittedFileSystem(
                base,
                rules: FileRules(permissions: try #require(Permissions(letters: letter)))
            )
            let error = thrown(FileError.self) { try operation.perform(on: permitted) }
            let isAllowed = letter == operation.letter
            #expect(error == (isAllowed ? nil : .notPermitted), "\(letter)")
            #expect(base.notes == (isAllowed ? [operation.note] : []), "\(letter)")
        }
    }

    @Test(arguments: Operation.allCases)
    func allOtherLettersTogetherDoNotReplaceIt(operation: Operation) throws {
        let others = Self.letters.filter { $0 != operation.letter }.joined()
        let base = RecordingFileSystem()
        let permitted = PermittedFileSystem(
            base,
            rules: FileRules(permissions: try #require(Permissions(letters: others)))
        )
        #expect(thrown { try operation.perform(on: permitted) } == FileError.notPermitted)
        #expect(base.notes.isEmpty)
    }

    @Test func withoutListingsADirectoryCanOnlyBeDescribed() throws {
        let base = RecordingFileSystem()
        let permitted = PermittedFileSystem(base, rules: withoutListings(.all))
        for operation in Operation.allCases {
            let error = thrown(FileError.self) { try operation.perform(on: permitted) }
            #expect(error == (operation == .list ? .notPermitted : nil), "\(operation)")
        }
        #expect(!base.notes.contains(Operation.list.note))
        #expect(base.notes.count == Operation.allCases.count - 1)
    }

    @Test func withoutTheLetterADirectoryItselfIsNotDescribedEither() {
        let base = RecordingFileSystem()
        let permitted = PermittedFileSystem(base, rules: withoutListings([]))
        let error = thrown(FileError.self) { try Operation.listItself.perform(on: permitted) }
        #expect(error == .notPermitted)
        #expect(base.notes.isEmpty)
    }

    @Test func aListingThatBeganGoesOn() throws {
        let base = RecordingFileSystem()
        let permitted = PermittedFileSystem(base, rules: FileRules(permissions: .list))
        try Operation.list.perform(on: permitted)
        #expect(try permitted.nextEntries().isEmpty)
        #expect(base.notes == [Operation.list.note, "next"])
    }
}

private func withoutListings(_ permissions: Permissions) -> FileRules {
    var rules = FileRules(permissions: permissions)
    rules.allowsListing = false
    return rules
}
