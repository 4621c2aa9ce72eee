internal import Isolation

/// What owners are called, each asked for once (`text_userdb_names`).
final class OwnerNames {
    /// Numbers that are remembered; further ones show as numbers.
    private static let maximumCount = 1_000

    private let warden: any SessionWarden
    private var names: [AccountNumber: String?] = [:]

    init(_ warden: any SessionWarden) {
        self.warden = warden
    }

    /// The name, or `nil` where the number has to do.
    func name(of account: AccountNumber) -> String? {
        if let known = names[account] { return known }
        guard names.count < Self.maximumCount else { return nil }
        // A Warden that is gone is noticed where the session waits.
        let name = try? warden.name(of: account)
        names[account] = .some(name)
        return name
    }
}
