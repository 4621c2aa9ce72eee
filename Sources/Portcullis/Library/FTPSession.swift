internal import Isolation

/// What a handler begins with: a client that has connected, and what holds for it.
///
/// Made by the server and handed to ``FTPHandler/init(_:)``; there is nothing else to be done with it.
public final class FTPSession {
    private var start: SessionStart?
    let settings: SharedSettings

    init(_ start: consuming SessionStart, _ settings: SharedSettings) {
        self.start = consume start
        self.settings = settings
    }

    /// Hands the connection over.
    ///
    /// - Precondition: It was not handed over before.
    func takeStart() -> SessionStart {
        guard let start = start.take() else {
            preconditionFailure("a session is for one handler alone")
        }
        return start
    }
}
