internal import ArgumentParser
internal import FTPProtocol
internal import Isolation
internal import LinuxSystem
internal import SystemPackage

/// EX_UNAVAILABLE of sysexits.h: no server answers.
let noServer = ExitCode(69)

/// EX_NOPERM of sysexits.h: whoever asks may not.
let notPermitted = ExitCode(77)

/// What the commands have in common that ask a server which runs.
struct AdminConnection: ParsableArguments {
    @Option(help: "The server's admin_socket.")
    var socket = "/run/portcullis/admin.sock"

    /// Asks the server, and stops with one line where there is no answer.
    func ask<Answer>(
        _ body: (borrowing AdminClient) throws(AdminFailure) -> Answer
    ) throws -> Answer {
        do {
            return try body(try AdminClient(socket))
        } catch let error as SystemError where error.errno == .permissionDenied {
            complain("\(socket): \(Self.whoMay)")
            throw notPermitted
        } catch let failure as AdminFailure {
            switch failure {
            case .forbidden:
                complain("\(socket): \(Self.whoMay)")
                throw notPermitted
            case .notUnderstood:
                complain("\(socket): the server is of another version; restart it")
            case .gone: complain("\(socket): the server ended before it answered")
            }
            throw noServer
        } catch {
            complain(
                "\(socket): no server answers (\(error)); set admin_socket, or name it by --socket"
            )
            throw noServer
        }
    }

    private static let whoMay = "only root and the members of the server's admin_group may ask"

    /// Checks who is meant, before the server is asked.
    static func check(name: String?, address: String?) throws(ValidationError) {
        if let address, IPNetwork(address) == nil {
            throw ValidationError("\(address) is neither an address nor a network.")
        }
        guard (name ?? "").utf8.count <= 256 else {
            throw ValidationError("That is longer than any name.")
        }
    }

    /// Asks the server one thing.
    func ask(_ request: AdminRequest) throws -> AdminAnswer {
        try ask { (client) throws(AdminFailure) in try client.ask(request) }
    }
}

/// Lays rows out in columns.
func showTable(_ header: [String], _ rows: [[String]]) {
    let all = [header] + rows
    let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    for row in all {
        var line = ""
        for (column, cell) in row.enumerated() {
            line += cell
            if column < row.count - 1 {
                line += String(repeating: " ", count: widths[column] - cell.count + 2)
            }
        }
        show(line)
    }
}

/// A number of bytes as people say it.
func byteText(_ count: Int64) -> String {
    guard count >= 1_000 else { return "\(count) B" }
    var tenths = count / 100
    var unit = 0
    let units = ["kB", "MB", "GB", "TB", "PB", "EB"]
    while tenths >= 10_000, unit < units.count - 1 {
        tenths /= 1_000
        unit += 1
    }
    return tenths >= 1_000
        ? "\(tenths / 10) \(units[unit])" : "\(tenths / 10).\(tenths % 10) \(units[unit])"
}

/// A number of seconds as people say it.
func secondsText(_ seconds: Int64) -> String {
    switch seconds {
    case ..<120: "\(max(0, seconds))s"
    case ..<7_200: "\(seconds / 60)m"
    case ..<172_800: "\(seconds / 3_600)h"
    default: "\(seconds / 86_400)d"
    }
}
