package import FTPProtocol
package import LinuxSystem

/// Decides who may log in.
///
/// Runs in the Warden, which is root and reads no byte of the network.
package protocol Authorizer: AnyObject {
    /// Checks a password.
    ///
    /// May take as long as it needs: no other session waits for it.
    ///
    /// - Parameters:
    ///   - user: What the client sent after USER, without control characters.
    ///   - password: What the client sent after PASS.
    ///   - peer: The client's address.
    /// - Returns: The login, which the caller has to end.
    /// - Throws: ``LoginRefusal``; ``LoginRefusal/unknownUser`` lets the next authorizer try.
    func authenticate(
        user: String,
        password: borrowing Secret,
        from peer: IPAddress
    ) throws(LoginRefusal) -> any Login

    /// Loads what every check would load anew, before the processes that check are forked.
    ///
    /// - Returns: Lines for the log.
    func prepare() -> [String]

    /// Checks a password, and may ask the client for more.
    ///
    /// - Parameters:
    ///   - user: What the client sent after USER, without control characters.
    ///   - password: What the client sent after PASS.
    ///   - peer: The client's address.
    ///   - question: Asks the client; takes as long as the client takes.
    /// - Returns: The login, which the caller has to end.
    /// - Throws: ``LoginRefusal``; ``LoginRefusal/unknownUser`` lets the next authorizer try.
    func authenticate(
        user: String,
        password: borrowing Secret,
        from peer: IPAddress,
        asking question: @escaping SecondQuestion
    ) throws(LoginRefusal) -> any Login

    /// Lets a user in who has proved who they are in another way, by a certificate for example.
    ///
    /// Every rule but that about the password holds.
    ///
    /// - Parameters:
    ///   - user: The name that was proved.
    ///   - peer: The client's address.
    /// - Returns: The login, which the caller has to end.
    /// - Throws: ``LoginRefusal``; ``LoginRefusal/unknownUser`` lets the next authorizer try.
    func admit(user: String, from peer: IPAddress) throws(LoginRefusal) -> any Login

    /// Has `body` called with a user's name right before a session of the system is opened for it,
    /// and with `nil` when that is closed again.
    ///
    /// Whoever is told can close the session when this process is killed.
    func watchSessions(_ body: @escaping (String?) -> Void)

    /// Closes a session of the system that a process which is gone has opened.
    ///
    /// - Parameters:
    ///   - user: Whose session it is.
    ///   - peer: The client's address.
    func closeLeftSession(of user: String, from peer: IPAddress)

    /// Looks at what the authorizer depends on, asked by SIGHUP.
    ///
    /// - Returns: Lines for the log.
    func inspect() -> [String]
}

/// A login that stands until it is ended.
package protocol Login: AnyObject {
    /// Who logged in.
    var account: Account { get }

    /// Ends what the login opened, a PAM session for example.
    func end()
}
