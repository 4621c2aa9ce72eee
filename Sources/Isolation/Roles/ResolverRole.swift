package import FTPProtocol
internal import LinuxSystem

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
/// Unprivileged, and connected to nobody: it writes one number on a page that Wardens read, and the
/// Listener, which tells the log what has changed.
enum ResolverRole {
    /// How often a name is looked up of which no address is known yet.
    private static let unknownInterval: Duration = .seconds(5)

    /// How long one look may take, several name servers that do not answer included.
    ///
    /// A process that takes longer hangs: the kernel ends it, and the Listener starts another.
    private static let lookupLimit: Duration = .seconds(180)

    /// Becomes the resolver.
    static func run(
        _ announced: AnnouncedName,
        on page: SharedPage,
        as credentials: Credentials?,
        _ systemCalls: SystemCallPolicy
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
            let pause = isKnown ? announced.interval : min(announced.interval, Self.unknownInterval)
            try? KillTimer.start(pause + Self.lookupLimit)
            sleep(for: pause)
            let lookup = resolveIPv4(announced.name)
            _ = memory.take(lookup)
            page.put(memory.address, after: lookup)
        }
    }
}

extension SharedPage {
    /// Announces an IPv4 address, and tells how the last look went: both in one number, which changes
    /// at once.
    func put(_ address: IPAddress?, after lookup: HostLookup = .found([])) {
        var number: UInt32 = 0
        if case .v4(let found) = address { number = found }
        let mark: Int64 =
            switch lookup {
            case .found: 0
            case .noAddress: 1
            case .unavailable: 2
            }
        while !exchange(load(0), for: mark << 32 | Int64(number), at: 0) {}
    }

    /// How the last look went, as far as the page tells; `nil` before there was any.
    var announcedLookup: HostLookup? {
        switch load(0) >> 32 {
        case 0: announcedAddress.map { .found([$0]) }
        case 1: .noAddress
        default: .unavailable
        }
    }

    /// The address that is announced now; `nil` where none was ever written.
    var announcedAddress: IPAddress? {
        let number = UInt32(truncatingIfNeeded: load(0))
        return number == 0 ? nil : .v4(number)
    }
}
