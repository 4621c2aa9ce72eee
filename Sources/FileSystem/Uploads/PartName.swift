internal import LinuxSystem

/// The hidden names that atomic uploads are written under: `.in.NAME.RANDOM`.
enum PartName {
    /// The longest name that Linux file systems take (`NAME_MAX`).
    private static let maximumByteCount = 255

    private static let prefix = Array(".in.".utf8)
    private static let randomCount = 8

    /// A new name for a part of the upload called `name`, which is cut where it would be too long.
    static func make(for name: [UInt8]) -> [UInt8] {
        var kept = name.prefix(maximumByteCount - prefix.count - 1 - randomCount)
        if kept.count < name.count {
            // Some file systems take whole characters of UTF-8 only.
            while let last = kept.last, last & 0xC0 == 0x80 { kept.removeLast() }
            if let last = kept.last, last >= 0xC0 { kept.removeLast() }
        }
        return prefix + kept + Array(".\(randomWord(count: randomCount))".utf8)
    }

    /// Whether `name` is of this form.
    static func matches(_ name: some Collection<UInt8>) -> Bool {
        guard name.count >= prefix.count + 1 + randomCount, name.starts(with: prefix) else {
            return false
        }
        let suffix = name.suffix(randomCount + 1)
        return suffix.first == UInt8(ascii: ".")
            && suffix.dropFirst().allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                    || (UInt8(ascii: "2")...UInt8(ascii: "9")).contains($0)
            }
    }
}
