/// Why a session ends.
enum SessionEnd: Error, Hashable {
    /// The client said QUIT, or its connection is gone.
    case clientLeft
    /// The check of a login did not end (`pam_timeout`); the client has been told.
    case loginTimedOut
    /// The client sent nothing for too long (`idle_session_timeout`).
    case idle
    /// Data did not move for too long (`data_connection_timeout`).
    case dataTimedOut
    /// The server is to end.
    case serverEnds
    /// The Warden or the Agent is gone.
    case processGone
    /// The last login attempt failed.
    case tooManyFailures
    /// The client broke a rule after which nothing it sends is trusted.
    case violation
}
