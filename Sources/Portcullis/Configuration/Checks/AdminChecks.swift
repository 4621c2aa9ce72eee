extension ConfigurationDraft {
    /// The longest path that a socket may have (`unix(7)`), with room for the one it is made as.
    private static let maximumPathByteCount = 90

    /// Checks where administrators ask.
    mutating func checkAdmin() {
        let admin = configuration.admin
        if let socket = admin.socket, !socket.utf8.starts(with: "/".utf8) {
            refuse(
                "admin_socket",
                why: "the path does not begin with /",
                mend: "write the whole path, such as /run/portcullis/admin"
            )
        } else if let socket = admin.socket, socket.utf8.count > Self.maximumPathByteCount {
            refuse(
                "admin_socket",
                why: "the path is longer than \(Self.maximumPathByteCount) bytes",
                mend: "write a shorter one, such as /run/portcullis/admin"
            )
        }
        if admin.socket == nil { ignore("admin_group", why: "there is no admin_socket") }
    }
}
