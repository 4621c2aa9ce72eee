import Portcullis

/// Knows hashes and no passwords: `HashedPasswords 2121 DIRECTORY CERTIFICATE [threads]`.
@main
struct HashedPasswords {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 4, let port = UInt16(arguments[1]) else {
            throw ServerError("usage: HashedPasswords PORT DIRECTORY CERTIFICATE [threads]")
        }
        var settings = FTPHandler.Settings(authorizer: OneUser(home: arguments[2]))
        settings.certificate = arguments[3]
        let server = try FTPServer(
            address: ServerAddress("127.0.0.1", port),
            settings: settings,
            concurrency: arguments.contains("threads") ? .threads : .processes
        )
        server.serveForever()
    }
}

/// Says who is in; where the hash comes from, a database perhaps, is its own affair.
struct OneUser: Authorizer {
    let home: String

    func validateAuthentication(
        user: String,
        password: borrowing Password,
        client: String
    ) throws -> FTPUser {
        // Of 12345, by `mkpasswd --method=sha512crypt`.
        let hash =
            "$6$portcullis$MrWyjTHexOx0PqxoBMIgxlISXjV36NFsVkfEWuzRmLA2oqdM2ohOUx0sD/uN2JMv56iF.hmktcur7Fuo9cdjb0"
        guard user == "user", password.matches(hash: hash) else {
            throw AuthenticationFailed.incorrect
        }
        return FTPUser("user", home: home, permissions: .all)
    }
}
