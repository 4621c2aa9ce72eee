import Authentication
import FTPProtocol
import LinuxSystem
import TestSupport
import Testing

@testable import Isolation

@Suite("What is counted")
struct MetricsTests {
    private func page() throws -> SharedPage { try SharedPage(mapping: SharedPage.make()) }

    @Test func everyNumberHasAPlaceOfItsOwn() {
        var next = 0
        for family in Metrics.all {
            #expect(family.base == next)
            #expect(Set(family.series).count == family.series.count)
            next = family.end
        }
        #expect(next <= SharedPage.count)
        #expect(Set(Metrics.all.map(\.name)).count == Metrics.all.count)
    }

    @Test func countersOnlyGrow() throws {
        let page = try page()
        let meter = try Meter(on: page)
        meter.count(Metrics.connections)
        meter.count(Metrics.connections, by: -5)
        meter.count(Metrics.bytes, 1, by: .max)
        #expect(page.load(Metrics.connections.place(of: 0)) == 1)
        let bytes = page.load(Metrics.bytes.place(of: 1))
        #expect(bytes > 0 && bytes < .max / 1_000)
    }

    @Test func durationsFallIntoTheBucketsThatHoldThem() throws {
        let page = try page()
        let meter = try Meter(on: page)
        for milliseconds in [0, 10, 11, 9_000, 1_000_000] as [UInt64] {
            meter.observe(Metrics.loginDurations, nanoseconds: milliseconds * 1_000_000)
        }
        let text = MetricsText.text(of: page, version: "1")
        let name = "portcullis_login_check_duration_seconds"
        for line in [
            "\(name)_bucket{le=\"0.01\"} 2", "\(name)_bucket{le=\"0.05\"} 3",
            "\(name)_bucket{le=\"2.5\"} 3", "\(name)_bucket{le=\"10\"} 4",
            "\(name)_bucket{le=\"+Inf\"} 5", "\(name)_sum 1009.021000000", "\(name)_count 5",
        ] {
            #expect(text.contains("\n\(line)\n"), "\(line)")
        }
    }

    @Test func loginsCountByWhatCameOfThem() throws {
        let page = try page()
        let meter = try Meter(on: page)
        meter.note(nil as LoginRefusal?, nanoseconds: 1)
        for refusal in [
            LoginRefusal.wrongPassword, .unknownUser, .denied(rule: "x", isGuess: true),
            .accountExpired, .unavailable(reason: "x"),
        ] {
            meter.note(refusal, nanoseconds: 1)
        }
        #expect((0..<4).map { page.load(Metrics.logins.place(of: $0)) } == [1, 3, 1, 1])
    }

    @Test func everyRefusalAndHandshakeHasASeries() throws {
        let page = try page()
        let meter = try Meter(on: page)
        for refusal in ClientRefusal.allCases { meter.note(refusal) }
        for report in HandshakeReport.all { meter.note(report) }
        for family in [Metrics.refusals, Metrics.handshakes] {
            for index in family.series.indices {
                #expect(page.load(family.place(of: index)) == 1)
            }
        }
    }

    @Test(arguments: [[0, 0, 1], [1, 0, 1], [0, 3, 0], [2, 1, 0], [0, 1, 2]] as [[UInt8]])
    func handshakesThatThereCannotHaveBeenAreRefused(fields: [UInt8]) {
        let message = [UInt8](WardenRequest.handshake(HandshakeReport.all[0]).encoded.prefix(1))
        #expect(throws: MessageError.self) {
            try WardenRequest(decoding: message + fields + [UInt8](repeating: 0, count: 8))
        }
    }
}

@Suite("Whoever asks for numbers")
struct ScrapeRequestTests {
    @Test(arguments: [
        ("GET /metrics HTTP/1.1\r\n\r\n", ScrapeRequest.metrics(hasBody: true)),
        ("GET /metrics?a HTTP/1.0\nHost: x\n\n", .metrics(hasBody: true)),
        ("HEAD /metrics HTTP/1.1\r\nA: b\r\n\r\n", .metrics(hasBody: false)),
        ("GET / HTTP/1.1\r\n\r\n", .notFound), ("GET /metricsx HTTP/1.1\r\n\r\n", .notFound),
        ("GET http://a/metrics HTTP/1.1\r\n\r\n", .notFound),
        ("PUT /metrics HTTP/1.1\r\n\r\n", .wrongMethod),
        ("get /metrics HTTP/1.1\r\n\r\n", .wrongMethod),
        ("GET /metrics HTTP/2\r\n\r\n", .malformed), ("\n\n", .malformed),
        ("GET  /metrics HTTP/1.1\r\n\r\n", .malformed), ("USER a\r\n\r\n", .malformed),
    ])
    func isToldWhatItAskedFor(text: String, expected: ScrapeRequest) {
        #expect(ScrapeRequest(Array(text.utf8)) == expected)
    }

    @Test(arguments: ["", "G", "GET /metrics HTTP/1.1\r\n", "GET /metrics HTTP/1.1\r\nA: b\r\n"])
    func isAwaitedToTheEnd(text: String) {
        #expect(ScrapeRequest(Array(text.utf8)) == nil)
    }

    @Test func isNotAwaitedForEver() {
        let endless = [UInt8](repeating: 65, count: ScrapeRequest.maximumByteCount)
        #expect(ScrapeRequest(endless) == .malformed)
        #expect(ScrapeRequest([UInt8](endless.dropLast())) == nil)
    }

    @Test func noBytesEndTheProcess() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            let bytes = (0..<Int.random(in: 0...64, using: &generator)).map { _ in
                [0, 10, 13, 32, 47, 63, 71, 255].randomElement(using: &generator) ?? UInt8(0)
            }
            _ = ScrapeRequest(bytes)?.answer { "" }
        }
    }
}
