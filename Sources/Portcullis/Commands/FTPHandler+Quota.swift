internal import FTPProtocol
internal import FileSystem

extension FTPHandler {
    /// SITE QUOTA: what the user has stored, and may store.
    final func showQuota() throws(SessionEnd) {
        let found = try attempt(550, "SITE QUOTA") { fileSystem throws(FileError) in
            try fileSystem.storageReport()
        }
        guard let report = found else { return }
        let limits = report.limits
        var lines: [String] = []
        if limits.hasQuota {
            lines.append("\(report.usedBytes) bytes used" + Self.part(of: limits.bytes))
            lines.append("\(report.usedFiles) files used" + Self.part(of: limits.files))
        }
        if limits.fileSize > 0 { lines.append("\(limits.fileSize) bytes in one file at most") }
        if limits.freeSpace > 0 { lines.append("\(limits.freeSpace) bytes stay free on the disk") }
        guard !lines.isEmpty else {
            try reply(211, "Nothing limits what you store but the disk.")
            return
        }
        try reply(Reply(211, lines: ["Quota:"] + lines + ["End"]))
    }

    private static func part(of limit: Int64) -> String {
        limit > 0 ? " of \(limit)" : ", not limited"
    }
}
