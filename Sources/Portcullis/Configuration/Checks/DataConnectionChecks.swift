internal import FTPProtocol

extension ConfigurationDraft {
    /// Checks the passive range, the address in the reply to PASV, and the active port.
    mutating func checkDataConnections() {
        let passive = configuration.passive
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
            case .v4: break
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
        if passive.address == nil {
            ignore("pasv_addr_resolve", why: "there is no pasv_address to look up")
        }
        if !configuration.active.usesDataPort {
            ignore("ftp_data_port", why: "it needs connect_from_port_20=YES")
        }
        if !passive.isEnabled, !configuration.active.isEnabled {
            remark(on: "pasv_enable", "port_enable=NO too, so no transfer is possible")
        }
    }
}
