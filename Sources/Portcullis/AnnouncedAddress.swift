internal import FTPProtocol

extension IPAddress {
    /// Who alone can connect to the address when it is announced in the reply to PASV; `nil` where
    /// that is nobody in particular.
    var announcementRemark: String? {
        if isLoopback { return "only clients on this machine can connect to \(self)" }
        guard isPrivate else { return nil }
        return "only clients within networks of your own can connect to \(self); EPSV works for all"
    }
}

extension Configuration.Passive {
    /// The name that is looked up for the reply to PASV, where it is one (`pasv_addr_resolve`).
    var announcedName: String? {
        guard isEnabled, resolvesAddress, let address, IPAddress(address) == nil else { return nil }
        return address
    }

    /// What to say of the address that this name has at present.
    func remark(onResolved resolved: IPAddress?) -> String? {
        guard let name = announcedName, let text = resolved?.announcementRemark else { return nil }
        return "pasv_address: \(name.shownInOneLine): \(text)"
    }
}
