internal import FTPProtocol
internal import FileSystem
internal import Isolation
internal import LinuxSystem

// What takes long and needs no data connection: hashing a file, copying one.

/// How a piece of work ended.
enum WorkOutcome {
    case done
    case aborted
    case failed(FileError)
}

extension FTPHandler {
    /// Carries out work in pieces, and serves the control connection in between.
    ///
    /// The work counts as a transfer: STAT shows how far it is, ABOR ends it, QUIT waits for it.
    ///
    /// - Parameters:
    ///   - verb: The command, for STAT.
    ///   - path: What is worked on.
    ///   - step: Does one piece and tells how many bytes it was; 0 ends the work.
    /// - Returns: How it ended; nothing was replied yet.
    /// - Throws: ``SessionEnd`` when the session cannot go on.
    final func work(
        _ verb: String,
        _ path: VirtualPath,
        _ step: () throws(FileError) -> Int
    ) throws(SessionEnd) -> WorkOutcome {
        transfer = TransferState(command: verb, path: path.text)
        board.beginTransfer(of: path.text, byteCount: nil)
        defer {
            board.endTransfer()
            transfer = nil
        }
        while true {
            do throws(FileError) {
                let count = try step()
                if count == 0 { return .done }
                transfer?.byteCount += Int64(count)
                board.note(byteCount: transfer?.byteCount ?? 0)
            } catch {
                return .failed(error)
            }
            if try handleDuringTransfer() { return .aborted }
            if control.hasEnded, !isQuitting { throw .clientLeft }
            try pump(until: .passed)
        }
    }

    /// Replies that the client aborted work.
    final func replyAborted() throws(SessionEnd) {
        try reply(426, "Aborted.")
        try reply(226, "ABOR successful.")
    }
}
