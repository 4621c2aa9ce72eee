internal import FTPProtocol
internal import LinuxSystem

/// How an entry lies in a message.
///
/// First come its facts (``FactsForm``), then the name behind its length, then what it may have
/// besides.
enum EntryForm {
    /// The name's length and whether there is a target stand in every entry as well.
    private static let fixedByteCount = FactsForm.byteCount + 5

    /// The target's length and what the user may do, where there are such.
    private static let variableByteCount = 6

    /// Appends an entry.
    static func append(
        _ name: Span<UInt8>,
        _ facts: FileFacts,
        _ target: ArraySlice<UInt8>?,
        _ permissions: Permissions?,
        to bytes: inout [UInt8]
    ) {
        let namesByteCount = name.count + (target?.count ?? 0)
        let byteCount = fixedByteCount + variableByteCount + namesByteCount
        bytes.append(addingCapacity: byteCount) { output in
            FactsForm.append(facts, to: &output)
            output.put(UInt32(name.count))
            output.put(name)
            output.append(target == nil ? 0 : 1)
            if let target {
                output.put(UInt32(target.count))
                output.put(target.span)
            }
            if let permissions { output.put(permissions.rawValue) }
        }
    }

    /// Checks the entry that begins at `position`, and tells where it ends.
    static func end(
        of position: Int,
        in bytes: [UInt8],
        _ hasPermissions: Bool
    ) throws(MessageError) -> Int {
        var end = position
        try skip(FactsForm.byteCount, &end, in: bytes)
        guard FactsForm.isValid(at: position, in: bytes) else { throw .invalidValue }
        try skipCounted(maximum: EntryPiece.maximumNameByteCount, &end, in: bytes)
        let mark = end
        try skip(1, &end, in: bytes)
        switch bytes[mark] {
        case 0: break
        case 1: try skipCounted(maximum: EntryPiece.maximumTargetByteCount, &end, in: bytes)
        default: throw .invalidValue
        }
        if hasPermissions { try skip(2, &end, in: bytes) }
        return end
    }

    private static func skip(
        _ count: Int,
        _ position: inout Int,
        in bytes: [UInt8]
    ) throws(MessageError) {
        guard bytes.count - position >= count else { throw .truncated }
        position += count
    }

    private static func skipCounted(
        maximum: Int,
        _ position: inout Int,
        in bytes: [UInt8]
    ) throws(MessageError) {
        let start = position
        try skip(4, &position, in: bytes)
        let count = Int(bytes.integer(at: start, as: UInt32.self))
        guard count <= maximum else { throw .tooLong(byteCount: count) }
        try skip(count, &position, in: bytes)
    }

    /// Reads the entry that begins at `position`, which has been checked, and goes on behind it.
    static func entry(
        at position: inout Int,
        in bytes: [UInt8],
        _ hasPermissions: Bool
    ) -> EntryView {
        let facts = FactsForm.facts(at: position, in: bytes)
        position += FactsForm.byteCount
        let name = counted(at: &position, in: bytes)
        let hasTarget = bytes[position] != 0
        position += 1
        let target = hasTarget ? counted(at: &position, in: bytes) : nil
        var permissions: Permissions?
        if hasPermissions {
            permissions = Permissions(rawValue: bytes.integer(at: position))
            position += 2
        }
        return EntryView(name: name, facts: facts, target: target, permissions: permissions)
    }

    private static func counted(at position: inout Int, in bytes: [UInt8]) -> ArraySlice<UInt8> {
        let start = position + 4
        position = start + Int(bytes.integer(at: position, as: UInt32.self))
        return bytes[start..<position]
    }
}
