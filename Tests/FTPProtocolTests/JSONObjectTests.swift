import FTPProtocol
import Testing

@Suite("One object of JSON, RFC 8259")
struct JSONObjectTests {
    private func text(_ build: (inout JSONObject) -> Void) -> String {
        var object = JSONObject()
        build(&object)
        return String(decoding: object.encoded, as: UTF8.self)
    }

    @Test func membersStandInTheOrderInWhichTheyCame() {
        let text = text { object in
            object.put("a", "x")
            object.put("b", 18_446_744_073_709_551_615)
            object.put("c", true)
            object.put("d", nil as JSONObject?)
            object.put("e", JSONObject())
            object.put("f", [JSONObject(), JSONObject()])
        }
        #expect(text == #"{"a":"x","b":18446744073709551615,"c":true,"d":null,"e":{},"f":[{},{}]}"#)
    }

    @Test(arguments: [
        ("\"\\/", #"\"\\/"#), ("\u{0}\t\r\n\u{1F}", #"\u0000\u0009\u000d\u000a\u001f"#),
        ("\u{7F}\u{85}", #"\u007f\u0085"#), ("\u{202E}\u{2028}", #"\u202e\u2028"#),
        ("jürgen 💩", "jürgen 💩"), ("e\u{301}", "e\u{301}"), ("", ""),
    ])
    func whatWouldHarmALineIsEscaped(value: String, written: String) {
        #expect(text { $0.put("a", value) }.utf8.elementsEqual("{\"a\":\"\(written)\"}".utf8))
    }

    @Test(
        arguments: [
            ([0xFF], "\u{FFFD}", "ff"), ([0x61, 0xC0, 0x80], "a\u{FFFD}\u{FFFD}", "61c080"),
            ([0xED, 0xA0, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}", "eda080"),
            ([0x01, 0xFF, 0x22], "\u{FFFD}\u{FFFD}\\\"", "01ff22"),
        ] as [([UInt8], String, String)]
    )
    func bytesThatAreNotTextAreToldTwice(bytes: [UInt8], shown: String, hexadecimal: String) {
        let expected = "{\"a\":\"\(shown)\",\"a_hex\":\"\(hexadecimal)\"}"
        #expect(text { $0.put("a", bytes: bytes) } == expected)
    }

    @Test func textIsToldOnce() {
        #expect(text { $0.put("a", bytes: Array("jürgen".utf8)) } == #"{"a":"jürgen"}"#)
    }
}
