internal import FTPProtocol
internal import LinuxSystem

/// Where the next data connection comes from: a port that it is awaited on, or one it leads to.
///
/// The session polls it beside the control connection, between commands too: some clients finish
/// the TLS handshake before they send the transfer command.
protocol DataSource: AnyObject {
    /// The protection level that it was opened under (RFC 4217 section 9).
    var level: ProtectionLevel { get }

    /// What to wait for.
    var pollEntries: [PollEntry] { get }

    /// When to call ``advance(_:)`` even if nothing is ready.
    var deadline: Deadline { get }

    /// Accepts, connects and shakes hands as far as it goes without waiting.
    ///
    /// - Parameter polled: ``pollEntries``, and what poll(2) has found.
    func advance(_ polled: [PollEntry])

    /// Begins to count the time: the transfer command was given.
    func start()

    /// How it went, once it has.
    func takeOutcome() -> Result<AdmittedConnection, DataConnectionFailure>?
}

extension DataSource {
    /// Looks what there is, and goes on as far as it goes without waiting.
    func advance() {
        var entries = pollEntries
        guard (try? poll(&entries, until: .passed)) != nil else { return }
        advance(entries)
    }
}
