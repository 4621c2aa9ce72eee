internal import Authentication
internal import FTPProtocol
internal import Glibc
internal import LinuxSystem
internal import Logging

// What the Listener waits for, and what Wardens have to say.

extension Listener {
    /// Waits for clients; `false` when a signal asked to end.
    func wait(until deadline: Deadline) -> Bool {
        var entries = [PollEntry(signals.descriptor.number, reading: true)]
        entries += sockets.map { PollEntry($0.descriptor.number, reading: !isFull) }
        // Out of descriptors or memory: look again a little later instead of spinning.
        var limit = isFull ? min(deadline, Deadline(after: .milliseconds(200))) : deadline
        if hasSigner, signer == nil, !isEnding { limit = min(limit, nextAttempt) }
        if settings.announcedName != nil, !isEnding {
            limit = min(limit, resolver.nextStart, nextLookAtName)
        }
        if let timers { limit = min(limit, timers.next) }
        if let signer { limit = min(limit, signer.nextLook) }
        if let manager { limit = min(limit, manager.nextSign) }
        limit = min(limit, orphans.next, freeWardens.next)
        if let admin, !isEnding { limit = min(limit, admin.nextStart) }
        if let metrics, !isEnding { limit = min(limit, metrics.nextStart) }
        isFull = false
        let signerIndex = entries.count
        entries.append(signer.map { PollEntry($0.pollNumber, reading: true) } ?? .none)
        limit = min(limit, auditor?.restartTime ?? .never)
        entries.append(admin?.pollEntry ?? .none)
        entries.append(auditor?.pollEntry ?? .none)
        entries.append(census.pollEntry)
        _ = try? poll(&entries, until: limit)
        if entries[entries.count - 1].isReadable {
            for process in census.reporters() { serveCensus(process) }
        }
        if entries[signerIndex].isReadable { signer?.noteAnswer() }
        timers?.runDue()
        if entries[signerIndex + 1].isReadable { serveAdmin() }
        auditor?.serve(entries[signerIndex + 2])
        manager?.giveSign(statusLine)
        let goesOn = !takeSignals()
        orphans.endLate()
        freeWardens.endLate()
        endHangingSigner()
        auditor?.restore()
        restoreSigner()
        restoreResolver()
        reportName()
        tendDesks()
        return goesOn
    }

    /// Ends a Signer that lives and does nothing, so that there can be another one.
    private func endHangingSigner() {
        guard let hanging = signer, hanging.isHanging() else { return }
        logger.error("the process that signs handshakes does not answer, and is ended")
        DaemonProcess.signal(hanging.process, SIGKILL)
        retiredSigners.insert(hanging.process)
        signer = nil
        nextAttempt = .passed
    }

    /// Starts another Signer when there is none, again and again until it works.
    private func restoreSigner() {
        guard hasSigner, signer == nil, !isEnding, nextAttempt.hasPassed else { return }
        nextAttempt = Deadline(after: .seconds(5))
        logger.error("no handshake can be signed; starting the process that does again")
        _ = reload(false)
        freeWardens.retire()
    }

    private func serveCensus(_ process: CInt) {
        switch census.serve(process) {
        case .attempt(let process, let address, let user):
            let isLocked = locks.holds(user)
            census.answer(process, bans.holds(address) ? .full : isLocked ? .locked : .admitted)
        case .client(let process, let address):
            if let refusal = refusal(of: address) {
                meter?.note(refusal)
                census.answer(process, .refused(refusal))
            } else {
                counter.add(process, from: address)
                census.noteClient(of: process)
                census.answer(process, .admitted)
            }
        case .refusedLogin(let process, let address, let user, let isFailedProof):
            // Counted apart: many addresses that guess at one user, and one that guesses at many. A
            // right password that is refused counts as well, or its reply would come sooner.
            let ofUser = failuresOfUsers.note(user: user)
            let fromAddress = failuresFromAddresses.note(address.network)
            census.answer(process, .failures(max(ofUser, fromAddress)))
            guard isFailedProof else { return }
            if locks.noteFailure(of: user) {
                let shown = LogText.value(user.utf8)
                logger.warning("user locked out", metadata: ["user": .string(shown)])
            }
            guard bans.noteFailure(from: address) else { return }
            logger.warning("address banned", metadata: ["address": .stringConvertible(address)])
        case .free(let process): free(process)
        case .violation(let process, let error):
            // A Warden reads nothing of the network and still is not believed.
            logger.error("violation on the census channel: \(error)")
            DaemonProcess.signal(process, SIGKILL)
        case nil: break
        }
    }
}
