/// Why a login was refused.
///
/// The client learns next to nothing of this (``RefusalNotice``), so that nobody can find out which
/// accounts exist (RFC 2577 section 7).
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
    ///
    /// `isGuess` where it does so whatever the password, so that a right one and a wrong one count alike.
    case denied(rule: String, isGuess: Bool = false)
    /// The user has as many sessions as allowed (`max_per_user`).
    ///
    /// The client is told only where the user is at work from its network already.
    case tooManySessions(isTold: Bool)
    /// The check could not be made.
    case unavailable(reason: String)

    /// Whether somebody may have been guessing, which counts towards a ban of the address.
    package var isFailedProof: Bool {
        switch self {
        case .unknownUser, .wrongPassword, .denied(rule: _, isGuess: true): true
        case .accountExpired, .passwordExpired, .denied(rule: _, isGuess: false), .tooManySessions,
            .unavailable:
            false
        }
    }

    /// Text for the log.
    package var logText: String {
        switch self {
        case .unknownUser: "unknown user"
        case .wrongPassword: "unknown user or wrong password"
        case .accountExpired: "account expired"
        case .passwordExpired: "password must be changed"
        case .denied(let rule, _): rule
        case .tooManySessions: "max_per_user is reached"
        case .unavailable(let reason): "not checked: \(reason)"
        }
    }
}
