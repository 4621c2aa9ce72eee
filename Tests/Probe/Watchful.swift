import Glibc
import Portcullis

/// Tells of everything that it is told.
final class Watchful: TLS_FTPHandler {
    private var wishes: Wishes? { attachment as? Wishes }
    private func note(_ text: String) { log("hook: \(text)") }
    private func note(_ what: String, _ file: TransferredFile) {
        note(
            "\(what) \(file.path) at \(file.realPath ?? "nowhere"), \(file.byteCount) bytes,"
                + " took time: \(file.duration > .zero)"
        )
    }

    override class func handleMaxConnections() -> String { "All places are taken." }
    override class func handleMaxConnectionsPerIP() -> String { "All your places are taken." }

    override var logPrefix: String { wishes?.text("logPrefix") ?? "" }

    override func onConnect() {
        note("connected to \(localIP) from \(remoteIP), port \(remotePort > 0)")
        if let delay = wishes?.duration("closeLater") {
            let never = callLater(after: delay) { [unowned self] in note("never") }
            cancel(never)
            callLater(after: delay) { [unowned self] in
                note("closes")
                close()
            }
        }
    }

    override func onDisconnect() { note("disconnected") }
    override func onLogin(user: String) {
        note("\(user) is in, secure: \(isSecure)")
        if wishes?.text("slow") == "hook" { dwell() }
    }

    override func onLoginFailed(user: String) { note("\(user) is not in") }
    override func onLogout(user: String) { note("\(user) is out") }
    override func onFileSent(_ file: TransferredFile) { note("sent", file) }
    override func onFileReceived(_ file: TransferredFile) { note("received", file) }
    override func onIncompleteFileSent(_ file: TransferredFile) { note("sent a part of", file) }
    override func onIncompleteFileReceived(_ file: TransferredFile) { note("has a part of", file) }

    override func handle() throws(SessionEnd) {
        guard wishes?.has("ownGreeting") == true else { return try super.handle() }
        try respond(220, lines: ["Welcome", "in two lines"])
    }

    override func handleTimeout() {
        note("timeout")
        try? respond(421, "You were silent for too long.")
    }

    override func processCommand(_ command: FTPCommand) throws(SessionEnd) {
        guard command.verb != "SYST" else { return try respond(215, "A system of its own.") }
        try super.processCommand(command)
        if command.verb == "PASS" { note("PASS with \"\(command.argument)\"") }
    }

    override func formatList(_ entry: FTPFileEntry, in directory: FTPPath) -> [UInt8] {
        let name = String(decoding: entry.name, as: UTF8.self)
        if wishes?.has("ownSizes") == true {
            return super.formatList(larger(entry), in: directory)
        }
        guard wishes?.has("ownLines") == true else {
            return super.formatList(entry, in: directory)
        }
        let isDirectory = entry.info.kind == .directory
        return Array(
            "\(directory): \(name), \(isDirectory)\(isDirectory ? "" : "\r\nand more")".utf8
        )
    }

    override func formatMLSx(_ entry: FTPFileEntry, in directory: FTPPath) -> [UInt8] {
        if wishes?.has("ownSizes") == true {
            return super.formatMLSx(larger(entry), in: directory)
        }
        guard wishes?.has("ownLines") == true else {
            return super.formatMLSx(entry, in: directory)
        }
        let place = "\(directory)\(String(decoding: entry.name, as: UTF8.self))\r\nat"
        return Array("type=file;X.place=\(place)".utf8)
    }

    private func larger(_ entry: FTPFileEntry) -> FTPFileEntry {
        var entry = entry
        entry.info.size += 1_000_000
        return entry
    }

    override func logCommand(_ command: FTPCommand, code: UInt16, reply: String) -> String? {
        guard wishes?.has("ownLog") == true else { return nil }
        return "own: \(command.verb) \"\(command.argument)\" \(code) \(reply)"
    }

    override func logTransfer(
        _ command: String,
        _ file: TransferredFile,
        isWhole: Bool,
        line: String
    ) -> String? {
        guard wishes?.has("ownLog") == true else { return line }
        guard command != "LIST" else { return nil }
        return "own: transfer \(command) \(file.path) \(file.byteCount) \(isWhole)\nin two lines"
    }

    override func flushAccount() {
        note("flushed")
        super.flushAccount()
    }

    override func secureConnection() throws(SessionEnd) {
        note("secures")
        try super.secureConnection()
    }

    override func handleSSLEstablished() { note("TLS stands") }
    override func handleFailedSSLHandshake() { note("TLS failed") }
    override func handleSSLShutdown() { note("TLS is over") }
}

/// Without TLS.
final class Plain: FTPHandler {
    override func onFileSent(_ file: TransferredFile) { log("hook: sent \(file.path)") }
}

/// Moves bytes in small pieces, and tells so.
final class Moving: TLS_DTPHandler {
    private var pieceCount = 0

    override var bufferByteCount: Int { 1_000 }
    override func onProgress(_ count: Int) {
        pieceCount += 1
        guard count <= 1_000 else { return handler.log("hook: a piece of \(count)") }
        if pieceCount == 5 {
            handler.log(
                "hook: \(byteCount) bytes, receiving: \(isReceiving), \(elapsedTime > .zero)"
            )
        }
    }

    override func handleSSLEstablished() { handler.log("hook: TLS stands for data") }
    override func handleSSLShutdown() { handler.log("hook: TLS is over for data") }
}

/// Tells who comes.
final class Awaiting: PassiveDTP {
    override var timeout: Duration { .milliseconds(2_500) }
    override func handleAccepted(remoteIP: String, remotePort: UInt16) -> Bool {
        handler.log("hook: \(remoteIP) at \(port > 0), for \(handler.user ?? "nobody")")
        let wishes = handler.attachment as? Wishes
        return wishes?.text("unwelcome") != remoteIP
    }

    override func handleEstablished(remoteIP: String) { handler.log("hook: \(remoteIP) is it") }
    override func handleTimeout() { handler.log("hook: nobody came") }
    override func handleFailedSSLHandshake(remoteIP: String) {
        handler.log("hook: \(remoteIP) cannot shake hands")
    }
}

/// Tells whom it reaches.
final class Reaching: ActiveDTP {
    override var timeout: Duration { super.timeout }
    override func handleConnect() {
        handler.log("hook: reached \(remoteIP), port \(remotePort > 0)")
    }
    override func handleTimeout() { handler.log("hook: \(remoteIP) is not there") }
    override func handleFailedSSLHandshake() { handler.log("hook: reached no TLS") }
}

/// Has rates of its own.
final class Slow: ThrottledDTPHandler {
    override class var readLimit: Int { 300_000 }
    override class var writeLimit: Int { 200_000 }
    override class var autoSizedBuffers: Bool { false }
}

let ownCommands = [
    CustomCommand(
        "XECHO",
        needs: "w",
        argument: .required,
        syntax: "text",
        help: "Say it again.",
        feature: "XECHO"
    ) { handler, argument in
        try handler.respond(200, argument)
    },
    CustomCommand("SITE FAIL", help: "Fail.") { _, _ in throw FTPFileError.failed },
    CustomCommand("SITE COUNT", argument: .required, syntax: "number", help: "Send numbers.") {
        handler,
        argument in
        let lines = (0..<(Int(argument) ?? 0)).lazy.map { "number \($0)" }
        try handler.pushDTPData(BufferedIteratorProducer(lines: lines), command: "COUNT")
    },
    CustomCommand("SITE FETCH", argument: .required, syntax: "path", help: "Send a file.") {
        handler,
        argument in
        guard let path = FTPPath(argument) else { return try handler.respond(501, "No path.") }
        let file = try handler.openForReading(path)
        try handler.pushDTPData(FileProducer(file), command: "FETCH", path: path)
    },
    CustomCommand("SITE BREAK", help: "Send a part of something.") { handler, _ in
        try handler.pushDTPData(Breaking(), command: "BREAK")
    },
    CustomCommand("SITE TOUCH", argument: .required, help: "Make a file on this machine.") {
        handler,
        argument in
        let number = handler.runAsCurrentUser { unsafe creat(argument, 0o600) }
        guard number >= 0 else { return try handler.respond(550, "Not made.") }
        close(number)
        try handler.respond(200, "Made.")
    },
    CustomCommand("SITE BYE", help: "Close.", needsLogin: false) { handler, _ in
        try handler.respond(200, "Bye.")
        handler.close()
    },
]

/// Breaks in the middle.
private final class Breaking: Producer {
    private var isSecond = false

    func more() throws -> [UInt8]? {
        guard !isSecond else { throw FTPFileError.failed }
        isSecond = true
        return Array("one piece".utf8)
    }
}
