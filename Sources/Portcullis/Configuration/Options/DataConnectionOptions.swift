extension ConfigurationOption {
    /// Data connections that the client opens.
    static let passive: [ConfigurationOption] = [
        .toggle("pasv_enable", sets: \.passive.isEnabled),
        .passivePort("pasv_min_port", 1024...65535, else: 1024, sets: \.passive.minimumPort),
        .passivePort("pasv_max_port", 1...65535, else: 65535, sets: \.passive.maximumPort),
        .number("pasv_max_per_ip", 0...500, sets: \.passive.maximumPerAddress),
        .text("pasv_address", .word, sets: \.passive.address),
        .toggle("pasv_addr_resolve", sets: \.passive.resolvesAddress),
        .seconds("pasv_addr_resolve_interval", 1...86_400, sets: \.passive.resolveInterval),
        .parsed("masquerade_address_map", sets: \.passive.masquerades, by: Masquerade.list),
        .networks("pasv_local_networks", sets: \.passive.localNetworks),
        .toggle("pasv_promiscuous") { $0.allowsAnyPassive = $1 },
        .networks("pasv_promiscuous_networks", sets: \.passive.promiscuousNetworks),
        .toggle("permit_foreign_addresses") { $0.permitsForeignAddresses = $1 },
    ]

    /// Data connections that the server opens.
    static let active: [ConfigurationOption] = [
        .toggle("port_enable", sets: \.active.isEnabled),
        .toggle("port_promiscuous") { $0.allowsAnyActive = $1 },
        .toggle("permit_privileged_ports", sets: \.active.allowsPrivilegedPorts),
        .toggle("connect_from_port_20", sets: \.active.usesDataPort),
        .port("ftp_data_port", 1...65535, sets: \.active.dataPort),
    ]

    /// How long each step may take.
    static let timeouts: [ConfigurationOption] = [
        .seconds("accept_timeout", 1...604_800, sets: \.timeouts.accept),
        .seconds("connect_timeout", 1...604_800, sets: \.timeouts.connect),
        .seconds("idle_session_timeout", 1...604_800, sets: \.timeouts.idle),
        .seconds("data_connection_timeout", 1...604_800, sets: \.timeouts.data),
        .seconds("login_timeout", 1...604_800, sets: \.timeouts.login),
        .seconds("shutdown_timeout", 0...604_800, sets: \.timeouts.shutdown),
    ]
}
