/// What a client is told of a refused login.
///
/// One text for everything, so that nobody can find out which accounts exist (RFC 2577 section 7),
/// but for the cases in which the password was right and something else has to be done.
package enum RefusalNotice: UInt8, Hashable, Sendable {
    /// Nothing more is told.
    case incorrect = 1
    /// The account is past its end.
    case accountExpired
    /// The password is past its end, and FTP has no way to change it.
    case passwordExpired
    /// The user has as many sessions as allowed (`max_per_user`).
    case tooManySessions

    /// The text of the reply.
    package var text: String {
        switch self {
        case .incorrect: "Login incorrect."
        case .accountExpired: "Account has expired; ask the administrator of this server."
        case .tooManySessions: "Too many sessions of this user; please try again later."
        case .passwordExpired:
            "Password has expired and must be changed; ask the administrator of this server."
        }
    }
}

extension LoginRefusal {
    /// What the client is told.
    package var notice: RefusalNotice {
        switch self {
        case .accountExpired: .accountExpired
        case .passwordExpired: .passwordExpired
        // Programs that open several connections try again by this text; a guesser from elsewhere does
        // not learn from it that the password was right.
        case .tooManySessions(isTold: true): .tooManySessions
        case .unknownUser, .wrongPassword, .denied, .unavailable, .tooManySessions(isTold: false):
            .incorrect
        }
    }
}
