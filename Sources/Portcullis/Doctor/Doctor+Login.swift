internal import FTPProtocol
internal import LinuxSystem
internal import TLS

// A login and the transfers that follow, as a client does them.

extension Doctor {
    /// Logs in, lists, and if that is permitted stores, fetches and removes a file.
    mutating func logIn(
        as user: String,
        _ password: borrowing Secret,
        _ context: TLSClientContext
    ) {
        guard let place = controlPlace else { return }
        guard user.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            find("login", "the name of the user holds blanks", mend: "name a user of this server")
            return
        }
        do throws(ClientFailure) {
            let client = try FTPClient.connect(
                to: place.connecting,
                context,
                host: questions.hosts.first,
                isImplicit: configuration.tls.isImplicit
            )
            guard configuration.tls.isEnabled else {
                notes.append("nobody was logged in: a password would cross in clear")
                return
            }
            if !configuration.tls.isImplicit { try client.secure(host: questions.hosts.first) }
            do throws(ClientFailure) {
                try client.command("USER \(user)", expecting: 331)
                try client.pass(password)
            } catch {
                find(
                    "login",
                    "\(user): \(error.text)",
                    mend: "see the server's log, which gives the reason that clients are not told"
                )
                return
            }
            try client.command("PBSZ 0", expecting: 200)
            try client.command("PROT P", expecting: 200)
            try client.command("TYPE I", expecting: 200)
            try list(client)
            if questions.mayWrite { try exchange(client) }
            try client.command("QUIT", expecting: 221)
        } catch {
            find(
                "transfer",
                error.text,
                mend:
                    "see the server's log; a passive port that is not reached is a firewall's doing"
            )
        }
    }

    private mutating func list(_ client: FTPClient) throws(ClientFailure) {
        let data = try client.open("LIST", to: try client.passive())
        if !data.isResumed {
            find(
                "session-reuse",
                "the data connection did not resume the TLS session of the control connection",
                mend: "see that nothing between terminates TLS; clients that demand it will fail"
            )
        }
        _ = try everything(data, "LIST")
        try client.expectEnd(of: "LIST")
    }

    /// A file there, back, and gone.
    private mutating func exchange(_ client: FTPClient) throws(ClientFailure) {
        let name = "portcullis-doctor-\(randomWord(count: 12))"
        let content = randomBytes(count: 100_000)
        let there = try client.open("STOR \(name)", to: try client.passive())
        do throws(ClientStreamError) {
            try there.write(content, until: Deadline(after: .seconds(20)))
            try there.finish(until: Deadline(after: .seconds(20)))
        } catch {
            throw ClientFailure(text: "STOR: the data connection: \(error)")
        }
        try client.expectEnd(of: "STOR")
        let back = try client.open("RETR \(name)", to: try client.passive())
        let received = try everything(back, "RETR")
        try client.expectEnd(of: "RETR")
        try client.command("DELE \(name)", expecting: 250)
        if received != content {
            find(
                "transfer",
                "a file came back different from what was stored",
                mend: "look at the disk, and at what else touches uploads"
            )
        }
    }

    /// Everything up to a proper end.
    private func everything(
        _ data: ClientStream,
        _ line: String
    ) throws(ClientFailure) -> [UInt8] {
        var received: [UInt8] = []
        do throws(ClientStreamError) {
            while true {
                let bytes = try data.read(until: Deadline(after: .seconds(20)))
                guard !bytes.isEmpty else { break }
                received += bytes
                guard received.count < 64 << 20 else { throw .broken("it does not end") }
            }
            try data.finish(until: Deadline(after: .seconds(5)))
        } catch {
            throw ClientFailure(text: "\(line): the data connection: \(error)")
        }
        return received
    }
}
