/// Why a server could not start: one line that says what, where, and the mend.
public struct ServerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The line.
    public let description: String

    /// Describes a problem of a program's own: what, where and the mend.
    public init(_ description: String) {
        self.description = description
    }

    /// An option whose value turned out not to work.
    static func option(
        _ name: String,
        _ value: String,
        _ report: ConfigurationReport,
        _ why: String,
        mend: String
    ) -> ServerError {
        let origin = report.origin(of: name) ?? "configuration"
        return ServerError("\(origin): \(name)=\(value): refused: \(why); \(mend)")
    }
}
