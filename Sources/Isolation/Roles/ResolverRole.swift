package import FTPProtocol
internal import LinuxSystem
internal import Logging

/// The name that is announced to clients by its address (`pasv_addr_resolve`).
package struct AnnouncedName: Sendable {
    /// The name (`pasv_address`).
    package let name: String

    /// The address that it had at the start; `nil` when nobody could tell it then.
    package let address: IPAddress?

    /// How long it is believed (`pasv_addr_resolve_interval`).
    package let interval: Duration

    /// Describes a name.
    package init(_ name: String, _ address: IPAddress?, interval: Duration) {
        self.name = name
        self.address = address
        self.interval = interval
    }
}

/// The process that looks the announced name up again and again, so that nobody else ever waits for
/// a name server.
///
/// Unprivileged, and connected to nobody: it writes one number on a page that Wardens read.
enum ResolverRole {
    /// How often a name is looked up of which no address is known yet.
    private static let unknownInterval: Duration = .seconds(5)

    /// Becomes the resolver.
    static func run(
        _ announced: AnnouncedName,
        on page: SharedPage,
        as credentials: Credentials?,
        _ systemCalls: SystemCallPolicy,
        _ logger: Logger
    ) -> Never {
        DaemonProcess.setName("ftps-resolver")
        do throws(SystemError) {
            try DaemonProcess.closeDescriptors(except: [])
            try DaemonProcess.resetSignals()
            try DaemonProcess.outliveTermination()
            try Confinement.enterResolver(as: credentials, systemCalls)
        } catch {
            DaemonProcess.exit(RoleStatus.notConfined)
        }
        // What is announced now, and not at the start: this may be a later process of the kind.
        var memory = NameMemory(page.announcedAddress)
        while true {
            let isKnown = memory.address != nil
            sleep(for: isKnown ? announced.interval : min(announced.interval, Self.unknownInterval))
            if let news = memory.take(resolveIPv4(announced.name)) {
                logger.notice("pasv_address: \(announced.name) \(news)")
            }
            if let address = memory.address { page.put(address) }
        }
    }
}

extension SharedPage {
    /// Announces an IPv4 address.
    func put(_ address: IPAddress) {
        guard case .v4(let number) = address else { return }
        while !exchange(load(0), for: Int64(number), at: 0) {}
    }

    /// The address that is announced now; `nil` where none was ever written.
    var announcedAddress: IPAddress? {
        let number = UInt32(truncatingIfNeeded: load(0))
        return number == 0 ? nil : .v4(number)
    }
}
