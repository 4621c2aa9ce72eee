internal import Isolation

/// Why a session ends.
public enum SessionEnd: Error, Hashable, Sendable {
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
    /// Another client needs the place, and this one has not logged in (`max_before_login`).
    case makesRoom
    /// An administrator wants it.
    case kicked
    /// The Warden or the Agent is gone.
    case processGone
    /// The last login attempt failed.
    case tooManyFailures
    /// ``FTPHandler/close()`` was called.
    case closed
    /// The client broke a rule after which nothing it sends is trusted.
    case violation
}

extension SessionEnd {
    /// What the Warden's wish to finish means.
    init(_ reason: FinishReason) {
        self =
            switch reason {
            case .serverEnds, .restarts: .serverEnds
            case .makesRoom: .makesRoom
            case .kicked: .kicked
            }
    }
}
