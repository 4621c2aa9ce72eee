package import FTPProtocol
internal import Glibc

/// What looking a host name up comes to.
package enum HostLookup: Hashable, Sendable {
    /// IPv4 addresses, at least one, in the order of the answer, which may be another each time.
    case found([IPAddress])
    /// The name is known to have none.
    case noAddress
    /// Nobody answers at present.
    case unavailable

    /// Keeps of an answer what a host can have: nobody can connect to the unspecified address, nor to
    /// a group of hosts.
    package init(_ answer: [IPAddress]) {
        let addresses = answer.filter { !$0.isUnspecified && !$0.isMulticast }
        self = addresses.isEmpty ? .noAddress : .found(addresses)
    }
}

/// Looks up the IPv4 addresses of a host name (getaddrinfo(3)).
///
/// May wait for the network; never call it in a process that serves somebody.
package func resolveIPv4(_ name: String) -> HostLookup {
    var hints = unsafe addrinfo()
    unsafe hints.ai_family = AF_INET
    unsafe hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    let status = unsafe getaddrinfo(name, nil, &hints, &list)
    guard status == 0 else {
        return switch status {
        case EAI_AGAIN, EAI_FAIL, EAI_MEMORY, EAI_SYSTEM: .unavailable
        default: .noAddress
        }
    }
    defer { unsafe freeaddrinfo(list) }
    var found: [IPAddress] = []
    var next = unsafe list
    while let entry = unsafe next {
        if let address = unsafe entry.pointee.ai_addr {
            // SAFETY: the hints ask for AF_INET alone, whose addresses are sockaddr_in.
            let number = unsafe address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                unsafe $0.pointee.sin_addr.s_addr
            }
            found.append(.v4(UInt32(bigEndian: number)))
        }
        unsafe next = entry.pointee.ai_next
    }
    return HostLookup(found)
}
