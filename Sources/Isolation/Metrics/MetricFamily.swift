/// Numbers of one name that are counted, and where they stand on the page that is shared.
///
/// As Prometheus takes them (text format 0.0.4).
struct MetricFamily: Sendable {
    /// What becomes of the numbers.
    enum Kind: Sendable {
        /// They only grow.
        case counter
        /// They are what they are now; those that are 0 are left out where `omitsZero`.
        case gauge(omitsZero: Bool)
        /// Durations, counted by how long they were at most, in milliseconds.
        case histogram([Int64])
    }

    /// The name, without what the format appends to it.
    let name: String

    /// A sentence about it.
    let help: String

    /// What becomes of the numbers.
    let kind: Kind

    /// The labels of each series, as the format writes them without the braces; one empty text where
    /// there is only one.
    let series: [String]

    /// Where the first number stands.
    let base: Int

    /// Describes a family whose numbers stand behind those of `previous`.
    init(
        _ name: String,
        _ kind: Kind,
        _ help: String,
        series: [String] = [""],
        after previous: MetricFamily?
    ) {
        self.name = name
        self.help = help
        self.kind = kind
        self.series = series
        base = previous?.end ?? 0
    }

    /// How many numbers a series has: the buckets, the rest and the sum of a histogram.
    private var width: Int {
        if case .histogram(let limits) = kind { limits.count + 2 } else { 1 }
    }

    /// The place behind the last number.
    var end: Int { base + series.count * width }

    /// Where the numbers of a series begin.
    func place(of index: Int) -> Int {
        precondition(series.indices.contains(index), "there is no such series")
        return base + index * width
    }
}

/// Everything that is counted, in the order in which it stands on the page.
enum Metrics {
    static let start = MetricFamily(
        "portcullis_start_time_seconds",
        .gauge(omitsZero: false),
        "When the server was started, in seconds since 1970.",
        after: nil
    )
    static let sessions = MetricFamily(
        "portcullis_sessions",
        .gauge(omitsZero: false),
        "Sessions that there are, by how far they have come.",
        series: ["state=\"before_login\"", "state=\"logged_in\"", "state=\"leaving\""],
        after: start
    )
    static let connections = MetricFamily(
        "portcullis_connections_total",
        .counter,
        "Control connections that were accepted.",
        after: sessions
    )
    static let refusals = MetricFamily(
        "portcullis_refusals_total",
        .counter,
        "Clients that were turned away before their session began, by the reason.",
        series: ClientRefusal.allCases.map { "reason=\"\($0.label)\"" },
        after: connections
    )
    static let logins = MetricFamily(
        "portcullis_logins_total",
        .counter,
        "Attempts to log in, by their result.",
        series: LoginResult.allCases.map { "result=\"\($0.label)\"" },
        after: refusals
    )
    static let handshakes = MetricFamily(
        "portcullis_handshakes_total",
        .counter,
        "TLS handshakes that sessions report, by what came of them.",
        series: HandshakeReport.all.map(\.labels),
        after: logins
    )
    static let transfers = MetricFamily(
        "portcullis_transfers_total",
        .counter,
        "Transfers of files that sessions report, by what came of them.",
        series: directions.flatMap { direction in
            ["ok", "failed"].map { "direction=\"\(direction)\",result=\"\($0)\"" }
        },
        after: handshakes
    )
    static let bytes = MetricFamily(
        "portcullis_transfer_bytes_total",
        .counter,
        "Bytes of files that sessions report as moved by transfers which have ended.",
        series: directions.map { "direction=\"\($0)\"" },
        after: transfers
    )
    static let starts = MetricFamily(
        "portcullis_process_starts_total",
        .counter,
        "Processes that were started, by their role.",
        series: ProcessRole.allCases.map { "role=\"\($0.label)\"" },
        after: bytes
    )
    static let reloads = MetricFamily(
        "portcullis_reloads_total",
        .counter,
        "Times that configuration and certificates were read anew, by the result.",
        series: ["result=\"ok\"", "result=\"failed\""],
        after: starts
    )
    static let expiries = MetricFamily(
        "portcullis_certificate_expiry_timestamp_seconds",
        .gauge(omitsZero: true),
        "When a certificate expires, in seconds since 1970; numbered as in the configuration.",
        series: (1...maximumCertificateCount).map { "certificate=\"\($0)\"" },
        after: reloads
    )
    static let sessionDurations = MetricFamily(
        "portcullis_session_duration_seconds",
        .histogram([1_000, 10_000, 60_000, 300_000, 1_800_000, 7_200_000, 43_200_000]),
        "How long sessions lasted that have ended.",
        after: expiries
    )
    static let loginDurations = MetricFamily(
        "portcullis_login_check_duration_seconds",
        .histogram([10, 50, 100, 250, 500, 1_000, 2_500, 10_000]),
        "How long the check of a login took, without the delay of a refusal.",
        after: sessionDurations
    )
    static let handshakeDurations = MetricFamily(
        "portcullis_handshake_duration_seconds",
        .histogram([5, 10, 25, 50, 100, 250, 500, 1_000, 5_000]),
        "How long TLS handshakes of control connections took, as sessions report it.",
        after: loginDurations
    )
    static let transferDurations = MetricFamily(
        "portcullis_transfer_duration_seconds",
        .histogram([10, 100, 500, 1_000, 5_000, 30_000, 120_000, 600_000, 3_600_000]),
        "How long transfers of files took, as sessions report it.",
        series: directions.map { "direction=\"\($0)\"" },
        after: handshakeDurations
    )

    static let all = [
        start, sessions, connections, refusals, logins, handshakes, transfers, bytes, starts,
        reloads, expiries, sessionDurations, loginDurations, handshakeDurations, transferDurations,
    ]

    private static let directions = ["download", "upload"]

    /// Certificates whose expiry is told.
    static let maximumCertificateCount = 8
}

/// What came of an attempt to log in.
enum LoginResult: Int, CaseIterable {
    /// The user is in.
    case success
    /// The user or the password is wrong, or a rule keeps the user out.
    case failed
    /// The password was right, and the user may not log in now.
    case refused
    /// The check could not be made.
    case unavailable

    var label: String { "\(self)" }
}

/// Who was started.
enum ProcessRole: Int, CaseIterable {
    case warden, signer, resolver, closer, clerk, metrics

    var label: String { "\(self)" }
}

extension ClientRefusal {
    /// What stands in its place in a label.
    var label: String {
        switch self {
        case .tooManyClients: "max_clients"
        case .tooManyFromAddress: "max_per_ip"
        case .banned: "banned"
        case .tooOften: "max_connection_rate"
        case .tooBusy: "max_load"
        case .noResources: "no_resources"
        case .tooManyUnnamed: "proxy_header_pending"
        case .tooManyBeforeLogin: "max_before_login"
        case .notAudited: "audit_required"
        }
    }
}
