package import FTPProtocol

/// A name that CWD takes for a directory, wherever the user is (`dir_aliases`).
package struct DirectoryAlias: Hashable, Sendable {
    /// Configurations that name more are refused.
    static let maximumCount = 100

    /// The name, without a slash.
    package let name: String
    /// The directory, from the user's root on.
    package let directory: VirtualPath

    /// Reads `NAME:DIR`, several with commas between them.
    static func list(_ text: String) throws(OptionValueError) -> [DirectoryAlias] {
        let mend = "write NAME:DIR, such as pub:/srv/public, several with commas between them"
        var aliases: [DirectoryAlias] = []
        for word in text.split(separator: ",") {
            let word = String(decoding: word.utf8.trimmingBlanks(), as: UTF8.self)
            let fields = word.split(separator: ":", maxSplits: 1)
            guard fields.count == 2, !fields[0].contains("/"), fields[1].hasPrefix("/"),
                let directory = VirtualPath(String(fields[1]))
            else {
                throw OptionValueError(why: "`\(word)` is no name with a directory", mend: mend)
            }
            aliases.append(DirectoryAlias(name: String(fields[0]), directory: directory))
        }
        guard aliases.count <= maximumCount else {
            throw OptionValueError(
                why: "there are more than \(maximumCount) names",
                mend: "use fewer"
            )
        }
        return aliases
    }
}
