internal import FTPProtocol

extension ConfigurationDraft {
    /// Settles which addresses data connections may come from and lead to, on which other checks
    /// depend.
    mutating func settleForeignAddresses() {
        configuration.passive.isPromiscuous = allowsAnyPassive || permitsForeignAddresses
        configuration.active.isPromiscuous = allowsAnyActive || permitsForeignAddresses
        if allowsAnyActive { configuration.active.allowsPrivilegedPorts = true }
    }

    /// Checks the passive range, the address in the reply to PASV, and the active port.
    mutating func checkDataConnections() {
        let passive = configuration.passive
        if passive.isPromiscuous {
            ignore("pasv_promiscuous_networks", why: "every address may open data connections")
        }
        // vsftpd widens a swapped pair to every port, and the firewall then drops transfers.
        if passive.maximumPort < passive.minimumPort {
            refuse(
                "pasv_max_port",
                why: "it is below pasv_min_port, which is \(passive.minimumPort)",
                mend: "write the lower port in pasv_min_port and the higher in pasv_max_port"
            )
        }
        if let address = passive.address, !passive.resolvesAddress {
            switch IPAddress(address) {
            case .v4(let number): checkAnnounced(.v4(number), of: "pasv_address")
            case .v6:
                refuse(
                    "pasv_address",
                    why: "the reply to PASV has no room for an IPv6 address",
                    mend: "write an IPv4 address, as EPSV needs none"
                )
            case nil:
                refuse(
                    "pasv_address",
                    why: "the value is not an IPv4 address",
                    mend: "write four numbers with dots, or pasv_addr_resolve=YES for a name"
                )
            }
        }
        for masquerade in passive.masquerades {
            checkAnnounced(masquerade.announced, of: "masquerade_address_map")
        }
        if !passive.localNetworks.isEmpty, passive.address == nil, passive.masquerades.isEmpty {
            ignore("pasv_local_networks", why: "there is no other address to announce")
        }
        if passive.address == nil {
            ignore("pasv_addr_resolve", why: "there is no pasv_address to look up")
        }
        if !configuration.active.usesDataPort {
            ignore("ftp_data_port", why: "it needs connect_from_port_20=YES")
        }
        if configuration.active.usesDataPort, !configuration.active.isEnabled {
            remark(
                on: "connect_from_port_20",
                "port_enable=NO, so no connection is opened from there"
            )
        }
        if !passive.isEnabled, !configuration.active.isEnabled {
            remark(on: "pasv_enable", "port_enable=NO too, so no transfer is possible")
        }
    }

    /// Says what the reply to PASV leads nobody to, or only some.
    private mutating func checkAnnounced(_ address: IPAddress, of option: String) {
        if address.isUnspecified || address.isMulticast {
            refuse(
                option,
                why: "nobody can connect to \(address)",
                mend: "write the address by which clients reach this server"
            )
        } else if let text = address.announcementRemark {
            remark(on: option, text)
        }
    }
}
