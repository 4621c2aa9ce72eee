import Glibc
import LinuxSystem
import Testing

@testable import Portcullis

/// Inputs that were found by fuzzing, or that it begins with, run as tests.
@Suite("Inputs of the fuzzer")
struct ReplayTests {
    private static let corpus =
        #filePath.split(separator: "/").dropLast(2).reduce("") { "\($0)/\($1)" } + "/Corpus"

    @Test(arguments: FuzzTarget.allCases)
    func everyInputOfTheCorpusHoldsToTheRules(target: FuzzTarget) throws {
        let names = try HostFile.names(inDirectory: "\(Self.corpus)/\(target.rawValue)")
        #expect(!names.isEmpty)
        for name in names {
            let input = try readFile(
                at: "\(Self.corpus)/\(target.rawValue)/\(name)",
                maximumByteCount: 1 << 16
            )
            #expect(throws: Never.self, "\(target.rawValue)/\(name)") { try target.run(input) }
        }
    }

    @Test func everyFolderOfTheCorpusBelongsToATarget() throws {
        let names = try HostFile.names(inDirectory: Self.corpus)
        #expect(Set(names) == Set(FuzzTarget.allCases.map(\.rawValue)))
    }
}
