internal import COpenSSL
internal import FTPProtocol

/// Why a client's certificate was refused, for the log.
package struct CertificateRefusal: Hashable, Sendable {
    /// OpenSSL's words, which name no secret.
    package let reason: String

    /// Whose certificate it was, in the form of RFC 2253; `nil` when none was shown.
    package let subject: String?

    /// Whether it was the client's own certificate or one that vouches for it.
    package let depth: Int

    /// One line, with the client's words escaped.
    package var logText: String {
        guard let subject else { return reason }
        let shown = LogText.escaped(Array(subject.utf8))
        return "\(reason), subject \"\(shown)\"" + (depth > 0 ? ", depth \(depth)" : "")
    }
}

/// Judges each certificate of a client's chain after OpenSSL has; keeps the first refusal.
func judgeCertificate(_ isGood: CInt, _ store: OpaquePointer?) -> CInt {
    guard isGood != 1, let store = unsafe store else { return isGood }
    guard
        let memory = unsafe X509_STORE_CTX_get_ex_data(
            store,
            SSL_get_ex_data_X509_STORE_CTX_idx()
        ),
        let notes = unsafe HandshakeNotes.of(OpaquePointer(memory))
    else { return 0 }
    guard unsafe notes.pointee.refusal == nil else { return 0 }
    unsafe notes.pointee.refusal = CertificateRefusal(refusedIn: store)
    return 0
}

/// Takes any certificate: it only has to be the same on the data connection.
func takeAnyCertificate(_: CInt, _: OpaquePointer?) -> CInt { 1 }

extension CertificateRefusal {
    /// Reads why a check of a chain failed (X509_STORE_CTX_get_error(3)).
    init(refusedIn store: OpaquePointer) {
        let code = unsafe X509_STORE_CTX_get_error(store)
        let words = unsafe X509_verify_cert_error_string(Int(code))
        reason = unsafe words.map { unsafe String(cString: $0) } ?? "\(code)"
        depth = Int(unsafe X509_STORE_CTX_get_error_depth(store))
        let certificate = unsafe X509_STORE_CTX_get_current_cert(store)
        subject = unsafe certificate.flatMap { unsafe subjectText(of: $0) }
    }
}

/// The subject of a certificate on one line, in the form of RFC 2253.
///
/// - Returns: `nil` when it is longer than 1024 bytes or cannot be written.
func subjectText(of certificate: OpaquePointer) -> String? {
    unsafe nameText(X509_get_subject_name(certificate))
}

/// A distinguished name in the form of RFC 2253; `nil` when it is longer than 1,024 bytes.
func nameText(_ name: OpaquePointer?) -> String? {
    guard let name = unsafe name,
        let output = unsafe BIO_new(BIO_s_mem())
    else { return nil }
    defer { unsafe BIO_free_all(output) }
    let flags = COpenSSL_XN_FLAG_RFC2253
    guard unsafe X509_NAME_print_ex(output, name, 0, flags) >= 0 else { return nil }
    var text = [UInt8](repeating: 0, count: 1_025)
    let count = unsafe BIO_read(output, &text, CInt(text.count))
    guard count >= 0, count < text.count else { return nil }
    return String(validating: text.prefix(Int(count)), as: UTF8.self)
}
