/// Moves the bytes of one transfer no faster than its rates, in clear or over TLS.
///
/// The rates of ``FTPHandler/Settings`` hold for every kind of handler. A subclass of this one brings
/// rates of its own; where both say something the lower one holds.
open class ThrottledDTPHandler: TLS_DTPHandler {
    /// Bytes per second for the uploads of one session; 0 for any rate.
    open class var readLimit: Int { 0 }

    /// Bytes per second for the downloads and listings of one session; 0 for any rate.
    open class var writeLimit: Int { 0 }

    /// Whether pieces get smaller as the rate gets lower; 64 KiB each otherwise.
    open class var autoSizedBuffers: Bool { true }
}
