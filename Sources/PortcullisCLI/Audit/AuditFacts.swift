internal import FoundationEssentials

/// What a report needs of one record.
///
/// Read by the library's JSON, since no process of the server ever comes here.
struct AuditFacts: Decodable {
    /// An address of a client.
    struct Address: Decodable {
        let address: String
    }

    /// What protected a connection.
    struct Protection: Decodable {
        let version: String
        let suite: String
        let group: String
        let resumed: Bool
    }

    /// A data connection.
    struct DataConnection: Decodable {
        let proof: String
        let tls: Protection?
    }

    let time: String
    let event: String
    let session: String
    let user: String?
    let client: Address?
    let tls: Protection?
    let result: String?
    let code: Int?
    let reason: String?
    let method: String?
    let bytes: UInt64?
    let records: UInt64?
    let data: DataConnection?
    /// Of `reload`: options, with blanks between them.
    let changed: String?
    let restart: String?
    /// Of `kick` and `unlock`.
    let which: String?
    /// Of all three: the administrator.
    let administrator: UInt64?

    private enum CodingKeys: String, CodingKey {
        case time, event, session, user, client, tls, result, code, reason, method, bytes, records
        case data, changed, restart, which
        case administrator = "by_uid"
    }

    /// Whether what was attempted was done.
    var isDone: Bool { result == "ok" }

    /// The day, `2026-11-21`.
    var day: String { String(time.prefix(10)) }

    /// Reads a line of the trail; `nil` for one that is no record.
    init?(line: [UInt8]) {
        guard let facts = try? JSONDecoder().decode(Self.self, from: Data(line)) else {
            return nil
        }
        self = facts
    }
}
