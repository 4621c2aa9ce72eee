internal import ArgumentParser
internal import FTPProtocol
internal import Isolation
internal import Portcullis

/// `portcullis audit verify`.
struct AuditVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Say whether files of the audit trail are as the server has written them.",
        discussion: """
            Status 0 if they are, 1 if records were altered, removed, inserted or reordered, 66 if a \
            file cannot be read. Files are taken in the order in which they were written.
            """
    )

    @Argument(
        help: "The file that audit_log_file names, those that it was rotated to, and its branches."
    )
    var files: [String]

    @Flag(help: "One JSON object in place of lines for people.")
    var json = false

    @Flag(help: "A trail without a seal at its end counts as broken: the server has ended.")
    var requireSeal = false

    @Option(help: "The public key that the first seal is signed by, as `audit key` has shown it.")
    var key: String?

    func validate() throws {
        if let key, AuditKey.bytes(of: key) == nil || key != key.lowercased() {
            throw ValidationError("A key is 64 hexadecimal digits.")
        }
    }

    func run() throws {
        let verifier = try AuditFiles(files).verify(mustBeSealed: requireSeal, key: key)
        if json {
            show(String(decoding: verifier.object.encoded, as: UTF8.self))
        } else {
            for line in verifier.lines { show(line) }
        }
        guard verifier.isIntact else { throw ExitCode(1) }
    }
}

extension AuditVerifier {
    /// What was found, for people.
    var lines: [String] {
        let findings = findings.map { finding in
            "\(finding.file):\(finding.line): \(finding.isBroken ? "BROKEN: " : "")\(finding.text)"
        }
        let further = furtherCount > 0 ? ["and \(furtherCount) findings more"] : []
        return findings + further + files.map(\.line)
            + (signatureCount > 0 ? ["\(signatureCount) good signatures"] : [])
            + [isIntact ? "intact" : "BROKEN: this is not what the server has written"]
    }

    /// What was found, for programs.
    var object: JSONObject {
        var object = JSONObject()
        object.put("intact", isIntact)
        object.put("files", files.map(\.object))
        object.put("findings", findings.map(\.object))
        object.put("signatures", UInt64(signatureCount))
        object.put("further_findings", UInt64(furtherCount))
        return object
    }
}

extension AuditVerifier.File {
    fileprivate var line: String {
        guard let firstTime, let lastTime, let firstNumber, let lastNumber else {
            return "\(name): no records"
        }
        return "\(name): \(recordCount) records (\(firstNumber) to \(lastNumber)), \(firstTime) to "
            + "\(lastTime), \(branch.map { "branch \($0), " } ?? "")\(isSealed ? "sealed" : "not sealed")\(isBroken ? ", BROKEN" : "")"
    }

    fileprivate var object: JSONObject {
        var object = JSONObject()
        object.put("file", bytes: Array(name.utf8))
        object.put("records", UInt64(recordCount))
        if let firstNumber { object.put("first_seq", firstNumber) }
        if let lastNumber { object.put("last_seq", lastNumber) }
        if let firstTime { object.put("first_time", firstTime) }
        if let lastTime { object.put("last_time", lastTime) }
        object.put("sealed", isSealed)
        object.put("intact", !isBroken)
        object.put("last_hash", lastHash)
        if let branch { object.put("branch", branch) }
        return object
    }
}

extension AuditVerifier.Finding {
    fileprivate var object: JSONObject {
        var object = JSONObject()
        object.put("file", file)
        object.put("line", UInt64(line))
        object.put("broken", isBroken)
        object.put("text", text)
        return object
    }
}
