internal import COpenSSL
package import LinuxSystem

/// What a connection is for; decides about tickets and buffers.
package enum TLSRole: Sendable {
    /// The control connection: short lines, and the only place where tickets are issued.
    case control
    /// A data connection: bulk, no tickets, may resume its control connection's session.
    case data

    init?(of ssl: OpaquePointer) {
        guard let notes = unsafe HandshakeNotes.of(ssl) else { return nil }
        self = unsafe notes.pointee.role
    }
}

/// How far an operation came that may have to wait for the peer.
package enum TLSStep: Equatable, Sendable {
    /// It is done.
    case done
    /// Wait until the socket is readable, then call again.
    case wantsRead
    /// Wait until the socket is writable, then call again.
    case wantsWrite
    /// It failed for good; the connection is of no further use.
    case failed(TLSError)
}

/// The accepting side of one TLS connection over a non-blocking socket.
///
/// Owns one reference to an `SSL`; the socket belongs to somebody else, who keeps it open longer.
@safe package struct TLSConnection: ~Copyable {
    /// Bytes handed to ``write(_:)`` in one piece at most: several records, one system call.
    package static let pieceByteCount = 262_144

    /// Room for a piece's records: 16 KiB each, and what TLS adds to it.
    private static let writeBufferByteCount = pieceByteCount + pieceByteCount / 16_384 * 256

    private let pointer: OpaquePointer
    private let role: TLSRole
    private let notes: UnsafeMutablePointer<HandshakeNotes>
    private var isBroken = false

    /// What the records of a control connection go out through, and how much of those that are
    /// gathered has.
    private var output: OpaquePointer?
    private var sentByteCount = 0

    /// How reading ended, once it has.
    private var ending: ReadOutcome?

    private init(owning pointer: OpaquePointer, role: TLSRole, hosts: ServerHosts?) {
        unsafe self.pointer = pointer
        self.role = role
        unsafe notes = .allocate(capacity: 1)
        unsafe notes.initialize(to: HandshakeNotes(role: role, hosts: hosts))
        _ = unsafe COpenSSL_SSL_set_app_data(pointer, notes)
    }

    deinit {
        // Freeing a connection that was not shut down removes its session from the cache, and this
        // session is the control connection's, which later data connections resume (TLS 1.2).
        unsafe SSL_set_shutdown(pointer, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        unsafe SSL_free(pointer)
        unsafe BIO_free(output)
        unsafe notes.deinitialize(count: 1)
        unsafe notes.deallocate()
    }

    /// Prepares to accept a handshake on `descriptor`.
    ///
    /// - Parameters:
    ///   - descriptor: The socket.
    ///   - context: What may be negotiated.
    ///   - role: What the connection is for.
    ///   - challenge: What a client that shows a certificate signs with its handshake, for another
    ///     process to check; ``takeClientProof()`` hands out what that one needs.
    /// - Returns: A connection that waits for the client.
    /// - Throws: ``TLSError``.
    package static func accepting(
        on descriptor: borrowing OwnedDescriptor,
        context: TLSContext,
        role: TLSRole,
        challenge: [UInt8]? = nil
    ) throws(TLSError) -> TLSConnection {
        ERR_clear_error()
        guard let pointer = unsafe SSL_new(context.pointer) else { throw .draining(.allocation) }
        var connection = unsafe TLSConnection(owning: pointer, role: role, hosts: context.hosts)
        // Received is as ever: the input of another kind has OpenSSL offer no keys for that.
        let offersKeys =
            role == .data && context.encryptsInKernel && descriptor.awaitTLSKeys()
        let input =
            offersKeys
            ? unsafe BIO_new_fd(descriptor.number, BIO_NOCLOSE)
            : unsafe BIO_new_socket(descriptor.number, BIO_NOCLOSE)
        guard
            let input = unsafe input,
            let output = unsafe BIO_new_socket(descriptor.number, BIO_NOCLOSE)
        else { throw .draining(.allocation) }
        switch role {
        case .control:
            unsafe connection.output = output
            // A ticket and the reply behind it leave in one send.
            guard let gathered = unsafe BIO_new(BIO_s_mem()) else { throw .draining(.allocation) }
            unsafe SSL_set_bio(pointer, input, gathered)
            // Passwords come this way; what was read is overwritten in OpenSSL's buffer.
            _ = unsafe SSL_set_options(pointer, COpenSSL_SSL_OP_CLEANSE_PLAINTEXT)
        case .data:
            // One send for many records, one recv for many records.
            guard let buffer = unsafe BIO_new(BIO_f_buffer()),
                unsafe COpenSSL_BIO_set_write_buffer_size(buffer, Self.writeBufferByteCount) == 1
            else { throw .draining(.allocation) }
            unsafe SSL_set_bio(pointer, input, BIO_push(buffer, output))
            unsafe SSL_set_read_ahead(pointer, 1)
            unsafe SSL_set_default_read_buffer_len(pointer, 65_536)
            if offersKeys { _ = unsafe SSL_set_options(pointer, COpenSSL_SSL_OP_ENABLE_KTLS) }
        }
        if let challenge {
            unsafe connection.notes.pointee.recording = HandshakeRecording(challenge: challenge)
            unsafe SSL_set_msg_callback(pointer, recordMessage)
        }
        unsafe SSL_set_accept_state(pointer)
        return connection
    }

    /// Takes the handshake as far as it goes without waiting.
    package mutating func handshake() -> TLSStep {
        ERR_clear_error()
        let result = unsafe SSL_do_handshake(pointer)
        guard result == 1 else {
            let step = step(result, failing: .handshake)
            noteMissingCertificate(step)
            return role == .control ? after(step) : step
        }
        if role == .control {
            let step = after(.done)
            guard case .done = step else { return step }
            // The memory that the certificates took; and not before: what is read ahead of the end of
            // the handshake would wait where poll(2) does not see it.
            if let gathered = unsafe BIO_new(BIO_s_mem()) {
                unsafe SSL_set0_wbio(pointer, gathered)
            }
            unsafe SSL_set_read_ahead(pointer, 1)
        }
        unsafe SSL_set_msg_callback(pointer, countLateMessage)
        if role == .data, !isResumed, let session = unsafe SSL_get_session(pointer) {
            // Whoever completes a full handshake here has proved nothing, so the session must not
            // prove anything later either.
            _ = unsafe SSL_CTX_remove_session(SSL_get_SSL_CTX(pointer), session)
        } else if role == .control, let session = unsafe SSL_get_session(pointer) {
            // The one that is found by its id; tickets have been sent by now.
            unsafe prolong(session)
        }
        return .done
    }

    /// Sends what is gathered, and says what there is to wait for after `step`.
    private mutating func after(_ step: TLSStep) -> TLSStep {
        let sent = sendGathered()
        switch step {
        case .failed: return step
        case .done, .wantsRead, .wantsWrite: return sent == .done ? step : sent
        }
    }

    /// Sends the records of a control connection, as far as that goes without waiting.
    private mutating func sendGathered() -> TLSStep {
        guard let gathered = unsafe SSL_get_wbio(pointer) else { return .failed(.init(.transport)) }
        var bytes: UnsafePointer<CChar>?
        let count = unsafe COpenSSL_BIO_get_mem_data(gathered, &bytes)
        while sentByteCount < count {
            let rest = CInt(clamping: count - sentByteCount)
            let result = unsafe BIO_write(output, bytes?.advanced(by: sentByteCount), rest)
            guard result > 0 else {
                if unsafe COpenSSL_BIO_should_retry(output) != 0 { return .wantsWrite }
                isBroken = true
                return .failed(.draining(.transport))
            }
            sentByteCount += Int(result)
        }
        if count > 0 { _ = unsafe COpenSSL_BIO_reset(gathered) }
        sentByteCount = 0
        return .done
    }

    private func noteMissingCertificate(_ step: TLSStep) {
        guard case .failed(let error) = step,
            error.queue.contains(where: {
                ERR_GET_REASON(UInt($0)) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE
            })
        else { return }
        unsafe notes.pointee.refusal = CertificateRefusal(
            reason: "none was shown (require_cert)",
            subject: nil,
            depth: 0
        )
    }

    /// Reads decrypted bytes until `buffer` is full or no whole record is left.
    package mutating func read(into buffer: UnsafeMutableRawBufferPointer) -> ReadOutcome {
        if let ending { return ending }
        var filled = 0
        while filled < buffer.count {
            ERR_clear_error()
            var count = 0
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            let result = unsafe SSL_read_ex(pointer, rest.baseAddress, rest.count, &count)
            if result == 1 {
                filled += count
                // Of short lines there is seldom more, and poll(2) tells when there is.
                if role == .control, unsafe SSL_has_pending(pointer) == 0 { return .bytes(filled) }
                continue
            }
            let error = unsafe SSL_get_error(pointer, result)
            // Answers to what the client says about the connection itself, and alerts; few enough
            // (``HandshakeNotes/hasTooManyLateMessages``) to be left to the next reply.
            if role == .control { _ = sendGathered() }
            switch error {
            case SSL_ERROR_WANT_READ: return filled > 0 ? .bytes(filled) : .wantsRead
            case SSL_ERROR_WANT_WRITE: return filled > 0 ? .bytes(filled) : .wantsWrite
            case SSL_ERROR_ZERO_RETURN where unsafe !notes.pointee.hasTooManyLateMessages:
                ending = .ended(isClean: true)
            default:
                isBroken = true
                let reason = ERR_GET_REASON(ERR_peek_error())
                let isEnd = reason == SSL_R_UNEXPECTED_EOF_WHILE_READING
                ending = isEnd ? .ended(isClean: false) : .failed
            }
            break
        }
        // What came before the end is delivered first.
        return filled > 0 ? .bytes(filled) : ending ?? .failed
    }

    /// Encrypts `bytes`, at most ``pieceByteCount``, into records.
    ///
    /// The records wait in a buffer until ``flush()``, which has to be done before the next call.
    package mutating func write(_ bytes: UnsafeRawBufferPointer) -> WriteOutcome {
        ERR_clear_error()
        var count = 0
        let result = unsafe SSL_write_ex(pointer, bytes.baseAddress, bytes.count, &count)
        if result == 1 { return .bytes(count) }
        switch unsafe SSL_get_error(pointer, result) {
        case SSL_ERROR_WANT_READ: return .wantsRead
        case SSL_ERROR_WANT_WRITE: return .wantsWrite
        default:
            isBroken = true
            return .failed
        }
    }

    /// Sends what ``write(_:)`` has gathered.
    package mutating func flush() -> TLSStep {
        ERR_clear_error()
        if role == .control { return sendGathered() }
        guard let output = unsafe SSL_get_wbio(pointer) else { return .failed(.init(.transport)) }
        if unsafe COpenSSL_BIO_flush(output) == 1 { return .done }
        if unsafe COpenSSL_BIO_should_retry(output) != 0 { return .wantsWrite }
        isBroken = true
        return .failed(.draining(.transport))
    }

    /// Whether the kernel has taken the keys, and makes records of whatever goes to the socket.
    ///
    /// Known once the handshake is done. The buffer of ``write(_:)`` lies in front of that.
    package var isEncryptedByKernel: Bool {
        guard role == .data, let output = unsafe SSL_get_wbio(pointer) else { return false }
        return unsafe COpenSSL_BIO_get_ktls_send(output) == 1
    }

    /// Has the next bytes bring one ticket (RFC 8446 section 4.6.1).
    ///
    /// Only a control connection under TLS 1.3 has tickets to give after the handshake; elsewhere
    /// nothing happens.
    package mutating func issueTicket() -> TLSStep {
        guard role == .control, unsafe SSL_version(pointer) == TLS1_3_VERSION else {
            return .done
        }
        ERR_clear_error()
        guard unsafe SSL_new_session_ticket(pointer) == 1 else { return .done }
        let result = unsafe SSL_do_handshake(pointer)
        return result == 1 ? .done : step(result, failing: .transport)
    }

    /// Says that nothing more will be written (`close_notify`).
    package mutating func sendCloseNotify() -> TLSStep {
        guard !isBroken, unsafe SSL_in_init(pointer) == 0 else {
            return .failed(.init(.transport))
        }
        if unsafe SSL_get_shutdown(pointer) & SSL_SENT_SHUTDOWN == 0 {
            ERR_clear_error()
            let result = unsafe SSL_shutdown(pointer)
            if result < 0 { return step(result, failing: .transport) }
        }
        return flush()
    }

    private mutating func step(_ result: CInt, failing code: TLSError.Code) -> TLSStep {
        switch unsafe SSL_get_error(pointer, result) {
        case SSL_ERROR_WANT_READ: return .wantsRead
        case SSL_ERROR_WANT_WRITE: return .wantsWrite
        default:
            isBroken = true
            return .failed(.draining(code))
        }
    }

    /// Whether this connection resumed a session, which can only be its control connection's.
    package var isResumed: Bool { unsafe SSL_session_reused(pointer) == 1 }

    /// Whether the client chose a protocol by ALPN, which can only be `ftp`.
    package var hasApplicationProtocol: Bool {
        var start: UnsafePointer<UInt8>?
        var count: CUnsignedInt = 0
        unsafe SSL_get0_alpn_selected(pointer, &start, &count)
        return count > 0
    }

    /// The host that the client named in its handshake (RFC 6066 section 3), or `nil`.
    package var serverName: String? { unsafe notes.pointee.offered?.text }

    /// Whether the handshake failed because of what it named, or because it named none.
    package var isNameRefused: Bool { unsafe notes.pointee.isNameRefused }

    /// The protocol version and suite, for the log: `TLSv1.3 TLS_AES_256_GCM_SHA384`.
    package var summary: String {
        let version = unsafe String(cString: SSL_get_version(pointer))
        guard let suite = unsafe SSL_CIPHER_get_name(SSL_get_current_cipher(pointer)) else {
            return version
        }
        return unsafe "\(version) \(String(cString: suite))"
    }

    /// What the handshake has agreed on, for the audit trail.
    package var facts: TLSFacts {
        let suite = unsafe SSL_CIPHER_get_name(SSL_get_current_cipher(pointer))
        let group = unsafe COpenSSL_SSL_group_name(pointer)
        return TLSFacts(
            version: unsafe String(cString: SSL_get_version(pointer)),
            suite: unsafe suite.map { unsafe String(cString: $0) } ?? "",
            group: unsafe group.map { unsafe String(cString: $0) } ?? ""
        )
    }

    /// Hands over the handshake in which the client showed its certificate, for a
    /// ``ClientProofCheck`` in another process; `nil` when it showed none.
    package mutating func takeClientProof() -> [UInt8]? {
        let recording = unsafe notes.pointee.recording.take()
        guard let recording, recording.isComplete else { return nil }
        return recording.messages
    }

    /// Why the client's certificate was refused, or that it showed none where one is required.
    package var certificateRefusal: CertificateRefusal? { unsafe notes.pointee.refusal }

    /// The SHA-256 digest of the client's certificate, or `nil` when it showed none.
    package var peerCertificateDigest: [UInt8]? {
        guard let certificate = unsafe SSL_get1_peer_certificate(pointer) else { return nil }
        defer { unsafe X509_free(certificate) }
        return unsafe certificateDigest(certificate)
    }
}

/// What a handshake has agreed on.
package struct TLSFacts: Hashable, Sendable {
    /// The protocol, such as `TLSv1.3`.
    package let version: String
    /// The suite, as OpenSSL calls it.
    package let suite: String
    /// The group of the key exchange; empty where there was none.
    package let group: String
}
