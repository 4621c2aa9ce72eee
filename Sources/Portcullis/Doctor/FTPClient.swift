internal import FTPProtocol
internal import LinuxSystem
internal import TLS

/// What a client could not do, in words for the administrator.
struct ClientFailure: Error, Hashable, Sendable {
    /// The end of a sentence that begins with what was tried.
    let text: String
}

/// A client that does what clients do, step by step, to see whether it can.
///
/// What the server says is no more believed than what clients say to it: replies are bounded.
final class FTPClient {
    private static let maximumReplyByteCount = 65_536
    private static let patience: Duration = .seconds(20)

    let control: ClientStream
    private let address: SocketAddress
    private let context: TLSClientContext
    private var pending: [UInt8] = []

    /// A reply: the code, and the text of its last line.
    struct Answer: Hashable {
        let code: Int
        let text: String
    }

    private init(_ control: ClientStream, _ address: SocketAddress, _ context: TLSClientContext) {
        self.control = control
        self.address = address
        self.context = context
    }

    /// Connects, and reads the greeting unless TLS comes first.
    static func connect(
        to address: SocketAddress,
        _ context: TLSClientContext,
        host: String?,
        isImplicit: Bool,
        patience: Duration = patience
    ) throws(ClientFailure) -> FTPClient {
        let deadline = Deadline(after: patience)
        let client: FTPClient
        do throws(ClientStreamError) {
            client = FTPClient(
                try ClientStream.connect(to: address, until: deadline),
                address,
                context
            )
            if isImplicit {
                try client.control.beginTLS(context, host: host, until: deadline)
            }
        } catch {
            throw ClientFailure(text: "\(address): \(error)")
        }
        _ = try client.expect(220, for: "the greeting", await: client.next(until: deadline))
        return client
    }

    /// Begins TLS on the control connection (RFC 4217 section 4).
    func secure(host: String?) throws(ClientFailure) {
        _ = try command("AUTH TLS", expecting: 234)
        // What came in clear behind the reply would be taken for something that was protected.
        guard pending.isEmpty else {
            throw ClientFailure(text: "AUTH TLS: the server went on in clear")
        }
        do throws(ClientStreamError) {
            try control.beginTLS(context, host: host, until: Deadline(after: Self.patience))
        } catch {
            throw ClientFailure(text: "AUTH TLS: \(error)")
        }
    }

    /// Sends a command, and takes its reply.
    ///
    /// - Throws: ``ClientFailure`` when it is not the expected one.
    @discardableResult
    func command(_ line: String, expecting code: Int) throws(ClientFailure) -> Answer {
        try send(Array("\(line)\r\n".utf8))
        return try expect(code, for: line, await: next(until: Deadline(after: Self.patience)))
    }

    /// Sends PASS; neither the line nor the reply to it is ever shown.
    func pass(_ password: borrowing Secret) throws(ClientFailure) {
        var line = Array("PASS ".utf8)
        line.reserveCapacity(password.count + 8)
        unsafe password.withBytes { unsafe line.append(contentsOf: $0) }
        line += [0x0D, 0x0A]
        defer { wipeMemory(of: line) }
        try send(line)
        let answer = try next(until: Deadline(after: .seconds(90)))
        guard answer.code == 230 else {
            throw ClientFailure(text: "the login was refused: \(answer.code) \(answer.text)")
        }
    }

    /// The reply that ends a transfer.
    func expectEnd(of line: String) throws(ClientFailure) {
        _ = try expect(226, for: line, await: next(until: Deadline(after: Self.patience)))
    }

    /// Asks for a passive port: EPSV, or for IPv4 PASV, which tells an address.
    func passive() throws(ClientFailure) -> SocketAddress {
        guard address.address.family == .ipv4 else {
            let answer = try command("EPSV", expecting: 229)
            let digits = answer.text.split(separator: "|").compactMap { UInt16($0) }
            guard let port = digits.first else {
                throw ClientFailure(text: "EPSV: no port in \(answer.text)")
            }
            return SocketAddress(address.address, port: port, scope: address.scope)
        }
        let answer = try command("PASV", expecting: 227)
        let inside = answer.text.utf8.drop { $0 != UInt8(ascii: "(") }.dropFirst()
            .prefix { $0 != UInt8(ascii: ")") }
        guard let pair = HostPort(argument: Array(inside)) else {
            throw ClientFailure(text: "PASV: no address in \(answer.text)")
        }
        return SocketAddress(pair.address, port: pair.port)
    }

    /// Opens a data connection, sends the command, and protects what goes over it.
    func open(_ line: String, to place: SocketAddress) throws(ClientFailure) -> ClientStream {
        let data: ClientStream
        do throws(ClientStreamError) {
            data = try ClientStream.connect(to: place, until: Deadline(after: .seconds(5)))
        } catch {
            throw ClientFailure(
                text: "\(line): the passive port \(place) cannot be reached: \(error)"
            )
        }
        try send(Array("\(line)\r\n".utf8))
        let deadline = Deadline(after: Self.patience)
        do throws(ClientStreamError) {
            try data.beginTLS(context, host: nil, resuming: control, until: deadline)
        } catch {
            throw ClientFailure(text: "\(line): the data connection: \(error)")
        }
        let answer = try next(until: deadline)
        guard answer.code == 150 || answer.code == 125 else {
            throw ClientFailure(text: "\(line): \(answer.code) \(answer.text)")
        }
        return data
    }

    private func send(_ line: [UInt8]) throws(ClientFailure) {
        do throws(ClientStreamError) {
            try control.write(line, until: Deadline(after: Self.patience))
        } catch {
            throw ClientFailure(text: "the control connection: \(error)")
        }
    }

    private func expect(
        _ code: Int,
        for what: String,
        await answer: Answer
    ) throws(ClientFailure) -> Answer {
        guard answer.code == code else {
            throw ClientFailure(text: "\(what): \(answer.code) \(answer.text)")
        }
        return answer
    }

    /// Reads one whole reply (RFC 959 section 4.2).
    private func next(until deadline: Deadline) throws(ClientFailure) -> Answer {
        var first: [UInt8]?
        var byteCount = 0
        while true {
            let line = try nextLine(until: deadline)
            byteCount += line.count
            guard byteCount <= Self.maximumReplyByteCount else {
                throw ClientFailure(text: "the control connection: a reply without an end")
            }
            let digits = Array(line.prefix(3))
            let isLast = line.count == 3 || line.dropFirst(3).first == UInt8(ascii: " ")
            if first == nil || digits == first, isLast {
                guard let code = Int(String(decoding: digits, as: UTF8.self)) else {
                    throw ClientFailure(text: "the control connection: no reply of FTP's")
                }
                let text = String(decoding: line.dropFirst(4), as: UTF8.self)
                return Answer(code: code, text: text.shownInOneLine)
            }
            if first == nil { first = digits }
        }
    }

    private func nextLine(until deadline: Deadline) throws(ClientFailure) -> [UInt8] {
        while true {
            if let end = pending.firstIndex(of: 0x0A) {
                var line = Array(pending[..<end])
                pending.removeFirst(end + 1)
                if line.last == 0x0D { line.removeLast() }
                return line
            }
            guard pending.count <= Self.maximumReplyByteCount else {
                throw ClientFailure(text: "the control connection: a line without an end")
            }
            do throws(ClientStreamError) {
                let bytes = try control.read(until: deadline)
                guard !bytes.isEmpty else { throw ClientStreamError.broken("the server hung up") }
                pending += bytes
            } catch {
                throw ClientFailure(text: "the control connection: \(error)")
            }
        }
    }
}
