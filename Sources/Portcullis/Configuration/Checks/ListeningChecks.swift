extension ConfigurationDraft {
    /// Checks that clients can connect at all.
    mutating func checkListening() {
        let listening = configuration.listening
        guard listening.ipv4 || listening.ipv6 else {
            refuse(
                "listen",
                why: "neither IPv4 nor IPv6 is listened on",
                mend: "write listen=YES or listen_ipv6=YES"
            )
            return
        }
        if let port = listening.implicitPort, port != 0, port == listening.port {
            refuse(
                "implicit_listen_port",
                why: "it is the same as listen_port",
                mend: "write another port, such as 990, or implicit_ssl=YES without it"
            )
        }
        if !listening.ipv4 {
            ignore("listen_address", why: "listen=NO, so no IPv4 socket is opened")
        }
        if !listening.ipv6 {
            ignore("listen_address6", why: "no IPv6 socket is opened without listen_ipv6=YES")
        }
    }
}
