package import Isolation

/// Reads files of the audit trail and finds what was done to them.
///
/// Takes the files in the order in which they were written, piece by piece, and keeps no more than
/// a line of them, and which branches there ought to be.
package struct AuditVerifier {
    /// Something found out about a line.
    package struct Finding: Hashable, Sendable {
        /// The file.
        package let file: String
        /// The line, from 1.
        package let line: Int
        /// Whether it means that the trail is not what the server has written.
        package let isBroken: Bool
        /// What was found.
        package let text: String
    }

    /// One file.
    package struct File: Hashable, Sendable {
        /// Its name.
        package let name: String
        /// Records that could be read.
        package fileprivate(set) var recordCount = 0
        /// The number of its first record.
        package fileprivate(set) var firstNumber: UInt64?
        /// The number of its last record.
        package fileprivate(set) var lastNumber: UInt64?
        /// When its first record was written.
        package fileprivate(set) var firstTime: String?
        /// When its last record was written.
        package fileprivate(set) var lastTime: String?
        /// Whether it ends with a seal.
        package fileprivate(set) var isSealed = false
        /// The hash of its last record.
        package fileprivate(set) var lastHash = ""
        /// Whether a finding says that it is broken.
        package fileprivate(set) var isBroken = false
        /// The branch that it is, of sessions that went on over a restart.
        package fileprivate(set) var branch: String?
        /// Whether the server says that the branch was not begun.
        fileprivate var isLost = false
        fileprivate var lineCount = 0
    }

    /// How far a chain has been read.
    private struct Place {
        var expected: Expectation?
        var stretchCount: UInt64?
        var key: [UInt8]?
    }

    /// A branch that a seal has named, and that was not read yet.
    private struct DueBranch {
        let place: Place
        /// The file with the seal.
        let fileIndex: Int
        let sealNumber: UInt64
        /// The server says that it was not begun.
        var isLost = false
    }

    /// What a line has to be.
    private struct Expectation {
        let number: UInt64
        /// The hash of the line before; `nil` where that cannot be believed.
        let hash: [UInt8]?
    }

    /// Findings that are kept; a file that is none of ours has one for each line.
    private static let maximumFindingCount = 1_000

    /// What was found, in order.
    package private(set) var findings: [Finding] = []
    /// Findings that are left out of ``findings``.
    package private(set) var furtherCount = 0
    /// The files so far.
    package private(set) var files: [File] = []
    private var line = 0
    private var rest: [UInt8] = []
    private var isOverlong = false
    private var expected: Expectation?
    /// Records since the last `open`; `nil` outside of such a stretch.
    private var stretchCount: UInt64?
    /// The public key that the next signature has to be by, in hexadecimal digits.
    private var key: [UInt8]?
    private let isKeyKnown: Bool
    private var dueBranches: [String: DueBranch] = [:]
    /// Where to go on behind the branch that is being read.
    private var trunk: Place?
    /// Whether anything but branches was read.
    private var hasTrunk = false
    private var hasSaidKey = false
    /// Good signatures so far.
    package private(set) var signatureCount = 0

    /// Begins with no file.
    ///
    /// - Parameter key: The public key that the first signature is known to be by, in hexadecimal
    ///   digits.
    package init(key: String? = nil) {
        self.key = key.map { Array($0.utf8) }
        isKeyKnown = key != nil
    }

    /// Whether everything is as the server has written it.
    package var isIntact: Bool { !files.contains(where: \.isBroken) }

    // MARK: Files

    /// Begins the next file.
    package mutating func begin(_ name: String) {
        files.append(File(name: name))
        line = 0
        rest = []
        isOverlong = false
    }

    /// Takes the next piece of it, and tells `body` each record that can be read, with its line.
    package mutating func take(
        _ bytes: ArraySlice<UInt8>,
        _ body: (AuditLine, [UInt8]) -> Void = { _, _ in }
    ) {
        var start = bytes.startIndex
        while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            add(bytes[start..<end])
            line += 1
            isOverlong ? noteUnreadable() : check(rest, body)
            rest.removeAll(keepingCapacity: true)
            isOverlong = false
            start = end + 1
        }
        add(bytes[start...])
    }

    /// Adds to the line, unless it is longer than any record.
    private mutating func add(_ piece: ArraySlice<UInt8>) {
        if rest.count + piece.count <= AuditLine.maximumByteCount {
            rest += piece
        } else {
            isOverlong = true
        }
    }

    /// Ends the file.
    package mutating func end() {
        if !rest.isEmpty || isOverlong {
            line += 1
            remark("ends in the middle of a record: it is being written, or was cut off here")
            rest = []
        }
        if let index = files.indices.last { files[index].lineCount = line }
        if let place = trunk.take() {
            (expected, stretchCount, key) = (place.expected, place.stretchCount, place.key)
        }
        guard files.last?.recordCount == 0 else { return }
        if line == 0 { remark("holds no record") }
    }

    /// Ends the last file.
    ///
    /// - Parameter mustBeSealed: Whether the server is known to have ended, or to have gone on in
    ///   another file.
    package mutating func endAll(mustBeSealed: Bool) {
        if isKeyKnown, signatureCount == 0 {
            problem("nothing is signed by the key that was named")
        }
        for (name, branch) in dueBranches.sorted(by: { $0.key < $1.key }) where !branch.isLost {
            let text =
                "the branch \(name) is missing, where records of sessions stand that went on: the "
                + "seal of record \(branch.sealNumber) names it"
            add(text, isBroken: true, at: branch.fileIndex)
        }
        let last = files.lastIndex { $0.branch == nil }
        for (index, file) in files.enumerated()
        where (index == last || file.branch != nil) && file.recordCount > 0 && !file.isSealed {
            let isBroken = mustBeSealed && !file.isLost
            let text =
                isBroken
                ? "does not end with a seal: records at its end may have been removed"
                : "does not end with a seal: the server is still writing, was killed, or records "
                    + "at the end were removed"
            add(text, isBroken: isBroken, at: index)
        }
    }

    // MARK: Lines

    private mutating func check(_ bytes: [UInt8], _ body: (AuditLine, [UInt8]) -> Void) {
        guard let record = AuditLine(bytes) else {
            noteUnreadable()
            return
        }
        enterBranch(record)
        var hash: [UInt8]? = record.hash
        if !record.isIntact {
            problem("record \(record.number) was altered: its hash is not that of its content")
            hash = nil
        }
        checkPlace(of: record)
        checkStretch(record)
        checkSignature(of: record)
        expected = Expectation(number: record.number &+ 1, hash: hash)
        note(record)
        body(record, bytes)
    }

    /// Goes on behind the seal that has named the branch, where a file is one.
    private mutating func enterBranch(_ record: AuditLine) {
        guard let index = files.indices.last, files[index].recordCount == 0, trunk == nil else {
            return
        }
        guard let name = AuditOpening(record)?.branch else {
            hasTrunk = true
            return
        }
        files[index].branch = name
        files[index].isLost = dueBranches[name]?.isLost ?? false
        trunk = Place(expected: expected, stretchCount: stretchCount, key: key)
        let due = dueBranches.removeValue(forKey: name)
        expected = due?.place.expected
        stretchCount = nil
        if due == nil, hasTrunk {
            problem("no seal before this names the branch \(name), or it was read already")
            key = nil
        } else if let due {
            key = due.place.key
        }
    }

    private mutating func noteUnreadable() {
        problem("is no record")
        expected = expected.map { Expectation(number: $0.number &+ 1, hash: nil) }
        stretchCount? &+= 1
        if let index = files.indices.last { files[index].isSealed = false }
    }

    private mutating func checkPlace(of record: AuditLine) {
        let isFirstOfAll = record.number == 1 && record.previous == AuditChain.origin
        guard let expected else {
            if !isFirstOfAll {
                remark("the chain begins before these files; this is record \(record.number)")
            }
            return
        }
        if isFirstOfAll, record.event == "open" {
            problem("a new chain begins here: nothing binds it to the records before")
        } else if record.number > expected.number {
            let last = record.number - 1
            let missing =
                last == expected.number
                ? "record \(last) is" : "records \(expected.number) to \(last) are"
            problem("\(missing) missing before this one")
        } else if record.number < expected.number {
            problem(
                "record \(record.number) does not belong here: \(expected.number) should follow"
            )
        } else if let hash = expected.hash, record.previous != hash {
            problem("record \(record.number) does not go on from the record before it")
        }
    }

    private mutating func checkStretch(_ record: AuditLine) {
        let isFirst = files.last?.recordCount == 0
        let wasSealed = stretchCount == nil
        switch record.event {
        case "open":
            noteOpening(record)
            stretchCount = 1
        case "seal":
            stretchCount? &+= 1
            let seal = AuditSeal(record)
            if let count = stretchCount, count != seal?.recordCount {
                problem("the seal is for another number of records than the \(count) since `open`")
            }
            stretchCount = nil
            if let name = seal?.branch, let index = files.indices.last {
                let hash = record.isIntact ? record.hash : nil
                dueBranches[name] = DueBranch(
                    place: Place(
                        expected: Expectation(number: record.number &+ 1, hash: hash),
                        key: seal?.branchKey
                    ),
                    fileIndex: index,
                    sealNumber: record.number
                )
            }
        default:
            if isFirst {
                problem("the file does not begin with `open`: records before this one are missing")
            } else if wasSealed, expected != nil {
                problem("record \(record.number) was added behind a seal")
            }
            stretchCount? &+= 1
            if record.event == "gap" { noteGap(record) }
        }
    }

    private mutating func checkSignature(of record: AuditLine) {
        guard record.event == "seal" || record.event == "checkpoint" else { return }
        guard let signature = record.signature else {
            if key != nil { problem("record \(record.number) has no signature") }
            return
        }
        if let key, signature.key != key {
            problem("record \(record.number) is signed by another key than the one that is due")
        } else if !signature.isGood {
            problem("the signature of record \(record.number) is not by its key")
        } else {
            signatureCount += 1
        }
        key = signature.nextKey
    }

    /// Takes note of the key that a stretch says it will be signed by.
    private mutating func noteKey(_ found: [UInt8]?) {
        guard let found else {
            if isKeyKnown || key != nil { problem("from here on nothing is signed") }
            key = nil
            return
        }
        if let key, key != found {
            let text = "another key signs from here on, which the one before has not announced"
            problem(text)
        } else if key == nil, !hasSaidKey {
            remark(
                "signatures begin with the key \(String(decoding: found, as: UTF8.self)), of which "
                    + "these files cannot tell whose it is (--key)"
            )
        }
        hasSaidKey = true
        key = found
    }

    private mutating func noteOpening(_ record: AuditLine) {
        if stretchCount != nil {
            remark(
                "the records before end without a seal: the server was killed there; whether "
                    + "records were removed before it began again, nobody can tell"
            )
        }
        guard let opening = AuditOpening(record) else { return }
        noteKey(opening.key)
        if let name = opening.lostBranch, let branch = dueBranches[name] {
            // Whoever says so later has a reason to.
            if branch.sealNumber &+ 1 == record.number {
                dueBranches[name]?.isLost = true
                remark("the server says that the branch \(name) was not begun: no hand-over")
            } else {
                problem("the branch \(name) is said to be lost long after its seal")
            }
        }
        if opening.after == "garbage" {
            remark("the server found something else than records before this")
        }
        if let torn = opening.tornByteCount {
            remark("the server found \(torn) bytes of an unfinished record before this")
        }
    }

    private mutating func noteGap(_ record: AuditLine) {
        let text = String(decoding: record.rest.prefix(300), as: UTF8.self)
        remark("the server says that something is missing here: \(text.dropFirst())")
    }

    private mutating func note(_ record: AuditLine) {
        guard let index = files.indices.last else { return }
        files[index].recordCount += 1
        files[index].firstNumber = files[index].firstNumber ?? record.number
        files[index].lastNumber = record.number
        files[index].firstTime = files[index].firstTime ?? record.time
        files[index].lastTime = record.time
        files[index].isSealed = record.event == "seal"
        files[index].lastHash = String(decoding: record.hash, as: UTF8.self)
    }

    // MARK: Findings

    private mutating func problem(_ text: String) {
        if let index = files.indices.last { files[index].isBroken = true }
        add(text, isBroken: true)
    }

    private mutating func remark(_ text: String) {
        add(text, isBroken: false)
    }

    /// Adds a finding about the line that was read last, or about the end of a file.
    private mutating func add(_ text: String, isBroken: Bool, at index: Int? = nil) {
        if let index, isBroken { files[index].isBroken = true }
        guard findings.count < Self.maximumFindingCount else {
            furtherCount += 1
            return
        }
        let finding = Finding(
            file: index.map { files[$0].name } ?? files.last?.name ?? "",
            line: index.map { files[$0].lineCount } ?? line,
            isBroken: isBroken,
            text: text
        )
        findings.append(finding)
    }
}
