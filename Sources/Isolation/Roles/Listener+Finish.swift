internal import Glibc
internal import LinuxSystem
internal import Logging

// How the server ends.

extension Listener {
    /// How long the Auditor may take to leave the file to another server.
    private static let handOverLimit: Duration = .seconds(10)

    /// Sees to it that another server can write to the audit trail, while sessions of this one go on.
    ///
    /// - Returns: Whether they can be left to their Wardens.
    private func handOverTrail() -> Bool {
        guard let auditor else { return true }
        // Nobody has records for a branch then, and there is nobody to wait for.
        guard !counter.isEmpty else { return false }
        guard !auditor.handOver(within: Self.handOverLimit) else { return true }
        logger.error(
            "audit_log_file: no other server can write to it yet; this one ends as by SIGTERM"
        )
        return false
    }

    /// Makes room for another server at once, and leaves the sessions to their Wardens.
    private func stepAside() {
        logger.notice(
            "ending at once; transfers that run go on",
            metadata: ["sessions": .stringConvertible(counter.processes.count)]
        )
        manager?.noteEnd("ending, \(statusLine)", within: .seconds(15))
        sockets = []
        admin?.close()
        metrics?.close()
        do throws(SystemError) {
            try leash.write([1])
        } catch {
            logger.error("transfers that run are cut off at shutdown_timeout: \(error)")
        }
    }

    func finish() {
        isEnding = true
        freeWardens.retire()
        if leavesSessions, handOverTrail() {
            stepAside()
            return
        }
        logger.notice("ending", metadata: ["sessions": .stringConvertible(counter.processes.count)])
        manager?.noteEnd(
            "ending, \(statusLine)",
            within: settings.warden.shutdownTimeout + .seconds(15)
        )
        sockets = []
        admin?.close()
        admin = nil
        metrics?.close()
        metrics = nil
        leash.closeInput()
        var deadline =
            endsAtOnce ? .passed : Deadline(after: settings.warden.shutdownTimeout + .seconds(5))
        while !(counter.isEmpty && closers.isEmpty && freeWardens.isEmpty), !deadline.hasPassed {
            if !wait(until: deadline) { deadline = .passed }
        }
        for process in counter.processes {
            end(process)
            forget(process)
        }
        for process in freeWardens.processes { end(process) }
        // What a killed session has left open is closed within the same moment as ever.
        deadline = Deadline(after: .seconds(5))
        for process in closers {
            _ = DaemonProcess.awaitEnd(of: process, until: deadline)
            end(process)
        }
        for process in [signer?.process, resolver.number].compactMap(\.self) + retiredSigners {
            end(process)
        }
        // What the sessions that were killed just now have left; bounded, for what hangs in the kernel.
        deadline = Deadline(after: Orphans.grace + .seconds(2))
        orphans.end(besides: Set([auditor?.process].compactMap(\.self)))
        while orphans.isEnding, !deadline.hasPassed { _ = wait(until: deadline) }
        auditor?.finish(within: .seconds(5))
        logger.notice("ended")
    }
}

/// Kills a child and reaps it.
private func end(_ process: CInt) {
    DaemonProcess.signal(process, SIGKILL)
    _ = DaemonProcess.reap(process, waits: true)
}
