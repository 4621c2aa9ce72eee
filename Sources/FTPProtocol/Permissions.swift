/// What a user may do, in the letters that pyftpdlib made known.
package struct Permissions: OptionSet, Hashable, Sendable {
    /// The set as bits, in the order of the letters.
    package let rawValue: UInt16

    /// Creates a set from bits.
    package init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// `e`: change the working directory (CWD, CDUP).
    package static let enterDirectory = Permissions(rawValue: 1 << 0)
    /// `l`: list (LIST, NLST, STAT, MLSD, MLST, SIZE).
    package static let list = Permissions(rawValue: 1 << 1)
    /// `r`: download (RETR).
    package static let retrieve = Permissions(rawValue: 1 << 2)
    /// `a`: add to an existing file (APPE).
    package static let append = Permissions(rawValue: 1 << 3)
    /// `d`: delete files and directories (DELE, RMD).
    package static let delete = Permissions(rawValue: 1 << 4)
    /// `f`: rename (RNFR, RNTO).
    package static let rename = Permissions(rawValue: 1 << 5)
    /// `m`: make directories (MKD).
    package static let makeDirectory = Permissions(rawValue: 1 << 6)
    /// `w`: upload (STOR, STOU).
    package static let store = Permissions(rawValue: 1 << 7)
    /// `M`: change a file's mode (SITE CHMOD).
    package static let changeMode = Permissions(rawValue: 1 << 8)
    /// `T`: change a file's time (MFMT).
    package static let changeTime = Permissions(rawValue: 1 << 9)

    /// Enter, list and download: `elr`.
    package static let readOnly: Permissions = [.enterDirectory, .list, .retrieve]

    /// Everything: `elradfmwMT`.
    package static let all = Permissions(rawValue: (1 << 10) - 1)

    private static let alphabet = Array("elradfmwMT".utf8)

    /// Reads a set of letters, in any order.
    ///
    /// - Returns: `nil` when a letter is unknown, so that a slip grants and withholds nothing.
    package init?(letters: String) {
        var bits: UInt16 = 0
        for letter in letters.utf8 {
            guard let index = Self.alphabet.firstIndex(of: letter) else { return nil }
            bits |= 1 << UInt16(index)
        }
        self.init(rawValue: bits)
    }

    /// The letters, in the order `elradfmwMT`.
    package var letters: String {
        let chosen = Self.alphabet.enumerated().filter { rawValue >> UInt16($0.offset) & 1 == 1 }
        return String(decoding: chosen.map(\.element), as: UTF8.self)
    }
}
