package import FTPProtocol

/// Why a client is turned away before its session begins.
package enum ClientRefusal: UInt8, CaseIterable, Hashable, Sendable {
    /// The server is full (`max_clients`).
    case tooManyClients = 1
    /// The address is (`max_per_ip`).
    case tooManyFromAddress
    /// Logins from the address failed too often (`ban_failures`).
    case banned
    /// The address connects too often (`max_connection_rate`).
    case tooOften
    /// The machine is busy (`max_load`).
    case tooBusy
    /// There is no memory or no descriptor for it.
    case noResources
    /// Proxies have opened too many connections and named no client on them (`proxy_networks`).
    case tooManyUnnamed
    /// Too many have not logged in yet (`max_before_login`).
    case tooManyBeforeLogin
    /// What it did could not be audited (`audit_required`).
    case notAudited

    /// What the client is told.
    package var reply: Reply {
        switch self {
        case .tooManyBeforeLogin:
            Reply(421, "Too many clients are waiting to log in, please try later.")
        case .tooManyClients:
            Reply(421, "There are too many connected users, please try later.")
        case .tooManyFromAddress:
            Reply(421, "There are too many connections from your internet address.")
        case .banned:
            Reply(421, "Too many failed logins from your internet address, please try later.")
        case .tooOften:
            Reply(421, "Too many connections in a short time, please try later.")
        case .tooBusy:
            Reply(421, "The server is too busy, please try later.")
        case .noResources, .tooManyUnnamed, .notAudited:
            Reply(421, "Service not available, please try later.")
        }
    }

    /// Text for vsftpd's log, in its words where it has any.
    var ownLogText: String {
        switch self {
        case .tooManyClients: "Connection refused: too many sessions."
        case .tooManyFromAddress: "Connection refused: too many sessions for this address."
        default:
            "Connection refused: \(logText)."
        }
    }

    /// Text for the log.
    var logText: String {
        switch self {
        case .tooManyClients: "max_clients is reached"
        case .tooManyFromAddress: "max_per_ip is reached"
        case .banned: "banned after failed logins (ban_failures)"
        case .tooOften: "max_connection_rate is reached"
        case .tooBusy: "max_load is reached"
        case .noResources: "no resources"
        case .tooManyUnnamed: "too many connections of proxies wait for their PROXY header"
        case .tooManyBeforeLogin: "max_before_login is reached"
        case .notAudited: "the audit trail cannot be written (audit_required)"
        }
    }
}
