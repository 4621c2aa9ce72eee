internal import FTPProtocol
internal import LinuxSystem
internal import SystemPackage

/// A file of the audit trail, as the Auditor writes it.
///
/// One stretch of it begins with an `open` and ends with a `seal`; the next one, in this file or in
/// the one after, goes on with the hash of the seal.
final class AuditFile {
    /// Why a stretch begins.
    enum Beginning: String {
        /// The server has started.
        case start
        /// The file before was put aside.
        case rotation
        /// The process that wrote has ended, and this one takes its place.
        case recovery
        /// Another server goes on in the file before.
        case branch
    }

    /// Why a stretch ends.
    enum End: String {
        case rotation
        case stop
        /// Another server goes on in this file, and this one in a branch.
        case handover
    }

    /// Records between signatures, at most.
    private static let checkpointRecordCount: UInt64 = 1_000

    /// Enough for the records that every session has sent and has had no answer to.
    private static let tailByteCount = 8_388_608

    private let file: AppendedFile
    private(set) var chain: AuditChain
    /// Records of this stretch.
    private var recordCount: UInt64 = 0
    private(set) var isSynchronized = true
    /// The last record of each session at the end of the file.
    private(set) var lastNumbers: [String: UInt64] = [:]
    private var pendingOpen: [UInt8]
    /// What signs seals, if anything does.
    let key: AuditKey?
    /// Records that no signature covers yet.
    private(set) var unsignedCount: UInt64 = 0

    /// Goes on in a file, whatever it holds.
    ///
    /// `chain` is what the file before ended with; without one, it is this file's own, or that of
    /// `older`, the file before, where this one is empty. `key` finds what signs seals, by the last
    /// record. `branch` is the name of the branch that this is, or, where another process takes the
    /// place of one that has ended, of the one that it was to begin.
    ///
    /// - Throws: ``SystemError`` for the file, ``LogFileError`` for the key.
    init(
        _ descriptor: consuming OwnedDescriptor,
        _ beginning: Beginning,
        after chain: AuditChain? = nil,
        older: consuming OwnedDescriptor? = nil,
        branch: String? = nil,
        key: (_ last: AuditLine?) throws(LogFileError) -> AuditKey?
    ) throws {
        let file = AppendedFile(owning: descriptor)
        self.file = file
        let tail = try file.tail(maximumByteCount: Self.tailByteCount)
        let lineFeed = UInt8(ascii: "\n")
        let end = tail.lastIndex(of: lineFeed).map { $0 + 1 } ?? 0
        let torn = tail.count - end
        // A line without an end was never answered: whoever sent it sends it again, or said so.
        if torn > 0 { try file.truncate(to: file.byteCount - Int64(torn)) }
        var lines = Self.lines(in: tail[..<end])
        if lines.isEmpty, let older {
            let before = try AppendedFile(owning: older).tail(maximumByteCount: Self.tailByteCount)
            lines = Self.lines(in: before[...])
        }
        for case .some(let line) in lines { lastNumbers[line.session] = line.sessionNumber }
        var after = "nothing"
        if let last = lines.last {
            after = last.map { $0.event == "seal" ? "seal" : "record" } ?? "garbage"
        } else if chain != nil {
            after = "seal"
        }
        let own = (lines.last ?? nil).map { AuditChain(next: $0.number &+ 1, last: $0.hash) }
        self.chain = chain ?? own ?? AuditChain()
        self.key = try key(lines.last ?? nil)
        var object = JSONObject()
        object.put("reason", beginning.rawValue)
        object.put("after", after)
        if beginning == .branch, let branch {
            object.put("branch", branch)
        } else if let branch, (lines.last ?? nil).flatMap(AuditSeal.init)?.branch == branch {
            object.put("lost_branch", branch)
        }
        if torn > 0 { object.put("torn_bytes", UInt64(torn)) }
        if let key = self.key { object.put("key", key.publicKey) }
        pendingOpen = AuditRecord("open", 0, of: "auditor", object).members
    }

    private static func lines(in bytes: ArraySlice<UInt8>) -> [AuditLine?] {
        bytes.split(separator: UInt8(ascii: "\n")).map { AuditLine([UInt8]($0)) }
    }

    /// Adds a record.
    ///
    /// - Throws: ``SystemError`` when nothing of it stands in the file.
    func append(_ members: [UInt8]) throws(SystemError) {
        try prepare()
        try write(members)
        if unsignedCount >= Self.checkpointRecordCount { try signCheckpoint() }
    }

    /// Signs what was written since the last signature, where there is a key.
    func signCheckpoint() throws(SystemError) {
        guard key != nil, unsignedCount > 0 else { return }
        try writeSigned("checkpoint", JSONObject())
    }

    /// Writes what has to stand before the next record.
    private func prepare() throws(SystemError) {
        // Whoever removes the file has what comes go nowhere.
        guard file.isLinked else { throw SystemError("write", .noSuchFileOrDirectory) }
        if !pendingOpen.isEmpty {
            try write(pendingOpen)
            pendingOpen = []
        }
        let found = file.presentByteCount
        if found != file.byteCount { try noteChange(found) }
    }

    /// Says that records are missing that were sent.
    func appendGap(_ reason: String, _ count: UInt64) throws(SystemError) {
        var object = JSONObject()
        object.put("reason", reason)
        object.put("records", count)
        try append(AuditRecord("gap", 0, of: "auditor", object).members)
    }

    /// Ends the stretch; what seals for a hand-over names the branch, and the key of it.
    func seal(_ end: End, branch: String? = nil, _ branchKey: AuditKey? = nil) throws(SystemError) {
        var object = JSONObject()
        try prepare()
        object.put("reason", end.rawValue)
        object.put("records", recordCount + 1)
        if let branch { object.put("branch", branch) }
        if let branchKey { object.put("branch_key", branchKey.publicKey) }
        try writeSigned("seal", object)
        try synchronize()
    }

    /// Ends the stretch for another server to go on behind it, and goes on in a file of its own.
    ///
    /// The key of the branch is a new one, and this process has no other from here on.
    ///
    /// - Throws: ``SystemError``, ``LogFileError``; the seal may stand in the file then.
    func branch(_ descriptor: consuming OwnedDescriptor, _ name: String) throws -> AuditFile {
        let branchKey = try key.map { _ in try AuditKey() }
        try seal(.handover, branch: name, branchKey)
        let branch = try AuditFile(descriptor, .branch, after: chain, branch: name) { _ in
            branchKey
        }
        // A disk that is full now takes it with the first record.
        try? branch.begin()
        return branch
    }

    /// Has the file tell what it is, before there is a record.
    private func begin() throws(SystemError) {
        try prepare()
        try synchronize()
    }

    /// Writes a record with a signature, where there is a key, and forgets the key.
    private func writeSigned(_ event: String, _ details: JSONObject) throws(SystemError) {
        var object = details
        guard let key else {
            try write(AuditRecord(event, 0, of: "auditor", object).members)
            return
        }
        object.put("key", key.publicKey)
        object.put("next_key", try key.prepareNext())
        try write(AuditRecord(event, 0, of: "auditor", object).members, sign: key.sign)
        unsignedCount = 0
        // On the disk before the key goes that could sign something else.
        try synchronize()
        try key.advance()
    }

    /// Waits until everything is on the disk.
    func synchronize() throws(SystemError) {
        guard !isSynchronized else { return }
        try file.synchronize()
        isSynchronized = true
    }

    /// Somebody else has written to the file, or cut it.
    private func noteChange(_ found: Int64) throws(SystemError) {
        var object = JSONObject()
        object.put("reason", "the file was changed by somebody else")
        object.put("bytes_expected", UInt64(file.byteCount))
        object.put("bytes_found", UInt64(found))
        file.acceptLength()
        let endsInPiece = try file.tail(maximumByteCount: 1).last.map { $0 != UInt8(ascii: "\n") }
        if endsInPiece == true { try file.append([UInt8(ascii: "\n")]) }
        hasChanged = true
        try write(AuditRecord("gap", 0, of: "auditor", object).members)
    }

    /// Whether somebody else has changed the file since this was last asked.
    func takeChange() -> Bool {
        defer { hasChanged = false }
        return hasChanged
    }

    private var hasChanged = false

    private func write(
        _ members: [UInt8],
        sign: (([UInt8]) -> String?)? = nil
    ) throws(SystemError) {
        var next = chain
        try file.append(next.line(members, sign: sign) + [UInt8(ascii: "\n")])
        chain = next
        recordCount += 1
        unsignedCount += 1
        isSynchronized = false
    }
}
