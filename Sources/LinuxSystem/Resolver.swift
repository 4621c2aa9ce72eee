package import FTPProtocol
internal import Glibc

/// Looks up the first IPv4 address of a host name (getaddrinfo(3)).
///
/// May wait for the network; never call it in a process that serves somebody.
package func resolveIPv4(_ name: String) -> IPAddress? {
    var hints = unsafe addrinfo()
    unsafe hints.ai_family = AF_INET
    unsafe hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard unsafe getaddrinfo(name, nil, &hints, &list) == 0, let first = unsafe list else {
        return nil
    }
    defer { unsafe freeaddrinfo(first) }
    guard let address = unsafe first.pointee.ai_addr else { return nil }
    // SAFETY: the hints ask for AF_INET alone, whose addresses are sockaddr_in.
    return unsafe address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
        .v4(UInt32(bigEndian: unsafe $0.pointee.sin_addr.s_addr))
    }
}
