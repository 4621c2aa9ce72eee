/// Why a login is not even checked.
enum LoginBar {
    /// Too many failed, from the address or its network; or nothing can be counted.
    case addressIsBanned
    /// Too many failed in the user's name.
    case userIsLocked

    /// What the log says.
    var rule: String {
        switch self {
        case .addressIsBanned: "banned (ban_failures)"
        case .userIsLocked: "locked out (user_lock_failures)"
        }
    }
}
