/// Why a login was refused.
///
/// The client learns none of this: every refusal is `530 Login incorrect.`, so that nobody can find
/// out which accounts exist (RFC 2577 section 7).
package enum LoginRefusal: Error, Hashable, Sendable {
    /// This authorizer does not know the user; another one may.
    case unknownUser
    /// The password is wrong, or the account does not exist.
    case wrongPassword
    /// The account may not be used (any more).
    case accountExpired
    /// The password must be changed first, which FTP has no way to do.
    case passwordExpired
    /// A rule of this server keeps the user out.
    case denied(rule: String)
    /// The user has as many sessions as allowed (`max_per_user`).
    case tooManySessions
    /// The check could not be made.
    case unavailable(reason: String)

    /// Whether somebody may have been guessing, which counts towards a ban of the address.
    package var isFailedProof: Bool {
        switch self {
        case .unknownUser, .wrongPassword, .denied: true
        case .accountExpired, .passwordExpired, .tooManySessions, .unavailable: false
        }
    }

    /// Text for the log.
    package var logText: String {
        switch self {
        case .unknownUser: "unknown user"
        case .wrongPassword: "unknown user or wrong password"
        case .accountExpired: "account expired"
        case .passwordExpired: "password must be changed"
        case .denied(let rule): rule
        case .tooManySessions: "max_per_user is reached"
        case .unavailable(let reason): "not checked: \(reason)"
        }
    }
}
