internal import Authentication
internal import LinuxSystem

/// The options of one user in a file of their own (`user_config_dir`).
enum UserFile {
    /// Reads the file of `user`, if there is one; runs in the Warden.
    ///
    /// - Throws: ``LoginRefusal/unavailable(reason:)`` when there is a file that cannot be trusted
    ///   or read: what it forbids would be allowed.
    static func read(
        in directory: String,
        user: String
    ) throws(LoginRefusal) -> [ConfigurationAssignment] {
        // The name comes from the client.
        guard !user.utf8.contains(UInt8(ascii: "/")), user.utf8.first != UInt8(ascii: ".")
        else {
            throw .denied(rule: "user_config_dir: no file can have this name")
        }
        let path = "\(directory)/\(user)"
        guard HostFile.exists(path) else { return [] }
        let limit = ConfigurationFile.maximumByteCount
        let file: HostFile
        do {
            file = try HostFile.read(path, limit: limit)
        } catch {
            throw .unavailable(reason: "\(path.shownInOneLine): \(error.reason)")
        }
        guard file.bytes.count <= limit, file.mode & 0o022 == 0 else {
            throw .unavailable(
                reason: "\(path.shownInOneLine): too large, or others may write it"
            )
        }
        return ConfigurationFile.assignments(in: file.bytes, file: path)
    }
}
