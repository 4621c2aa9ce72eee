internal import FTPProtocol
internal import FileSystem
internal import Isolation
internal import LinuxSystem
internal import Logging
internal import TLS

// How a session waits, speaks and ends.

extension FTPHandler {
    /// Serves the client until the session ends.
    final func run() {
        onConnect()
        do throws(SessionEnd) {
            if isClosing { throw .closed }
            try handle()
            while true {
                try handle(try nextEvent())
            }
        } catch {
            end(error)
        }
        if let user = login.take()?.user { onLogout(user: user) }
        onDisconnect()
    }

    /// How long nothing happens until memory that is free is given back.
    private static let restDelay: Duration = .milliseconds(500)

    /// How long a client may take to accept a reply.
    private static let replyTimeout: Duration = .seconds(60)

    /// The next command line; meanwhile everything that comes up elsewhere is served.
    final func nextEvent() throws(SessionEnd) -> CommandLineReader.Event {
        var deadline = Deadline(after: idleTimeout ?? configuration.timeouts.idle)
        if login == nil { deadline = min(deadline, loginDeadline) }
        while true {
            // Nor does a queue of commands, answered one by one, put the time for the login off.
            if login == nil, loginDeadline.hasPassed { throw .idle }
            if let event = control.next() { return event }
            if control.hasEnded { throw .clientLeft }
            if isClosing { throw .closed }
            if let reason = warden.finishReason { throw SessionEnd(reason) }
            if deadline.hasPassed { throw .idle }
            try pump(until: deadline)
        }
    }

    /// Waits for one thing to happen and serves it.
    ///
    /// - Parameters:
    ///   - extra: Something more to wait for, usually a data connection.
    ///   - deadline: When to return although nothing happened.
    /// - Returns: `extra`, with what happened to it.
    /// - Throws: ``SessionEnd`` when the Warden or the Agent is gone.
    @discardableResult
    final func pump(
        _ extra: PollEntry = .none,
        until deadline: Deadline
    ) throws(SessionEnd) -> PollEntry {
        var entries = [
            control.pollEntry,
            PollEntry(warden.pollNumber, reading: true),
            // Nothing is expected from the Agent unasked but its end.
            login.map { PollEntry($0.agentNumber) } ?? .none,
            extra,
        ]
        let own = entries.count
        var limit = deadline
        // What waits inside TLS is not seen by poll(2).
        let holdsUnreadBytes = control.holdsUnreadBytes
        if holdsUnreadBytes { limit = .passed }
        if let dataSource {
            entries += dataSource.pollEntries
            limit = min(limit, dataSource.deadline)
        }
        limit = min(limit, timers.next)
        let rest = isAtRest ? .never : Deadline(after: Self.restDelay)
        guard let count = try? poll(&entries, until: min(limit, rest)) else { throw .processGone }
        if count > 0 {
            isAtRest = false
        } else if !isAtRest, rest.hasPassed {
            isAtRest = true
            releaseBuffer()
            DaemonProcess.releaseFreeMemory(heap: true)
        }
        timers.runDue()
        if entries[1].isReadable {
            do throws(WardenGone) {
                try warden.takeNotice()
            } catch {
                throw .processGone
            }
        }
        if warden.finishReason == .kicked { throw .kicked }
        if entries[2].hasHungUp { throw .processGone }
        if entries[0].isReadable || holdsUnreadBytes {
            if control.wantsToRead { control.fill() } else { control.noteHangUp() }
        }
        if let dataSource,
            entries[own...].contains(where: { $0.isReadable || $0.isWritable })
                || dataSource.deadline.hasPassed
        {
            dataSource.advance(Array(entries[own...]))
        }
        return entries[3]
    }

    /// Sends a reply.
    final func reply(_ reply: Reply) throws(SessionEnd) {
        record(reply)
        try audit(reply)
        var deadline = Deadline(after: min(Self.replyTimeout, configuration.timeouts.idle))
        if login == nil { deadline = min(deadline, replyDeadlineBeforeLogin) }
        if isEnding { deadline = min(deadline, Deadline(after: .seconds(2))) }
        guard control.send(told(reply).encoded, until: deadline) else { throw .clientLeft }
        if settings.embedding != nil { lastReply = reply }
    }

    /// Until when a client that has not logged in has to take a reply, the one that sends it away
    /// included.
    private var replyDeadlineBeforeLogin: Deadline {
        loginDeadline.hasPassed ? Deadline(after: .seconds(2)) : loginDeadline
    }

    /// Sends a reply of one line.
    // Inlined, each text would have a constant of its own, which a session writes to when it is first used.
    @inline(never)
    final func reply(_ code: UInt16, _ text: String) throws(SessionEnd) {
        try reply(Reply(code, text))
    }

    /// Sends a reply of one line in which names of files stand byte for byte.
    final func reply(_ code: UInt16, _ text: ReplyText) throws(SessionEnd) {
        try reply(Reply(code, text))
    }

    /// Says the last words and closes.
    final func end(_ reason: SessionEnd) {
        let words: Reply? =
            switch reason {
            case .clientLeft, .tooManyFailures, .loginTimedOut, .violation, .closed, .idle: nil
            case .dataTimedOut: Reply(421, "Data timeout. Reconnect. Sorry.")
            case .serverEnds: Reply(421, "Service is shutting down, closing control connection.")
            case .makesRoom: Reply(421, "Too many clients are waiting to log in, please try later.")
            case .kicked: Reply(421, "Session ended by the administrator.")
            case .processGone: Reply(421, "Service not available, closing control connection.")
            }
        if reason != .clientLeft { log(.notice, "session ends: \(reason)") }
        auditEnd(reason)
        dataSource = nil
        isEnding = true
        if reason == .idle { handleTimeout() }
        let deadline = Deadline(after: .seconds(2))
        if let words {
            record(words)
            _ = control.send(words.encoded, until: deadline)
        }
        if case .done = control.stream.sendCloseNotify() { noteShutdown() }
        control.stream.endWriting()
        // Whatever the client still sends is read and forgotten for a moment: closing over unread
        // bytes would make the kernel reset the connection, and the last reply might be lost.
        while !deadline.hasPassed {
            control.discardPending()
            control.fill()
            if control.hasEnded { return }
            var entries = [control.pollEntry]
            _ = try? poll(&entries, until: control.holdsUnreadBytes ? .passed : deadline)
        }
    }

    /// Has log lines from here on say whether the session works in clear.
    final func markLog(isClear: Bool) throws(SessionEnd) {
        guard isClear != isLogMarkedClear else { return }
        isLogMarkedClear = isClear
        do throws(WardenGone) {
            try warden.markClear(isClear)
        } catch {
            throw .processGone
        }
    }

    /// Writes a line into the log.
    final func log(_ level: Logger.Level, _ text: String) {
        guard level >= settings.logLevel else { return }
        warden.log(level, logPrefix + text)
    }

    /// Writes a line about what the user did into the log, which other lines do not crowd out.
    final func logAction(_ text: String, isDone: Bool = true) {
        let level = isDone ? Logger.Level.info : .notice
        guard level >= settings.logLevel else { return }
        warden.logAction(level, logPrefix + text)
    }
}
