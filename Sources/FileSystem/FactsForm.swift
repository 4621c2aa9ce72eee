internal import FTPProtocol
internal import LinuxSystem

/// How the facts of a file lie in a message, each at its place.
///
/// Integers are in little-endian order, as ``MessageWriter`` puts them.
enum FactsForm {
    // The kind is first.
    private static let mode = 1
    private static let linkCount = 3
    private static let owner = 7
    private static let group = 11
    private static let size = 15
    private static let modified = 23
    private static let device = 31
    private static let inode = 39

    /// How long they are.
    static let byteCount = 47

    /// Appends facts.
    static func append(_ facts: FileFacts, to output: inout OutputSpan<UInt8>) {
        output.append(facts.kind.rawValue)
        output.put(facts.mode)
        output.put(facts.linkCount)
        output.put(facts.owner)
        output.put(facts.group)
        output.put(facts.size)
        output.put(facts.modified)
        output.put(facts.device)
        output.put(facts.inode)
    }

    /// Whether the bytes from `position` on, of which there are enough, are facts.
    static func isValid(at position: Int, in bytes: [UInt8]) -> Bool {
        FileFacts.Kind(rawValue: bytes[position]) != nil
    }

    /// Reads the facts that begin at `position`, which have been checked.
    static func facts(at position: Int, in bytes: [UInt8]) -> FileFacts {
        FileFacts(
            kind: FileFacts.Kind(rawValue: bytes[position]) ?? .regular,
            mode: bytes.integer(at: position + mode),
            linkCount: bytes.integer(at: position + linkCount),
            owner: bytes.integer(at: position + owner),
            group: bytes.integer(at: position + group),
            size: bytes.integer(at: position + size),
            modified: bytes.integer(at: position + modified),
            device: bytes.integer(at: position + device),
            inode: bytes.integer(at: position + inode)
        )
    }
}
