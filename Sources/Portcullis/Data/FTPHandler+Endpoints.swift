internal import FTPProtocol
internal import LinuxSystem

// ESTA and ESTP: between which addresses a data connection stands before its transfer, for clients
// that have to know what a box in between made of them. Pure-FTPd's commands, with its replies.

extension FTPHandler {
    /// ESTA: makes the active connection now, and tells where it comes from.
    final func nameOwnEnd() throws(SessionEnd) {
        if let target = activeTarget {
            activeTarget = nil
            dataSource = try connect(to: target)
            guard dataSource != nil else {
                try reply(425, "Failed to establish connection.")
                return
            }
        }
        guard let source = dataSource as? ActiveDTP else {
            try reply(520, "There is no active data connection; use PORT or EPRT first.")
            return
        }
        source.advance()
        while source.ownEnd == nil, source.takeOutcome() == nil {
            if control.hasEnded, !isQuitting { throw .clientLeft }
            if try handleDuringTransfer() {
                dataSource = nil
                try reply(426, "Connection attempt aborted.")
                try reply(226, "ABOR successful.")
                return
            }
            try pump(until: source.deadline)
            source.advance()
        }
        guard let end = source.ownEnd else {
            dataSource = nil
            try reply(425, "Failed to establish connection.")
            return
        }
        try reply(225, "Connected from (\(end.extended)).")
    }

    /// ESTP: tells who has connected to the passive port.
    final func nameClientEnd() throws(SessionEnd) {
        let source = dataSource as? PassiveDTP
        source?.advance()
        guard let end = source?.clientEnd else {
            try reply(520, "Nobody has connected to a passive port.")
            return
        }
        try reply(225, "Connected to (\(end.extended)).")
    }
}

extension SocketAddress {
    fileprivate var extended: String { ExtendedAddress(address: address, port: port).text }
}
