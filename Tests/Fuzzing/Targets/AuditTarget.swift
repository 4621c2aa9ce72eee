import FTPProtocol
import LinuxSystem

@testable import Isolation
@testable import Portcullis

/// Whatever a file of the audit trail holds, the verifier says something about it, and takes it for
/// intact only where every record is what the server would have written.
///
/// The first byte says how: 0 takes the input for a file; otherwise the input is made into records
/// that hang together, and one byte of the file is changed.
enum AuditTarget {
    static func run(_ input: [UInt8]) throws {
        var reader = InputReader(input)
        let choice = reader.byte()
        guard choice != 0 else {
            try verify(Array(input.dropFirst()))
            return
        }
        let place = Int(reader.byte()) << 8 | Int(reader.byte())
        var file = make(&reader)
        try claim(verdict(file).isIntact, "a trail as it was written is called broken")
        let index = place % file.count
        guard file[index] != choice else { return }
        file[index] ^= choice
        let found = verdict(file)
        // An end of the last line is all that a file can lose unnoticed.
        let isOnlyTheEnd = index == file.count - 1
        try claim(!found.isIntact || isOnlyTheEnd, "a change of byte \(index) is not found")
    }

    private static func make(_ reader: inout InputReader) -> [UInt8] {
        var chain = AuditChain()
        var file: [UInt8] = []
        var number: UInt64 = 0
        func add(_ event: String, _ complete: (inout JSONObject) -> Void) {
            var object = JSONObject()
            complete(&object)
            number += 1
            file += chain.line(AuditRecord(event, number, of: "abc", object).members) + [0x0A]
        }
        add("open") {
            $0.put("reason", "start")
            $0.put("after", "nothing")
        }
        for _ in 0..<3 {
            let name = reader.line()
            add("delete") { $0.put("path", bytes: name) }
        }
        add("seal") {
            $0.put("reason", "stop")
            $0.put("records", number + 1)
        }
        return file
    }

    private static func verdict(_ file: [UInt8]) -> AuditVerifier {
        var verifier = AuditVerifier()
        verifier.begin("file")
        verifier.take(file[...])
        verifier.end()
        verifier.endAll(mustBeSealed: false)
        return verifier
    }

    private static func verify(_ file: [UInt8]) throws {
        let whole = verdict(file)
        for (line, finding) in zip(whole.findings, whole.findings.dropFirst()) {
            try claim(line.line <= finding.line, "findings are out of order")
        }
        for line in file.split(separator: 0x0A) {
            guard let record = AuditLine([UInt8](line)), record.isIntact else { continue }
            let body = line.dropLast(AuditChain.hashByteCount + 11)
            try claim(AuditChain.hash(body) == record.hash, "a hash that is not the line's")
        }
    }
}
