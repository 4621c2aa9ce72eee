internal import FTPProtocol
internal import Isolation
internal import LinuxSystem
internal import TLS

// How a transfer waits: for its connection, or because it is too fast.

extension FTPHandler {
    /// Waits as a transfer over `stream` asks for, and serves the control connection meanwhile.
    ///
    /// - Throws: ``TransferFailure`` when the transfer is not to go on.
    final func wait(
        for wish: TransferWish,
        on stream: NetworkStream,
        _ watch: inout TransferWatch?
    ) throws(TransferFailure) {
        if let handler = transfer?.handler { board.note(byteCount: handler.byteCount) }
        switch wish {
        case .look: _ = try serveControl(.none, until: .passed)
        case .pause(let end):
            while !end.hasPassed { _ = try serveControl(.none, until: end) }
            watch?.restart(stream.carriedByteCount)
        case .readable, .writable:
            let deadline = Deadline(after: configuration.timeouts.data)
            let entry = PollEntry(
                stream.descriptor.number,
                reading: wish == .readable,
                writing: wish == .writable
            )
            while true {
                let limit = min(deadline, watch?.deadline ?? .never)
                let found = try serveControl(entry, until: limit)
                if wish == .readable ? found.isReadable : found.isWritable { break }
                if deadline.hasPassed { throw .timedOut }
                if watch?.isTooSlow(stream.carriedByteCount) ?? false { throw .tooSlow }
            }
        }
        if watch?.isTooSlow(stream.carriedByteCount) ?? false { throw .tooSlow }
    }

    private func serveControl(
        _ entry: PollEntry,
        until deadline: Deadline
    ) throws(TransferFailure) -> PollEntry {
        let ready = Result { () throws(SessionEnd) -> PollEntry? in
            if try handleDuringTransfer() { return nil }
            if control.hasEnded, !isQuitting { throw .clientLeft }
            return try pump(entry, until: deadline)
        }
        switch ready {
        case .success(let entry?): return entry
        case .success(nil): throw .aborted
        case .failure(let end): throw .session(end)
        }
    }
}

/// What a transfer waits for.
enum TransferWish: Equatable {
    /// Nothing: only a look at the control connection.
    case look
    /// The connection can be read from.
    case readable
    /// The connection can be written to.
    case writable
    /// This point in time, because it is too fast.
    case pause(until: Deadline)
}

extension NetworkStream {
    /// Bytes that came and bytes that the client's kernel has taken, as they were on the network.
    fileprivate var carriedByteCount: Int64 {
        let (sum, overflow) = descriptor.sendProgress().acknowledged
            .addingReportingOverflow(descriptor.receivedByteCount)
        return overflow ? .max : sum
    }
}
