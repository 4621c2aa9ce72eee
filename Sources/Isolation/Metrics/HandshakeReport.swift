internal import LinuxSystem

/// What came of a TLS handshake, as a Session tells it.
package struct HandshakeReport: Hashable, Sendable {
    /// The version that was agreed on.
    package enum Version: UInt8, CaseIterable, Hashable, Sendable {
        case none = 0
        case tls12, tls13
    }

    /// Whether it was that of a data connection.
    package var isData: Bool
    /// The version that was agreed on; none where nothing was.
    package var version: Version
    /// Whether a session was resumed.
    package var isResumed: Bool
    /// How long it took; 0 for a data connection, whose client may take its time.
    package var nanoseconds: UInt64

    /// Describes a handshake.
    package init(isData: Bool, version: Version, isResumed: Bool, nanoseconds: UInt64 = 0) {
        self.isData = isData
        self.version = version
        self.isResumed = isResumed
        self.nanoseconds = nanoseconds
    }

    /// Every kind that there is.
    static let all: [HandshakeReport] = [false, true].flatMap { isData in
        [HandshakeReport(isData: isData, version: .none, isResumed: false)]
            + [.tls12, .tls13].flatMap { version in
                [false, true].map {
                    HandshakeReport(isData: isData, version: version, isResumed: $0)
                }
            }
    }

    /// Which of them it is.
    var index: Int? {
        Self.all.firstIndex {
            $0.isData == isData && $0.version == version && $0.isResumed == isResumed
        }
    }

    /// The labels of its series.
    var labels: String {
        let shown =
            switch version {
            case .none: "none"
            case .tls12: "1.2"
            case .tls13: "1.3"
            }
        return """
            connection="\(isData ? "data" : "control")",version="\(shown)",\
            outcome="\(version == .none ? "failed" : "ok")",\
            reuse="\(isResumed ? "resumed" : version == .none ? "none" : "full")"
            """
    }
}

extension MessageWriter {
    /// Appends a handshake.
    mutating func put(_ report: HandshakeReport) {
        put(report.isData)
        put(report.version.rawValue)
        put(report.isResumed)
        put(report.nanoseconds)
    }
}

extension MessageReader {
    /// Takes a handshake that there may have been.
    mutating func takeHandshake() throws(MessageError) -> HandshakeReport {
        let isData = try takeBool()
        guard let version = HandshakeReport.Version(rawValue: try take()) else {
            throw .invalidValue
        }
        let isResumed = try takeBool()
        let nanoseconds = try take(UInt64.self)
        let report = HandshakeReport(
            isData: isData,
            version: version,
            isResumed: isResumed,
            nanoseconds: nanoseconds
        )
        guard report.index != nil else { throw .invalidValue }
        return report
    }
}
