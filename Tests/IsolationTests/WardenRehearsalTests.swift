import Authentication
import Testing

@testable import Isolation

@Suite("A login before the first fork")
struct WardenRehearsalTests {
    @Test func endsWithoutAnybodyWaiting() throws {
        var settings = WardenSettings()
        settings.failureDelay = .seconds(600)
        settings.successDelay = .seconds(600)
        settings.locksUsers = true
        settings.counts = true
        try WardenRehearsal.run(settings)
    }

    @Test func endsWhereNobodyGetsAProfile() throws {
        var settings = WardenSettings()
        settings.failureDelay = .seconds(600)
        settings.profile = { (_) throws(LoginRefusal) in throw .denied(rule: "nobody") }
        try WardenRehearsal.run(settings)
    }
}
