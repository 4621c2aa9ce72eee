internal import COpenSSL

/// Chooses `ftp` (RFC 7301, IANA's ALPN protocol ids) or refuses the handshake.
///
/// A client that offers protocols and not `ftp` among them speaks to the wrong server, perhaps
/// because somebody redirected it: the handshake fails with `no_application_protocol` (ALPACA,
/// CVE-2021-3618). A client that offers none is served.
func selectApplicationProtocol(
    _: OpaquePointer?,
    _ selected: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ selectedCount: UnsafeMutablePointer<UInt8>?,
    _ offered: UnsafePointer<UInt8>?,
    _ offeredCount: CUnsignedInt,
    _: UnsafeMutableRawPointer?
) -> CInt {
    guard let selected = unsafe selected, let selectedCount = unsafe selectedCount,
        let offered = unsafe offered
    else { return SSL_TLSEXT_ERR_ALERT_FATAL }
    let list = unsafe UnsafeBufferPointer(start: offered, count: Int(offeredCount))
    var position = 0
    while position < list.count {
        let count = unsafe Int(list[position])
        let start = position + 1
        guard count > 0, start + count <= list.count else { break }
        if unsafe list[start..<(start + count)].elementsEqual("ftp".utf8) {
            unsafe selected.pointee = offered + start
            unsafe selectedCount.pointee = UInt8(count)
            return SSL_TLSEXT_ERR_OK
        }
        position = start + count
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}
