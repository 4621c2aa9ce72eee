internal import FTPProtocol
internal import FileSystem

extension ConfigurationOption {
    /// What holds for some names and in some directories only.
    static let places: [ConfigurationOption] = [
        // Whoever may not touch `x.key` may not touch `X.KEY` on a file system without case either.
        .patterns("deny_file", ignoresCase: true, sets: \.files.places.denied),
        .patterns("hide_file", ignoresCase: true, sets: \.files.places.hidden),
        .patterns("upload_file", ignoresCase: false, sets: \.files.places.uploads),
        .patterns("download_file", ignoresCase: false, sets: \.files.places.downloads),
        .parsed("override_perm", sets: \.files.places.overrides, by: overrides),
    ]

    /// More of them would be a tree of permissions, which the file system keeps better.
    private static let maximumOverrideCount = 100

    private static func patterns(
        _ name: String,
        ignoresCase: Bool,
        sets path: any ConfigurationPath<NamePatterns?>
    ) -> ConfigurationOption {
        .text(name) { (draft, value) in
            guard let value else {
                draft.configuration[keyPath: path] = nil
                return .honoured
            }
            do throws(NamePatterns.Problem) {
                draft.configuration[keyPath: path] = try NamePatterns(
                    Array(value.utf8),
                    ignoresCase: ignoresCase
                )
            } catch {
                return .refused(why: error.why, mend: "write patterns such as {*.tmp,private}")
            }
            if !value.utf8.contains(UInt8(ascii: "{")), value.utf8.contains(UInt8(ascii: ",")) {
                draft.remark = "the comma belongs to the name; write {a,b} for either"
            }
            return .honoured
        }
    }

    /// Reads `DIR:LETTERS[:recursive]`, several with commas or blanks between them.
    @Sendable private static func overrides(
        _ text: String
    ) throws(OptionValueError) -> [PermissionOverride] {
        let mend = "write DIR:LETTERS or DIR:LETTERS:recursive, such as /incoming:elw:recursive"
        let words = OptionValue.words(text)
        guard words.count <= maximumOverrideCount else {
            throw OptionValueError(
                why: "there are more than \(maximumOverrideCount) directories",
                mend: "use fewer, and the permissions of the files"
            )
        }
        var overrides: [PermissionOverride] = []
        for word in words {
            // From the right, because a directory may have colons in its name.
            var fields = word.split(separator: ":", omittingEmptySubsequences: false)
            let isRecursive = fields.count > 2 && fields.last == "recursive"
            if isRecursive { fields.removeLast() }
            guard fields.count >= 2, let letters = fields.popLast() else {
                throw OptionValueError(why: "`\(word)` has no letters behind a colon", mend: mend)
            }
            guard let permissions = Permissions(letters: String(letters)) else {
                throw OptionValueError(
                    why: "`\(letters)` holds something other than the letters elradfmwMT",
                    mend: mend
                )
            }
            let name = fields.joined(separator: ":")
            guard name.utf8.first == UInt8(ascii: "/"), let directory = VirtualPath(name) else {
                throw OptionValueError(
                    why: "`\(name)` is no path from the user's root on",
                    mend: mend
                )
            }
            overrides.append(
                PermissionOverride(
                    directory: directory,
                    permissions: permissions,
                    isRecursive: isRecursive
                )
            )
        }
        return overrides
    }
}

extension NamePatterns.Problem {
    /// What is wrong with the text.
    fileprivate var why: String {
        switch self {
        case .braces: "a brace has no partner, or stands within others"
        case .tooMany: "the braces stand for more than \(NamePatterns.maximumCount) patterns"
        case .noPattern: "one of the patterns names nothing, or is too long for a name"
        }
    }
}
