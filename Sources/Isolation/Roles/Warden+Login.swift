internal import Authentication
internal import LinuxSystem
internal import Logging

// What bounds a check of a login, and what it asks the client.

extension Warden {
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
        var entries = [PollEntry(leash, reading: true), PollEntry(census.pollNumber)]
        while !end.hasPassed {
            guard (try? poll(&entries, until: end)) != nil else { return }
            // The server ends, or the session has to.
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
    /// - Returns: `nil` when the client gave up, or the session is over.
    func askForAccount() -> SecondAnswer? {
        guard !isOver, !hasGivenUp, (try? channel.send(WardenReply.needsAccount.encoded)) != nil
        else {
            return nil
        }
        // The Session's own limit for a login holds while the client thinks.
        KillTimer.stop()
        state = .awaitingAnswer(attemptsLeft: state.attemptsLeft)
        defer {
            state = .beforeLogin(attemptsLeft: state.attemptsLeft)
            watch = Stopwatch()
            limitLogin()
        }
        do {
            return try awaitAnswer()
        } catch let error as MessageError {
            logger.error("session ended: violation on the warden channel: \(error)")
        } catch {}
        isOver = true
        return nil
    }

    private func awaitAnswer() throws -> SecondAnswer? {
        var isEnding = false
        while true {
            var entries = [
                PollEntry(channel.descriptor.number, reading: true),
                isEnding ? .none : PollEntry(leash, reading: true),
            ]
            _ = try poll(&entries, until: .never)
            if entries[1].isReadable {
                isEnding = true
                try channel.send(WardenReply.finish.encoded)
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
            default:
                hasGivenUp = true
                return nil
            }
        }
    }
}
