internal import COpenSSL
internal import Glibc

/// A failed TLS operation.
///
/// Equality looks at ``code`` alone, so a test can write `throws: TLSError(.handshake)`.
package struct TLSError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What was being attempted.
    package enum Code: UInt8, Hashable, Sendable {
        /// Making an OpenSSL object.
        case allocation = 1
        /// Applying the policy to a context.
        case configuration
        /// Reading the certificate chain.
        case certificate
        /// Reading the private key.
        case privateKey
        /// Reading the file with the key's passphrase.
        case passphrase
        /// Holding the private key against the certificate.
        case keyMismatch
        /// The handshake.
        case handshake
        /// Reading or writing after the handshake.
        case transport
        /// Reading the authorities that vouch for clients.
        case authorities
        /// Reading what they have revoked.
        case revocations
    }

    /// What was being attempted.
    package let code: Code

    /// Which of the certificates that were to be loaded it is about, if any.
    package private(set) var number: Int?

    /// OpenSSL's packed error codes, oldest first.
    ///
    /// For the log, never for the client.
    package let queue: [UInt]

    /// Creates an error without details.
    package init(_ code: Code, queue: [UInt] = []) {
        self.code = code
        self.queue = queue
    }

    /// The same error, said of one of several certificates.
    func about(_ number: Int) -> TLSError {
        var error = self
        error.number = number
        return error
    }

    /// Takes everything that OpenSSL has queued for this thread.
    static func draining(_ code: Code) -> TLSError {
        var queue: [UInt] = []
        while true {
            let next = ERR_get_error()
            guard next != 0 else { break }
            queue.append(UInt(next))
        }
        return TLSError(code, queue: queue)
    }

    /// The reasons in OpenSSL's words, for the log.
    package var description: String {
        let reasons = queue.compactMap { code -> String? in
            // The reason of a failed system call is its errno, which OpenSSL has no words for.
            if ERR_GET_LIB(code) == ERR_LIB_SYS {
                return unsafe String(cString: strerror(ERR_GET_REASON(code)))
            }
            guard let text = unsafe ERR_reason_error_string(code) else { return nil }
            return unsafe String(cString: text)
        }
        return reasons.isEmpty ? "\(code)" : "\(code): \(reasons.joined(separator: ", "))"
    }

    /// Compares ``code`` alone.
    package static func == (left: TLSError, right: TLSError) -> Bool { left.code == right.code }
}
