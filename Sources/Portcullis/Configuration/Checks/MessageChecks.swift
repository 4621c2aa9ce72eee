extension ConfigurationDraft {
    /// Reads the file with the greeting.
    mutating func checkMessages() {
        guard let bannerFile else { return }
        ignore("ftpd_banner", why: "banner_file overrides it")
        let limit = 4096
        let content: HostFile
        do {
            content = try HostFile.read(bannerFile, limit: limit)
        } catch {
            refuse(
                "banner_file",
                why: "the file cannot be read (\(error.reason))",
                mend: "name a text file that this account may read"
            )
            return
        }
        guard content.bytes.count <= limit else {
            refuse(
                "banner_file",
                why: "the file is larger than \(limit) bytes",
                mend: "shorten it"
            )
            return
        }
        let bytes = content.bytes.filter { $0 != UInt8(ascii: "\r") }
        let isText = bytes.allSatisfy {
            $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\t") || ($0 >= 0x20 && $0 != 0x7F)
        }
        guard isText, let text = String(validating: bytes, as: UTF8.self) else {
            refuse(
                "banner_file",
                why: "the file is not text in UTF-8",
                mend: "save it as UTF-8 without control characters"
            )
            return
        }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let last = lines.lastIndex { !$0.isEmpty }
        configuration.session.banner = last.map { lines[...$0].joined(separator: "\n") }
    }
}
