extension ConfigurationOption {
    /// Every option that is known, in the order of the groups.
    package static let all: [ConfigurationOption] =
        listening + login + accounts + tls + legacyTLS + passive + active + timeouts + files
        + uploads + rates + places + messages + jail + anonymous + logging + auditing + admin
        + processes

    private static let byName = Dictionary(
        all.flatMap { option in option.names.map { ($0, option) } },
        uniquingKeysWith: { (first, _) in first }
    )

    /// Finds an option by any of its spellings.
    package static func named(_ name: String) -> ConfigurationOption? {
        byName[name]
    }

    /// Finds the known name that a mistyped one was most likely meant to be.
    ///
    /// - Returns: A name at most two letters away, or nil.
    package static func nearest(to name: String) -> String? {
        // Longer ones cannot be near, and the comparison costs the product of the lengths.
        guard name.utf8.count <= 40 else { return nil }
        let wanted = Array(name.lowercased().utf8)
        var best: (name: String, distance: Int)?
        for candidate in all.flatMap(\.names) {
            let distance = editDistance(wanted, Array(candidate.utf8))
            if distance <= 2, distance < best?.distance ?? 3 { best = (candidate, distance) }
        }
        return best?.name
    }

    /// Counts the letters to insert, delete or replace (Levenshtein).
    private static func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var previous = Array(0...right.count)
        for (row, letter) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                let replaced = previous[column] + (letter == other ? 0 : 1)
                current.append(min(replaced, previous[column + 1] + 1, current[column] + 1))
            }
            previous = current
        }
        return previous.last ?? left.count
    }
}
