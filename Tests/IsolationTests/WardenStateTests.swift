import LinuxSystem
import TestSupport
import Testing

@testable import Isolation

@Suite("What a Warden does, and when")
struct WardenStateTests {
    private static let kinds: [WardenRequest.Kind] = [
        .authenticate, .endLogin, .listenForData, .connectForData, .log, .listSessions,
        .answer, .giveUp, .accountName, .charge, .showCertificate, .admit,
        .client, .markClear, .logAction, .record, .recordLine, .audit, .noteTLS, .handshake,
    ]

    /// Every state with exactly what it allows.
    private static let table: [(WardenState, Set<WardenRequest.Kind>)] = [
        (.beforeClient(attemptsLeft: 3), [.client, .log]),
        (
            .beforeLogin(attemptsLeft: 3),
            [
                .authenticate, .admit, .showCertificate, .log, .markClear, .recordLine, .audit,
                .noteTLS, .handshake,
            ]
        ),
        (
            .beforeLogin(attemptsLeft: 1),
            [
                .authenticate, .admit, .showCertificate, .log, .markClear, .recordLine, .audit,
                .noteTLS, .handshake,
            ]
        ),
        (
            .beforeLogin(attemptsLeft: 0),
            [.showCertificate, .log, .markClear, .recordLine, .audit, .noteTLS, .handshake]
        ),
        (
            .beforeLogin(attemptsLeft: -1),
            [.showCertificate, .log, .markClear, .recordLine, .audit, .noteTLS, .handshake]
        ),
        (.awaitingAnswer(attemptsLeft: 3), [.answer, .giveUp, .log, .recordLine]),
        (.awaitingAnswer(attemptsLeft: 1), [.answer, .giveUp, .log, .recordLine]),
        (
            .loggedIn(attemptsLeft: 3),
            [
                .endLogin, .listenForData, .connectForData, .log, .listSessions,
                .accountName, .charge, .markClear, .logAction, .record, .recordLine, .audit,
                .noteTLS, .handshake,
            ]
        ),
        (
            .loggedIn(attemptsLeft: 0),
            [
                .endLogin, .listenForData, .connectForData, .log, .listSessions,
                .accountName, .charge, .markClear, .logAction, .record, .recordLine, .audit,
                .noteTLS, .handshake,
            ]
        ),
    ]

    @Test func onlyWhatStandsInTheTableIsAllowed() {
        for (state, allowed) in Self.table {
            for kind in Self.kinds {
                let violation = thrown(MessageError.self) { try state.allow(kind) }
                let expected = allowed.contains(kind) ? nil : MessageError.outOfTurn
                #expect(violation == expected, "\(kind) in \(state)")
            }
        }
    }

    @Test func theTableHoldsEveryKindOfRequest() {
        #expect((UInt8.min ... .max).compactMap(WardenRequest.Kind.init(rawValue:)) == Self.kinds)
    }

    @Test func onlyLinesAndCountsLeaveNothingBehind() {
        let harmless = Self.kinds.filter(\.leavesNothing)
        #expect(harmless == [.log, .markClear, .recordLine, .noteTLS, .handshake])
    }

    @Test func attemptsAreKeptAcrossLogins() {
        #expect(WardenState.beforeLogin(attemptsLeft: 2).attemptsLeft == 2)
        #expect(WardenState.loggedIn(attemptsLeft: 1).attemptsLeft == 1)
    }
}
