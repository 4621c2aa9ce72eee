internal import ArgumentParser
internal import Authentication
internal import LinuxSystem

// Where `portcullis passwd` gets a password from.

/// Asks for a new password, twice on a terminal, and returns its hash.
func newPassword(of user: String) throws -> PasswordHash {
    let limit = PasswordHash.maximumPasswordByteCount
    do throws(SecretInputError) {
        let password: Secret
        if standardInputIsTerminal {
            password = try promptForSecret("New password of \(user): ", maximumByteCount: limit)
            let again = try promptForSecret("The same again: ", maximumByteCount: limit)
            guard password.isEqual(to: again) else {
                complain("the two passwords differ; nothing was changed")
                throw SecretInputError.ended
            }
        } else {
            password = try readSecretLine(maximumByteCount: limit)
        }
        guard password.count > 0 else {
            complain("an empty password is none; nothing was changed")
            throw SecretInputError.ended
        }
        guard let hash = PasswordHash.make(password) else { throw SecretInputError.tooLong }
        return hash
    } catch {
        switch error {
        case .ended: throw ExitCode.failure
        case .tooLong: throw failure("a password has at most \(limit) bytes")
        case .forbiddenByte: throw failure("a password holds no control characters")
        case .failed(let cause): throw failure("\(cause)")
        }
    }
}

/// Prints why the command ends, and makes it end with status 1.
func failure(_ line: String) -> ExitCode {
    complain(line)
    return .failure
}
