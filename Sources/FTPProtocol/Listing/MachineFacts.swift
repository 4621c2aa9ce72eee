/// The facts that MLST and MLSD send (RFC 3659 section 7.5).
package struct MachineFacts: OptionSet, Hashable, Sendable {
    /// The set as bits, in the order facts are sent.
    package let rawValue: UInt8

    /// Creates a set from bits.
    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// What kind of object it is.
    package static let type = MachineFacts(rawValue: 1 << 0)
    /// The size in bytes.
    package static let size = MachineFacts(rawValue: 1 << 1)
    /// When the content last changed.
    package static let modify = MachineFacts(rawValue: 1 << 2)
    /// What this user may do with it.
    package static let perm = MachineFacts(rawValue: 1 << 3)
    /// Which object it is, under whatever name.
    package static let unique = MachineFacts(rawValue: 1 << 4)
    /// The permission bits.
    package static let unixMode = MachineFacts(rawValue: 1 << 5)
    /// The owner's number.
    package static let unixOwner = MachineFacts(rawValue: 1 << 6)
    /// The group's number.
    package static let unixGroup = MachineFacts(rawValue: 1 << 7)

    /// What is sent before the client asks for something else: every fact.
    package static let standard = MachineFacts(rawValue: 0xFF)

    private static let names: [(fact: MachineFacts, name: String)] = [
        (.type, "type"), (.size, "size"), (.modify, "modify"), (.perm, "perm"),
        (.unique, "unique"), (.unixMode, "UNIX.mode"), (.unixOwner, "UNIX.owner"),
        (.unixGroup, "UNIX.group"),
    ]

    /// Reads what follows `OPTS MLST ` (RFC 3659 section 7.9).
    ///
    /// Names may come in any case and order. Unknown ones are left out, as the standard asks;
    /// nothing at all turns every fact off.
    package init(optsArgument: [UInt8]) {
        var facts: MachineFacts = []
        for part in optsArgument.split(separator: UInt8(ascii: ";")) {
            let wanted = part.uppercasedASCII
            for (fact, name) in Self.names where name.utf8.uppercasedASCII == wanted {
                facts.insert(fact)
            }
        }
        self = facts
    }

    /// Every fact for the reply to FEAT, the chosen ones with a star (RFC 3659 section 7.8).
    package var featText: String {
        Self.names.map { $0.name + (contains($0.fact) ? "*;" : ";") }.joined()
    }

    /// The chosen facts for the reply to OPTS MLST (RFC 3659 section 7.9.1).
    package var selectedText: String {
        Self.names.filter { contains($0.fact) }.map { $0.name + ";" }.joined()
    }
}
