extension ConfigurationOption {
    /// Users who are no accounts of the system, and in which order who is asked about a user.
    static let accounts: [ConfigurationOption] = [
        ConfigurationOption(["auth_order"], parse: authorizers) { (draft, order) in
            draft.configuration.login.order = order
            return .honoured
        },
        .text("virtual_users_file", sets: \.login.virtualUsersFile),
        .toggle("guest_enable", sets: \.login.makesGuests),
        .name("guest_username", sets: \.login.guestUser),
        .toggle("virtual_use_local_privs", sets: \.login.guestsAreLocal),
        .toggle("check_shell", sets: \.login.checksShell),
        .seconds("pam_timeout", 1...3600, sets: \.login.checkTimeout),
    ]

    @Sendable private static func authorizers(
        _ text: String
    ) throws(OptionValueError) -> [AuthorizerKind] {
        let all = AuthorizerKind.allCases.map(\.rawValue).joined(separator: ",")
        var order: [AuthorizerKind] = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            let name = String(decoding: Array(word.utf8).trimmingBlanks(), as: UTF8.self)
            guard let kind = AuthorizerKind(rawValue: name), !order.contains(kind) else {
                throw OptionValueError(
                    why: "the value is not a list of different names",
                    mend: "write some of \(all), separated by commas"
                )
            }
            order.append(kind)
        }
        return order
    }
}
