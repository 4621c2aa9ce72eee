internal import COpenSSL
internal import FTPProtocol
package import LinuxSystem

/// What a client negotiates with, for a program that tries a server out as a client would.
@safe package final class TLSClientContext {
    let pointer: OpaquePointer

    private init(owning pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    deinit {
        unsafe SSL_CTX_free(pointer)
    }

    /// Creates a context that knows the system's authorities.
    ///
    /// No handshake fails because of a certificate; ``ClientStream/certificateProblem`` tells.
    ///
    /// - Parameter authorities: A PEM file with authorities beside them.
    /// - Returns: A context.
    /// - Throws: ``TLSError``.
    package static func make(authorities: String? = nil) throws(TLSError) -> TLSClientContext {
        ERR_clear_error()
        guard let pointer = unsafe SSL_CTX_new(TLS_client_method()) else {
            throw .draining(.allocation)
        }
        let context = unsafe TLSClientContext(owning: pointer)
        guard unsafe COpenSSL_SSL_CTX_set_min_proto_version(pointer, TLS1_2_VERSION) == 1 else {
            throw .draining(.configuration)
        }
        // Without them, too, there is something to find out.
        _ = unsafe SSL_CTX_set_default_verify_paths(pointer)
        if let authorities {
            guard unsafe SSL_CTX_load_verify_locations(pointer, authorities, nil) == 1 else {
                throw .draining(.authorities)
            }
        }
        ERR_clear_error()
        return context
    }
}

/// Why a connection to a server came to nothing.
package enum ClientStreamError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Nothing happened in time.
    case timedOut
    /// The other end went, or the kernel says that there is none.
    case broken(String)

    /// The end of a sentence that begins with the connection.
    package var description: String {
        switch self {
        case .timedOut: "timed out"
        case .broken(let reason): reason
        }
    }
}

/// The connecting end of a TCP connection, plain or under TLS, that waits up to a deadline.
@safe package final class ClientStream {
    private let descriptor: OwnedDescriptor
    private var tls: OpaquePointer?

    private init(owning descriptor: consuming OwnedDescriptor) {
        self.descriptor = descriptor
        unsafe tls = nil
    }

    deinit {
        unsafe SSL_free(tls)
    }

    /// Connects.
    ///
    /// - Throws: ``ClientStreamError``.
    package static func connect(
        to address: SocketAddress,
        until deadline: Deadline
    ) throws(ClientStreamError) -> ClientStream {
        let any = SocketAddress(
            address.address.family == .ipv4 ? .v4(0) : .v6(high: 0, low: 0),
            port: 0
        )
        let stream: ClientStream
        do throws(SystemError) {
            stream = ClientStream(owning: try .connecting(to: address, from: any))
        } catch {
            throw .broken("\(error)")
        }
        try stream.wait(reading: false, until: deadline)
        if let error = stream.descriptor.connectionError() { throw .broken("\(error)") }
        return stream
    }

    /// Begins TLS.
    ///
    /// - Parameters:
    ///   - context: What may be negotiated.
    ///   - host: The name to tell the server; `nil` tells none.
    ///   - other: A connection whose session is to be resumed.
    ///   - deadline: When to give up.
    /// - Throws: ``ClientStreamError``.
    package func beginTLS(
        _ context: TLSClientContext,
        host: String?,
        resuming other: ClientStream? = nil,
        until deadline: Deadline
    ) throws(ClientStreamError) {
        ERR_clear_error()
        guard unsafe tls == nil, let pointer = unsafe SSL_new(context.pointer) else {
            throw .broken("no memory for TLS")
        }
        unsafe tls = pointer
        guard unsafe SSL_set_fd(pointer, descriptor.number) == 1 else {
            throw .broken("no memory for TLS")
        }
        if let host { _ = unsafe COpenSSL_SSL_set_tlsext_host_name(pointer, host) }
        if let session = unsafe other?.tls.flatMap({ unsafe SSL_get1_session($0) }) {
            _ = unsafe SSL_set_session(pointer, session)
            unsafe SSL_SESSION_free(session)
        }
        while true {
            ERR_clear_error()
            let result = unsafe SSL_connect(pointer)
            if result == 1 { return }
            try unsafe wait(pointer, result, "the TLS handshake failed", until: deadline)
        }
    }

    /// Waits for what OpenSSL needs to go on.
    private func wait(
        _ pointer: OpaquePointer,
        _ result: CInt,
        _ failure: String,
        until deadline: Deadline
    ) throws(ClientStreamError) {
        switch unsafe SSL_get_error(pointer, result) {
        case SSL_ERROR_WANT_READ: try wait(reading: true, until: deadline)
        case SSL_ERROR_WANT_WRITE: try wait(reading: false, until: deadline)
        default: throw .broken("\(failure) (\(TLSError.draining(.handshake)))")
        }
    }

    private func wait(reading: Bool, until deadline: Deadline) throws(ClientStreamError) {
        var entries = [PollEntry(descriptor.number, reading: reading, writing: !reading)]
        while (try? poll(&entries, until: deadline)) == 0 {
            if deadline.hasPassed { throw .timedOut }
        }
    }

    /// Reads what comes next; nothing at the end of the connection.
    ///
    /// - Throws: ``ClientStreamError``; under TLS also for an end without `close_notify`.
    package func read(until deadline: Deadline) throws(ClientStreamError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            guard let pointer = unsafe tls else {
                let outcome = unsafe buffer.withUnsafeMutableBytes {
                    unsafe descriptor.receive(into: $0)
                }
                switch outcome {
                case .bytes(let count): return Array(buffer.prefix(count))
                case .ended: return []
                case .wantsRead, .wantsWrite: try wait(reading: true, until: deadline)
                case .failed: throw .broken("the connection broke")
                }
                continue
            }
            ERR_clear_error()
            var count = 0
            let result = unsafe buffer.withUnsafeMutableBytes {
                unsafe SSL_read_ex(pointer, $0.baseAddress, $0.count, &count)
            }
            if result == 1 { return Array(buffer.prefix(count)) }
            if unsafe SSL_get_error(pointer, result) == SSL_ERROR_ZERO_RETURN { return [] }
            try unsafe wait(pointer, result, "the connection broke", until: deadline)
        }
    }

    /// Writes everything.
    ///
    /// - Throws: ``ClientStreamError``.
    package func write(
        _ bytes: [UInt8],
        until deadline: Deadline
    ) throws(ClientStreamError) {
        var failure: ClientStreamError?
        unsafe bytes.withUnsafeBytes { bytes in
            do throws(ClientStreamError) {
                try unsafe write(bytes, until: deadline)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    private func write(
        _ bytes: UnsafeRawBufferPointer,
        until deadline: Deadline
    ) throws(ClientStreamError) {
        var rest = unsafe bytes[...]
        while unsafe !rest.isEmpty {
            let piece = unsafe UnsafeRawBufferPointer(rebasing: rest)
            var written = 0
            if let pointer = unsafe tls {
                ERR_clear_error()
                let result = unsafe SSL_write_ex(
                    pointer,
                    piece.baseAddress,
                    piece.count,
                    &written
                )
                if result != 1 {
                    try unsafe wait(pointer, result, "the connection broke", until: deadline)
                    continue
                }
            } else {
                switch unsafe descriptor.send(piece) {
                case .bytes(let count): written = count
                case .wantsRead, .wantsWrite: try wait(reading: false, until: deadline)
                case .failed: throw .broken("the connection broke")
                }
            }
            unsafe rest = rest.dropFirst(written)
        }
    }

    /// Says that nothing more will be written, and under TLS waits for the other end to say the same.
    ///
    /// - Throws: ``ClientStreamError``.
    package func finish(until deadline: Deadline) throws(ClientStreamError) {
        if let pointer = unsafe tls {
            while true {
                ERR_clear_error()
                let result = unsafe SSL_shutdown(pointer)
                if result == 1 { break }
                if result == 0 {
                    try wait(reading: true, until: deadline)
                    continue
                }
                try unsafe wait(pointer, result, "the connection broke", until: deadline)
            }
        }
        descriptor.endWriting()
    }

    /// Whether TLS resumed the session of another connection.
    package var isResumed: Bool { unsafe tls.map { unsafe SSL_session_reused($0) == 1 } ?? false }

    /// Why a client that asks the authorities would refuse the server's certificate, or `nil`.
    package var certificateProblem: String? {
        guard let pointer = unsafe tls else { return "there is none" }
        let result = unsafe SSL_get_verify_result(pointer)
        guard result != Int(X509_V_OK) else { return nil }
        return unsafe String(cString: X509_verify_cert_error_string(result))
    }

    /// The SHA-256 digest of the server's certificate.
    package var certificateDigest: [UInt8]? {
        guard let pointer = unsafe tls,
            let certificate = unsafe SSL_get1_peer_certificate(pointer)
        else { return nil }
        defer { unsafe X509_free(certificate) }
        return unsafe TLS.certificateDigest(certificate)
    }
}
