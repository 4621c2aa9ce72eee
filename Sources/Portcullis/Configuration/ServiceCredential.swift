internal import Glibc

/// A secret that the service manager hands to the daemon (systemd.exec(5), `LoadCredential=`).
///
/// Where an option names a file, `credential:NAME` is the file NAME in `$CREDENTIALS_DIRECTORY`,
/// which only this service can read.
enum ServiceCredential {
    private static let prefix = "credential:"

    /// The path that a value means: itself, or that of a credential.
    ///
    /// - Throws: ``OptionValueError`` for a credential that cannot be there.
    static func path(_ value: String) throws(OptionValueError) -> String {
        guard value.hasPrefix(prefix) else { return value }
        let name = value.dropFirst(prefix.count)
        // systemd's own rule: the name of a file, and nothing that leads elsewhere.
        guard !name.isEmpty, name != ".", name != "..", !name.contains("/") else {
            throw OptionValueError(
                why: "`\(name)` is not the name of a credential",
                mend: "write credential:NAME, as in LoadCredential=NAME:FILE"
            )
        }
        // SAFETY: the string is copied at once, and nothing in this process sets variables.
        guard
            let place = unsafe getenv("CREDENTIALS_DIRECTORY").map({ unsafe String(cString: $0) }),
            place.hasPrefix("/")
        else {
            throw OptionValueError(
                why: "the service manager has handed over no credentials",
                mend: "add LoadCredential=\(name):FILE to the unit, or name a file"
            )
        }
        return "\(place)/\(name)"
    }
}
