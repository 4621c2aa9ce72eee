/// A request of HTTP/1, of which only what is asked for is looked at (RFC 9112).
enum ScrapeRequest: Hashable {
    /// The numbers are asked for; their text is left out for HEAD.
    case metrics(hasBody: Bool)
    /// Something else is asked for.
    case notFound
    /// Something is to be done.
    case wrongMethod
    /// It is no such request.
    case malformed

    /// The longest head of a request, in bytes.
    static let maximumByteCount = 8_192

    /// Reads the head of a request.
    ///
    /// - Returns: `nil` while its end has not come.
    init?(_ bytes: [UInt8]) {
        let text = bytes.prefix(Self.maximumByteCount)
        guard Self.isComplete(text) else {
            guard bytes.count >= Self.maximumByteCount else { return nil }
            self = .malformed
            return
        }
        let line = text.prefix { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") }
        let words = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard words.count == 3, words[2].starts(with: "HTTP/1.".utf8), words[2].count == 8 else {
            self = .malformed
            return
        }
        let isHead = words[0].elementsEqual("HEAD".utf8)
        let path = words[1].prefix { $0 != UInt8(ascii: "?") }
        if !isHead, !words[0].elementsEqual("GET".utf8) {
            self = .wrongMethod
        } else {
            self = path.elementsEqual("/metrics".utf8) ? .metrics(hasBody: !isHead) : .notFound
        }
    }

    /// Whether the empty line that ends a head is there.
    private static func isComplete(_ bytes: ArraySlice<UInt8>) -> Bool {
        var isEmptyLine = false
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\n"):
                if isEmptyLine { return true }
                isEmptyLine = true
            case UInt8(ascii: "\r"): break
            default: isEmptyLine = false
            }
        }
        return false
    }

    /// The answer; `text` is asked for where it is needed.
    func answer(_ text: () -> String) -> [UInt8] {
        switch self {
        case .metrics(let hasBody): Self.answer("200 OK", text(), hasBody: hasBody)
        case .notFound: Self.answer("404 Not Found", "Ask for /metrics.\n")
        case .wrongMethod:
            Self.answer("405 Method Not Allowed", "Ask by GET.\n", "Allow: GET, HEAD\r\n")
        case .malformed: Self.answer("400 Bad Request", "This is no request of HTTP/1.\n")
        }
    }

    private static func answer(
        _ status: String,
        _ body: String,
        _ field: String = "",
        hasBody: Bool = true
    ) -> [UInt8] {
        let head = """
            HTTP/1.1 \(status)\r
            Content-Type: text/plain; version=0.0.4; charset=utf-8\r
            Content-Length: \(body.utf8.count)\r
            \(field)Connection: close\r
            \r

            """
        return Array((head + (hasBody ? body : "")).utf8)
    }
}
