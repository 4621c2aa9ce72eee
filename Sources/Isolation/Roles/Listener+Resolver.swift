internal import LinuxSystem
internal import Logging

// The name that PASV announces.

extension Listener {
    /// Starts the process that looks the announced name up when there is none, again and again.
    func restoreResolver() {
        guard let announced = settings.announcedName, !isEnding, resolver.isDue else {
            return
        }
        guard let page = census.mapServerPage(.announcedAddress) else {
            logger.error("pasv_address: no memory in which to tell the address of a name")
            resolver.noteEnd()
            return
        }
        // A later process goes on from what the one before has found.
        if page.announcedAddress == nil {
            if let address = announced.address {
                page.put(address)
            } else {
                logger.warning(
                    "pasv_address: \(announced.name) cannot be looked up yet; until then PASV is refused"
                )
            }
        }
        if nameMemory.address == nil { nameMemory = NameMemory(page.announcedAddress) }
        switch try? DaemonProcess.fork() {
        case .child:
            ResolverRole.run(
                announced,
                on: page,
                as: settings.warden.unprivileged,
                settings.warden.systemCalls
            )
        case .parent(let process):
            resolver.noteStart(process)
            meter?.noteStart(of: .resolver)
        case nil:
            logger.error("pasv_address: no process to look \(announced.name) up again")
            resolver.noteEnd()
        }
    }

    /// Tells the log what the resolver has found, once a second: that process has no log of its own,
    /// in which whoever takes it over could write.
    func reportName() {
        guard let name = settings.announcedName?.name, !isEnding, nextLookAtName.hasPassed else {
            return
        }
        nextLookAtName = Deadline(after: .seconds(1))
        // Mapped for the moment only: a Session that is forked later must not have it.
        guard let lookup = census.mapServerPage(.announcedAddress)?.announcedLookup,
            let news = nameMemory.take(lookup)
        else { return }
        let mayLog = nameBudget.admits {
            logger.warning("pasv_address: lines about changes dropped: \($0)")
        }
        if mayLog { logger.notice("pasv_address: \(name) \(news)") }
    }
}
