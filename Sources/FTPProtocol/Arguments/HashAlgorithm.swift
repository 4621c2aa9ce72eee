/// How the content of a file is hashed (draft-bryan-ftpext-hash section 3).
package enum HashAlgorithm: String, CaseIterable, Hashable, Sendable {
    /// SHA-256 of FIPS 180-4, the one before OPTS HASH chooses another.
    case sha256 = "SHA-256"
    /// SHA-512 of FIPS 180-4.
    case sha512 = "SHA-512"
    /// SHA-1 of FIPS 180-4; tells transfers that went wrong, not files that were forged.
    case sha1 = "SHA-1"
    /// MD5 of RFC 1321; tells transfers that went wrong, not files that were forged.
    case md5 = "MD5"
    /// The checksum of Ethernet and zip (RFC 1952 section 8).
    case crc32 = "CRC32"

    /// Finds an algorithm by its name, whatever its case.
    package init?(name: [UInt8]) {
        self.init(rawValue: name.keyword)
    }

    /// Every name for the reply to FEAT, the chosen one with a star.
    package var featText: String {
        Self.allCases.map { $0.rawValue + ($0 == self ? "*" : "") }.joined(separator: ";")
    }
}
