internal import Authentication
internal import FTPProtocol
internal import Glibc
internal import LinuxSystem
internal import Logging

// Processes that end.

extension Listener {
    /// Reaps children; `true` when a signal asked to end.
    func takeSignals() -> Bool {
        var mustEnd = false
        while let signal = signals.next() {
            switch signal {
            case SIGTERM, SIGINT:
                // Both may be there at once.
                if mustEnd { endsAtOnce = true }
                mustEnd = true
            case SIGUSR2:
                mustEnd = true
                leavesSessions = true
            case SIGHUP: _ = reread(for: nil)
            default: break
            }
        }
        var hasLost = false
        while let (process, status) = DaemonProcess.reap() {
            if retiredSigners.remove(process) != nil { continue }
            if admin?.noteEnd(of: process, logger) == true { continue }
            if metrics?.noteEnd(of: process, logger) == true { continue }
            if process == auditor?.process {
                auditor?.noteEnd()
                continue
            }
            if process == resolver.number {
                let pause = resolver.noteEnd()
                logger.error(
                    "the process that looks pasv_address up has ended; another starts in \(pause)"
                )
                continue
            }
            if closers.remove(process) != nil {
                if status == RoleStatus.leavesChildren { orphans.tolerate(besides: ownProcesses) }
                if status > 128 { hasLost = true }
                continue
            }
            if process == signer?.process {
                logger.error("the process that signs handshakes has ended")
                signer = nil
                nextAttempt = .passed
                continue
            }
            if freeWardens.remove(process) { continue }
            guard counter.contains(process) else {
                if orphans.remove(process) { hasLost = true }
                continue
            }
            if status == RoleStatus.leavesChildren { orphans.tolerate(besides: ownProcesses) }
            if status > 128 { hasLost = true }
            if status == 128 + SIGKILL {
                logger.warning(
                    "a session was killed: its login took too long (pam_timeout), or memory ran out"
                )
            } else if status > 128 {
                logger.error(
                    "a session's warden ended by signal \(status - 128); see its PAM modules"
                )
            }
            forget(process)
        }
        if hasLost, !orphans.end(besides: ownProcesses) {
            logger.warning("programs of PAM modules may be left: /proc does not show children")
        }
        return mustEnd
    }

    /// Forgets a session whose process lives on, and could serve another.
    func free(_ process: CInt) {
        if let age = census.age(of: process) {
            meter?.observe(Metrics.sessionDurations, nanoseconds: age)
        }
        let warden = WardenProcess(process, census.release(process))
        counter.remove(process)
        auditor?.remove(process)
        freeWardens.add(warden)
    }

    /// Forgets a session that has ended, and closes what it cannot close any more.
    func forget(_ process: CInt) {
        if let left = census.leftSession(of: process) { close(left) }
        if let age = census.age(of: process) {
            meter?.observe(Metrics.sessionDurations, nanoseconds: age)
        }
        counter.remove(process)
        census.remove(process)
        auditor?.remove(process)
        forgetPassivePort(of: process)
    }

    private func close(_ left: LeftSession) {
        do throws(SystemError) {
            switch try DaemonProcess.fork() {
            case .child: CloserRole.run(left, authorizers, within: settings.warden.loginLimit)
            case .parent(let process):
                closers.insert(process)
                meter?.noteStart(of: .closer)
            }
        } catch {
            logger.error(
                "a PAM session of \(LogText.value(left.user.utf8)) stays open: \(error)"
            )
        }
    }

    /// Has the passive port of a Warden that has ended count no longer.
    private func forgetPassivePort(of process: CInt) {
        guard settings.warden.maximumPassivePerAddress > 0 else { return }
        // Mapped for the moment only: a Session that is forked later must not have it.
        guard let page = census.mapServerPage(.passivePorts) else {
            logger.error("pasv_max_per_ip: a port that is closed may count on")
            return
        }
        PassivePortLedger.forget(process, on: page)
    }

    /// The children that this process has started itself.
    private var ownProcesses: Set<CInt> {
        retiredSigners.union(counter.processes)
            .union(
                [
                    signer?.process, resolver.number, auditor?.process, admin?.process,
                    metrics?.process,
                ]
                .compactMap(\.self)
            )
            .union(closers)
            .union(freeWardens.processes)
    }
}
