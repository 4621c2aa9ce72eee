import FTPProtocol
import Isolation
import Logging
import Testing

@testable import Portcullis

@Suite("The session before the first fork")
struct SessionRehearsalTests {
    private func codes(_ change: (inout Configuration) -> Void = { _ in }) throws -> [String] {
        var configuration = Configuration()
        change(&configuration)
        let settings = HandlerSettings(
            configuration: configuration,
            tls: nil,
            advertisedAddress: nil,
            hasUsersOfItsOwn: false,
            logLevel: .debug
        )
        let told = try SessionRehearsal.run(settings)
        return String(decoding: told, as: UTF8.self).split(separator: "\r\n").map {
            String($0.prefix(4))
        }
    }

    @Test func goesFromTheGreetingOverALoginToTheEnd() throws {
        let codes = try codes()
        #expect(codes.first == "220 " && codes.last == "221 ")
        #expect(codes.contains("230 ") && codes.contains("257 "))
    }

    @Test func endsWhateverTheClientIsRefused() throws {
        let codes = try codes { $0.session.deniedCommands = Set(Verb.allCases.map(\.rawValue)) }
        #expect(codes.first == "220 " && !codes.contains("257 "))
    }
}
