import FTPProtocol
import LinuxSystem
import TestSupport

@testable import Isolation

/// Whatever Wardens report, no user has more sessions than allowed, and nobody learns of others'.
///
/// The input is a sequence of steps: which Warden, what it says, and bytes of its own.
enum CensusTarget {
    private static let count: CInt = 3

    static func run(_ input: [UInt8]) throws {
        var reader = InputReader(input)
        var ground = try Ground()
        var steps = 0
        while !reader.isAtEnd, steps < 64 {
            steps += 1
            let choice = reader.byte()
            let process = 1 + CInt(choice & 3) % count
            switch choice >> 2 & 7 {
            case 0: try ground.report(process, reader.piece())
            case 1:
                let name = "user\(reader.byte() % 2)"
                try ground.logIn(process, name, maximum: UInt32(reader.byte() % 3))
            case 2: try ground.report(process, CensusReport.logout.encoded)
            case 3:
                let page = UserPage.allCases[Int(reader.byte()) % UserPage.allCases.count]
                try ground.report(process, CensusReport.page(page).encoded)
            case 4: try ground.listSessions(process)
            case 5: try ground.end(process)
            case 6: try ground.report(process, CensusReport.attempt(user: "user").encoded)
            default: try ground.report(process, CensusReport.client(.v4(UInt32(choice))).encoded)
            }
        }
    }

    private struct Ground {
        private var census: Census
        private var wardens: [CInt: Warden] = [:]

        private final class Warden {
            let channel: MessageSocket
            /// As whom it has logged in, by what it was answered.
            var user: String?

            init(_ channel: consuming MessageSocket) { self.channel = channel }
        }

        init() throws {
            census = try Census()
            for process in 1...CensusTarget.count { try begin(process) }
        }

        private mutating func begin(_ process: CInt) throws {
            let ends = try Ends.make()
            try census.add(
                process,
                MessageSocket(owning: try ends.far.descriptor.duplicate()),
                identifier: "s\(process)",
                address: .v4(UInt32(process))
            )
            wardens[process] = Warden(ends.takeNear())
        }

        mutating func end(_ process: CInt) throws {
            census.remove(process)
            try begin(process)
        }

        private mutating func tell(_ process: CInt, _ bytes: [UInt8]) throws -> CensusAnswer? {
            guard !bytes.isEmpty, bytes.count <= MessageSocket.maximumByteCount,
                let warden = wardens[process]
            else { return nil }
            try warden.channel.send(bytes)
            if let event = census.serve(process) {
                switch event {
                case .violation(let violator, _):
                    try claim(violator == process, "another process pays for it")
                    try end(process)
                case .attempt(let asker, _, user: _), .client(let asker, _):
                    try claim(asker == process, "another process is answered")
                    census.answer(asker, .admitted)
                case .refusedLogin(let asker, _, _, _):
                    try claim(asker == process, "another process is answered")
                    census.answer(asker, .failures(1))
                case .free(let free):
                    try claim(free == process, "another process is free")
                    try claim(warden.user == nil, "whoever has logged in is free")
                    try end(process)
                }
            }
            var entries = [PollEntry(warden.channel.descriptor.number, reading: true)]
            _ = try poll(&entries, until: .passed)
            guard entries[0].isReadable, let message = try warden.channel.receive() else {
                return nil
            }
            return try CensusAnswer(decoding: message.bytes)
        }

        mutating func report(_ process: CInt, _ bytes: [UInt8]) throws {
            let before = try? CensusReport(decoding: bytes)
            let answer = try tell(process, bytes)
            switch before {
            case .login(let user, _): wardens[process]?.user = answer == .admitted ? user : nil
            case .logout: wardens[process]?.user = nil
            case nil: try claim(answer == nil, "nonsense is answered")
            default: break
            }
        }

        mutating func logIn(_ process: CInt, _ user: String, maximum: UInt32) throws {
            let others = wardens.filter { $0.key != process && $0.value.user == user }.count
            let login = CensusReport.login(user: user, maximum: maximum)
            let answer = try tell(process, login.encoded)
            let hasRoom = maximum == 0 || others < Int(maximum)
            let fits = hasRoom ? answer == .admitted : answer == .full || answer == .fullNearby
            try claim(fits, "\(others) others: \(answer as Any)")
            wardens[process]?.user = hasRoom ? user : nil
        }

        mutating func listSessions(_ process: CInt) throws {
            let known = wardens[process]?.user
            let own = wardens.filter { known != nil && $0.value.user == known }.map { "s\($0.key)" }
            let answer = try tell(process, CensusReport.sessions.encoded)
            guard case .sessions(let entries) = answer else {
                throw Flaw(description: "no list: \(answer as Any)")
            }
            try claim(Set(entries.map(\.identifier)) == Set(own), "\(entries) but not \(own)")
        }
    }
}
