internal import FTPProtocol
internal import Isolation

extension ConfigurationOption {
    /// Where the daemon listens, and for how many clients.
    static let listening: [ConfigurationOption] = [
        .toggle("listen", sets: \.listening.ipv4),
        .toggle("listen_ipv6", sets: \.listening.ipv6),
        .port("listen_port", 0...65535, sets: \.listening.port),
        .extraPort("implicit_listen_port", example: 990, sets: \.listening.implicitPort),
        .extraPort("plain_listen_port", example: 2121, sets: \.listening.plainPort),
        .text("listen_address", .word) { (draft, text) in
            draft.configuration.listening.address = nil
            guard let text else { return .honoured }
            guard let address = IPAddress(text), case .v4 = address else {
                return .refused(
                    why: "the value is not an IPv4 address",
                    mend: "write four numbers with dots, or use listen_address6"
                )
            }
            draft.configuration.listening.address = address
            return .honoured
        },
        .parsed("listen_address6", sets: \.listening.address6) { (text) throws(OptionValueError) in
            try OptionValue.text(text).map(ZonedAddress.read)
        },
        .toggle("proxy_protocol", sets: \.listening.takesProxyHeaders),
        .networks("proxy_networks", sets: \.listening.proxyNetworks),
        .number("max_clients", 0...1_000_000, sets: \.listening.maximumClients),
        .number(
            "max_before_login",
            0...1_000_000,
            sets: \.listening.maximumClientsBeforeLogin
        ),
        .number("max_per_ip", 0...1_000_000, sets: \.listening.maximumClientsPerAddress),
        .number("max_per_user", 0...1_000_000, sets: \.listening.maximumSessionsPerUser),
        .number(
            "max_connection_rate",
            0...1_000_000,
            sets: \.listening.maximumConnectionRate
        ),
        .hundredths("max_load", sets: \.listening.maximumLoad),
        .number("ban_failures", 0...1_000_000, sets: \.listening.bans.failures),
        .seconds("ban_period", 1...86_400, sets: \.listening.bans.period),
        .seconds("ban_time", 1...31_536_000, sets: \.listening.bans.time),
        .number("user_lock_failures", 0...1_000_000, sets: \.listening.userLocks.failures),
        .seconds("user_lock_period", 1...86_400, sets: \.listening.userLocks.period),
        .seconds("user_lock_time", 1...31_536_000, sets: \.listening.userLocks.time),
        .ignoredToggle(
            "tcp_wrappers",
            when: true,
            why: "libwrap is not supported, so filter addresses in the firewall"
        ),
    ]

    /// A port beside `listen_port`; none where the value is empty.
    private static func extraPort(
        _ name: String,
        example: UInt16,
        sets path: any ConfigurationPath<UInt16?>
    ) -> ConfigurationOption {
        .text(name, .word) { (draft, text) in
            draft.configuration[keyPath: path] = nil
            guard let text else { return .honoured }
            guard let port = UInt16(text) else {
                let mend = "write a number such as \(example)"
                return .refused(why: "the value is no port", mend: mend)
            }
            draft.configuration[keyPath: path] = port
            return .honoured
        }
    }
}
