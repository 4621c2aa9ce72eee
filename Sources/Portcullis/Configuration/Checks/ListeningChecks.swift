extension ConfigurationDraft {
    /// Checks that clients can connect at all.
    mutating func checkListening() {
        let listening = configuration.listening
        if !listening.ipv4, !listening.ipv6 {
            // Whether there will be any is known when the server starts, which is refused otherwise.
            remark(on: "listen", "the server starts only with sockets that are handed over to it")
        }
        if listening.takesProxyHeaders, listening.proxyNetworks.isEmpty {
            refuse(
                "proxy_protocol",
                why: "no proxy is named, and anybody could claim any address",
                mend: "name the load balancers in proxy_networks"
            )
        }
        if !listening.takesProxyHeaders {
            if !listening.proxyNetworks.isEmpty {
                ignore("proxy_networks", why: "proxy_protocol=NO, so no header is read")
            }
            configuration.listening.proxyNetworks = []
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
