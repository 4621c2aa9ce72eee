internal import COpenSSL

// Which sessions may be resumed, and where tickets may be issued. OpenSSL asks these two functions
// for every ticket, under TLS 1.2 and 1.3 alike.

/// What stands in every ticket: it was issued on a control connection.
private let controlMark: [UInt8] = Array("portcullis control".utf8)

/// How long a ticket is good as far as the client is told, in seconds: the longest that RFC 8446
/// section 4.6.1 allows, and that Java takes under TLS 1.2 as well.
let ticketLifetime = 7 * 24 * 3_600

/// How long a session of TLS 1.2 may really be resumed, in seconds.
///
/// Ten years, so that it ends with its control connection and not before: there is but the one that
/// the first handshake made. Under TLS 1.3 a new ticket comes before each data connection.
private let sessionLifetime = 10 * 365 * 24 * 3_600

/// Has a session of TLS 1.2 live as long as its control connection.
func prolong(_ session: OpaquePointer) {
    guard unsafe SSL_SESSION_get_protocol_version(session) == TLS1_2_VERSION else { return }
    unsafe SSL_SESSION_set_timeout(session, sessionLifetime)
}

/// Writes into a new ticket that a control connection issued it.
///
/// A ticket of a data connection gets no mark, and is therefore good for nothing.
func markTicket(_ ssl: OpaquePointer?, _: UnsafeMutableRawPointer?) -> CInt {
    guard let ssl = unsafe ssl, unsafe TLSRole(of: ssl) == .control else { return 1 }
    guard let session = unsafe SSL_get_session(ssl) else { return 0 }
    return unsafe controlMark.withUnsafeBytes {
        unsafe SSL_SESSION_set1_ticket_appdata(session, $0.baseAddress, $0.count)
    }
}

/// Decides what a ticket is good for that a client presents.
///
/// A control connection never resumes: a session belongs to one control connection and dies with
/// it. A data connection resumes only what its control connection issued, and never gets a ticket
/// of its own, not even under TLS 1.2 where a full handshake would bring one.
func judgeTicket(
    _ ssl: OpaquePointer?,
    _ session: OpaquePointer?,
    _: UnsafePointer<UInt8>?,
    _: Int,
    _ status: SSL_TICKET_STATUS,
    _: UnsafeMutableRawPointer?
) -> SSL_TICKET_RETURN {
    guard let ssl = unsafe ssl, unsafe TLSRole(of: ssl) == .data else {
        return SSL_TICKET_RETURN(SSL_TICKET_RETURN_IGNORE_RENEW)
    }
    guard
        status == SSL_TICKET_STATUS(SSL_TICKET_SUCCESS)
            || status == SSL_TICKET_STATUS(SSL_TICKET_SUCCESS_RENEW),
        let session = unsafe session
    else {
        return SSL_TICKET_RETURN(SSL_TICKET_RETURN_IGNORE)
    }
    var data: UnsafeMutableRawPointer?
    var count = 0
    guard unsafe SSL_SESSION_get0_ticket_appdata(session, &data, &count) == 1,
        let start = unsafe data
    else {
        return SSL_TICKET_RETURN(SSL_TICKET_RETURN_IGNORE)
    }
    let mark = unsafe UnsafeRawBufferPointer(start: start, count: count)
    let isControl = unsafe mark.elementsEqual(controlMark)
    // What the ticket says is what the client was told.
    if isControl { unsafe prolong(session) }
    return SSL_TICKET_RETURN(isControl ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_IGNORE)
}
