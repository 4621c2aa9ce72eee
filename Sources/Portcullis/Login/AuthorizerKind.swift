internal import Authentication

/// Somebody who can be asked about a user (`auth_order`).
package enum AuthorizerKind: String, CaseIterable, Hashable, Sendable {
    /// The file of users (`virtual_users_file`).
    case virtual
    /// PAM, for accounts of the system and for guests (`local_enable`).
    case pam
    /// Nobody in particular (`anonymous_enable`).
    case anonymous
}

extension Configuration {
    /// Whether this one is asked at all.
    ///
    /// Anonymous users are switched on by themselves; `auth_order` can only move them.
    func asks(_ kind: AuthorizerKind) -> Bool {
        switch kind {
        case .virtual: login.order.contains(kind) && login.virtualUsersFile != nil
        case .pam: login.order.contains(kind) && login.localUsers
        case .anonymous: anonymous.isEnabled
        }
    }

    /// Everybody who is asked, in order; anonymous users come first unless something else is
    /// written.
    var authorizers: [AuthorizerKind] {
        let written = login.order
        let order = written.contains(.anonymous) ? written : [.anonymous] + written
        return order.filter(asks)
    }
}

extension Configuration.Login {
    /// Makes the authorizer of `virtual_users_file`.
    func makeVirtualAuthorizer() -> VirtualAuthorizer? {
        virtualUsersFile.map { VirtualAuthorizer(file: $0, guest: GuestIdentity(name: guestUser)) }
    }

    /// Makes the authorizer that asks PAM.
    func makeUnixAuthorizer() -> Authentication.UnixAuthorizer {
        var settings = Authentication.UnixAuthorizer.Settings(
            service: pamServiceName,
            directory: pamConfigurationDirectory
        )
        settings.guest = makesGuests ? GuestIdentity(name: guestUser) : nil
        settings.checksShell = checksShell
        settings.minimumUser = UInt32(clamping: minimumUser)
        return Authentication.UnixAuthorizer(settings)
    }
}
