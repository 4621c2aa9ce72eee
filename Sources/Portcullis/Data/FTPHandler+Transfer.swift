internal import FTPProtocol
internal import FileSystem
internal import Isolation
internal import LinuxSystem
internal import Logging
internal import TLS

// The course of one transfer: the data connection, the bytes, the reply.

extension FTPHandler {
    /// What marks a line about a transfer in clear, whatever protects the control connection.
    private static let clearData = "data-tls=no"

    /// Whether a transfer may begin; replies why when it may not.
    final func mayTransfer() throws(SessionEnd) -> Bool {
        if let refusal = refusalOfTransfer() {
            dataSource = nil
            activeTarget = nil
            try reply(refusal)
            return false
        }
        guard dataSource != nil || activeTarget != nil else {
            try reply(425, "Use PORT or PASV first.")
            return false
        }
        // The port was opened under another PROT than the one that holds now.
        if let dataSource, dataSource.level != protectionLevel {
            self.dataSource = nil
            try reply(425, "PROT has changed; use PASV or EPSV again.")
            return false
        }
        return true
    }

    /// Runs a transfer from the 150 to the last reply.
    ///
    /// - Parameters:
    ///   - verb: The command, for the log.
    ///   - path: What is transferred.
    ///   - byteCount: How much that is, where it is known.
    ///   - opening: The text of the 150.
    ///   - done: The text of the 226, asked for at the end.
    ///   - failed: Cleans up before a failure is told.
    ///   - move: Moves the bytes.
    /// - Throws: ``SessionEnd`` when the session cannot go on.
    final func transfer(
        _ verb: String,
        _ path: VirtualPath,
        byteCount: Int64? = nil,
        opening: ReplyText,
        done: @autoclosure () -> ReplyText,
        failed: () -> Void = {},
        move: (DTPHandler) throws(TransferFailure) -> Void
    ) throws(SessionEnd) {
        transfer = TransferState(command: verb, path: path.text)
        board.beginTransfer(of: path.text, byteCount: byteCount)
        let stopwatch = Stopwatch()
        defer {
            board.endTransfer()
            transfer = nil
            dataSource = nil
            activeTarget = nil
        }
        audit { $0.path = path }
        try reply(150, opening)
        let connection: AdmittedConnection
        switch try connect() {
        case .success(let admitted):
            connection = admitted
            if admitted.stream.isTLS { count(admitted.stream, isData: true) }
        case .failure(let refusal):
            failed()
            if refusal == .connection(.handshake) { count(nil, isData: true) }
            // The client may go by the reply and take the port for closed.
            if refusal == .aborted { dataSource = nil }
            try reply(refusal.reply)
            let mark = protectionLevel == .clear ? ", \(Self.clearData)" : ""
            let file = transferred(path, byteCount: 0, duration: stopwatch.duration)
            let line = "\(verb) \(path.quoted) failed: \(refusal.logText)\(mark)"
            logTransfer(of: file, by: verb, isWhole: false, line)
            record(verb, path, isDone: false) { $0.nanoseconds = stopwatch.nanoseconds }
            (dataSource as? PassiveDTP)?.dismissCandidates(buffer)
            if refusal == .aborted { try reply(226, "ABOR successful.") }
            noteEnd(of: verb, file, isWhole: false)
            try leaveIfQuitting()
            return
        }
        let stream = connection.stream
        var watch = TransferWatch(configuration.rates)
        let handler = makeDTPHandler(stream) { [unowned self] wish throws(TransferFailure) in
            try self.wait(for: wish, on: stream, &watch)
        }
        handler.deflateLevel = mode == .deflate ? deflateOptions.level : nil
        transfer?.handler = handler
        let failure: TransferFailure?
        do throws(TransferFailure) {
            try move(handler)
            failure = nil
        } catch {
            failure = error
        }
        let outcome = failure.map { "failed: \($0)" } ?? "ok"
        let file = transferred(path, byteCount: handler.byteCount, duration: handler.elapsedTime)
        logTransfer(
            of: file,
            by: verb,
            isWhole: failure == nil,
            """
            \(verb) \(path.quoted) \(outcome), \(handler.byteCount) bytes, \
            proof=\(proofText(connection.proof)), \(stream.isTLS ? stream.summary : Self.clearData)
            """
        )
        record(verb, path, isDone: failure == nil) {
            $0.byteCount = UInt64(clamping: handler.byteCount)
            $0.nanoseconds = stopwatch.nanoseconds
        }
        audit(handler, connection, isDone: failure == nil)
        if failure != nil { failed() }
        defer { noteEnd(of: verb, file, isWhole: failure == nil) }
        try conclude(failure, verb: verb, done: failure == nil ? done() : "")
        // A download that failed ends without close_notify: it must not look complete.
        if failure != nil, handler.isReceiving {
            stream.dismiss(buffer, until: Deadline(after: NetworkStream.dismissalTimeout))
        }
        if failure == nil { handler.linger(beside: control.stream.descriptor.number) }
        try leaveIfQuitting()
    }

    /// What a subclass is told of the file of a transfer.
    private func transferred(
        _ path: VirtualPath,
        byteCount: Int64,
        duration: Duration
    ) -> TransferredFile {
        let realPath: String? =
            switch login?.fileSystem.hostPath(of: path) {
            case .own(let path): path
            case .beneathRoot, nil: login?.root.map { $0 == "/" ? path.text : $0 + path.text }
            }
        return TransferredFile(path, realPath, byteCount: byteCount, duration: duration)
    }

    /// Writes into the log how a transfer ended, in the subclass's words.
    private func logTransfer(
        of file: TransferredFile,
        by verb: String,
        isWhole: Bool,
        _ line: String
    ) {
        guard let line = logTransfer(verb, file, isWhole: isWhole, line: line) else { return }
        logAction(line, isDone: isWhole)
    }

    /// Tells the subclass how the transfer of a file ended, after the client was told.
    private func noteEnd(of verb: String, _ file: TransferredFile, isWhole: Bool) {
        switch verb {
        case "RETR" where isWhole: onFileSent(file)
        case "RETR": onIncompleteFileSent(file)
        case "STOR", "STOU", "APPE":
            if isWhole { onFileReceived(file) } else { onIncompleteFileReceived(file) }
        default: break
        }
    }

    /// A proof in words, and who was spared a stronger one.
    private func proofText(_ proof: AdmissionProof) -> String {
        guard proof == .address, case .waived(let waiver) = reuseRule else { return proof.rawValue }
        return "\(proof.rawValue) waived-for=\(waiver.rawValue)"
    }

    private func leaveIfQuitting() throws(SessionEnd) {
        if isQuitting { throw .clientLeft }
    }

    private func conclude(
        _ failure: TransferFailure?,
        verb: String,
        done: ReplyText
    ) throws(SessionEnd) {
        switch failure {
        case nil: try reply(226, done)
        case .aborted:
            try reply(426, "Transfer aborted.")
            try reply(226, "ABOR successful.")
        case .timedOut: throw .dataTimedOut
        case .tooSlow: try reply(426, "Transfer slower than allowed; transfer incomplete.")
        case .connectionLost: try reply(426, "Data connection lost; transfer incomplete.")
        case .truncated:
            try reply(
                426,
                "Upload incomplete: the data connection ended without TLS shutdown (close_notify)."
            )
        case .file(let error): try refuse(error, error == .tooLarge ? 552 : 451, verb)
        case .session(let end): throw end
        }
    }

    /// Waits for the data connection of the transfer that was just announced.
    private func connect() throws(SessionEnd) -> Result<AdmittedConnection, ConnectRefusal> {
        if let target = activeTarget { dataSource = try connect(to: target) }
        guard let source = dataSource else { return .failure(.connection(.notEstablished)) }
        source.start()
        while true {
            if let outcome = source.takeOutcome() {
                return outcome.mapError { ConnectRefusal.connection($0) }
            }
            if try handleDuringTransfer() { return .failure(.aborted) }
            if control.hasEnded, !isQuitting { throw .clientLeft }
            try pump(until: source.deadline)
        }
    }
}

/// Why a transfer that was announced has no data connection.
private enum ConnectRefusal: Error, Hashable {
    case aborted
    case connection(DataConnectionFailure)

    var reply: Reply {
        switch self {
        case .aborted: Reply(426, "Transfer aborted.")
        case .connection(.notEstablished): Reply(425, "Failed to establish connection.")
        case .connection(.handshake): Reply(522, "TLS negotiation failed on the data connection.")
        case .connection(.otherCertificate):
            Reply(
                522,
                "The data connection has to show the client certificate of the control connection."
            )
        case .connection(.notResumed):
            Reply(
                522,
                """
                TLS session reuse required: the data connection has to resume the TLS session of \
                the control connection (require_ssl_reuse).
                """
            )
        }
    }

    var logText: String {
        switch self {
        case .aborted: "aborted"
        case .connection(let failure): "\(failure)"
        }
    }
}
