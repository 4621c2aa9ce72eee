internal import FTPProtocol
internal import LinuxSystem

// Names for STOU (RFC 959 section 4.1.3).

extension VirtualPath {
    /// The same name with a random word in it, before the extension: what a file is called at its
    /// end tells programs, and the rules for names, what it is.
    func madeUnique() throws(FileError) -> VirtualPath {
        guard let name = lastComponent else { throw .isDirectory }
        let dot = UInt8(ascii: ".")
        // A dot at the beginning hides a file, and makes no extension.
        let end = name.dropFirst().lastIndex(of: dot) ?? name.endIndex
        let unique = name[..<end] + Array(".\(randomWord(count: 8))".utf8) + name[end...]
        guard let path = parent.appending(component: [UInt8](unique)) else { throw .nameTooLong }
        return path
    }
}
