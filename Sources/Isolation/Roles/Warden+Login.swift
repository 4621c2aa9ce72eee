internal import Authentication
internal import LinuxSystem
internal import Logging

// What bounds a check of a login, and what it asks the client.

extension Warden {
    /// Refuses a login that is not even to be checked.
    func admit(_ user: String, _ proof: LoginProof) throws(LoginRefusal) {
        guard let bar = census.bar(to: user) else { return }
        // Nobody guesses at a certificate, and so nobody can keep its owner out.
        if case (.userIsLocked, .certificate) = (bar, proof) { return }
        throw .denied(rule: bar.rule)
    }

    /// Waits before a refusal.
    ///
    /// It comes after a whole number of delays, whatever was checked meanwhile: what a user costs to
    /// check must not tell who there is, even with delay_failed_login=0.
    ///
    /// - Parameter failures: Logins that failed of late, by the user or from the address.
    func awaitRefusal(after failures: UInt32) {
        let backOff = BackOff(base: settings.failureDelay, maximum: settings.maximumFailureDelay)
        let period = max(backOff.delay(after: failures), refusalPeriod)
        // The Session awaits no outcome for longer.
        let end = min(
            watch.deadline(settings.loginLimit - .milliseconds(500)),
            Deadline(after: watch.restOfPeriod(period))
        )
        wait(until: end)
    }

    /// Waits, unless the server is to end meanwhile, or the session has to make room.
    func wait(until time: Deadline) {
        // Whoever was told to finish has no reason to be let off a wait any more.
        let isTold = finishTime != .never
        let end = min(time, finishTime)
        while !end.hasPassed {
            var entries = [
                isTold ? .none : PollEntry(leash, reading: true),
                isTold || state.isLoggedIn ? .none : PollEntry(census.pollNumber),
            ]
            guard (try? poll(&entries, until: end)) != nil else { return }
            if entries[0].isReadable || entries[1].hasHungUp { return }
        }
    }

    /// Has the kernel end this process unless the check of a login ends in time.
    ///
    /// PAM modules may hang for ever, and nothing else could end them: a module may have blocked
    /// every signal. The Session has told the client by then, and goes with this process.
    func limitLogin() {
        do throws(SystemError) {
            try KillTimer.start(settings.loginLimit + .seconds(2))
        } catch {
            logger.warning("pam_timeout does not hold: \(error)")
        }
    }

    /// Asks the client for something besides the password, while a check waits for it.
    ///
    /// Meanwhile the client counts as one that waits before the login, and may have to make room.
    ///
    /// - Returns: `nil` when the client gave up, or the session is over.
    func askForAccount(_ user: String) -> SecondAnswer? {
        guard abandonment == nil, (try? channel.send(WardenReply.needsAccount.encoded)) != nil
        else {
            return nil
        }
        // The limit for a login holds while the client thinks.
        KillTimer.stop()
        census.noteWait()
        state = .awaitingAnswer(attemptsLeft: state.attemptsLeft)
        defer {
            state = .beforeLogin(attemptsLeft: state.attemptsLeft)
            watch = Stopwatch()
            limitLogin()
        }
        do {
            if let answer = try awaitAnswer() {
                // Asked as at the beginning: the address may be banned by now.
                guard let bar = census.bar(to: user) else { return answer }
                abandonment = "no longer admitted: \(bar.rule)"
            }
        } catch let error as MessageError {
            logger.error("session ended: violation on the warden channel: \(error)")
            isOver = true
        } catch {
            isOver = true
        }
        if abandonment == nil { abandonment = "the client did not answer what PAM asked" }
        return nil
    }

    /// - Returns: `nil` when there will be no answer.
    private func awaitAnswer() throws -> SecondAnswer? {
        var ending: Deadline?
        while true {
            var entries = [
                PollEntry(channel.descriptor.number, reading: true),
                ending == nil ? PollEntry(leash, reading: true) : .none,
                ending == nil ? PollEntry(census.pollNumber, reading: true) : .none,
            ]
            _ = try poll(&entries, until: min(ending ?? .never, loginDeadline))
            // Looked at first: nothing that the Session sends puts the end off.
            if hasLoginTimePassed() || ending?.hasPassed == true {
                isOver = true
                return nil
            }
            if let reason = reasonToFinish(entries[1], entries[2]) {
                ending = try tellToFinish(reason)
            }
            guard entries[0].isReadable else { continue }
            guard var message = try channel.receive() else {
                isOver = true
                return nil
            }
            guard message.takeDescriptor() == nil else { throw MessageError.wrongDescriptor }
            let request = try WardenRequest(decoding: message.bytes)
            message.wipe()
            try state.allow(request.kind)
            switch request {
            case .answer(let answer): return answer
            case .log(let level, let text): log(level, text)
            case .recordLine(let isReply, let text): recordLine(isReply: isReply, text)
            default: return nil
            }
        }
    }
}
