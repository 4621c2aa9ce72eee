import FTPProtocol

/// An address that was read is the one that was written, and nothing behind a PROXY header is read.
enum AddressesTarget {
    static func run(_ input: [UInt8]) throws {
        if let pair = HostPort(argument: input) {
            guard let text = pair.text else { throw Flaw(description: "PORT is no IPv4") }
            try claim(HostPort(argument: Array(text.utf8)) == pair, "PORT reads as another one")
            try claim(pair.port != 0 && pair.address.family == .ipv4, "PORT to nowhere")
        }
        if let end = try? ExtendedAddress(argument: input) {
            let printed = try? ExtendedAddress(argument: Array(end.text.utf8))
            try claim(printed == end && end.port != 0, "EPRT reads as another one")
        }
        _ = try? ExtendedPassiveArgument(argument: input)
        let text = String(decoding: input, as: UTF8.self)
        if let address = IPAddress(text) {
            try claim(IPAddress("\(address)") == address, "an address reads as another one")
        }
        if let network = IPNetwork(text) {
            try claim(network.contains(network.address), "a network without its own address")
        }
        try proxyHeader(input)
    }

    private enum Outcome: Equatable {
        case header(ProxyHeader, byteCount: Int)
        case unfinished
        case none
    }

    private static func proxyHeader(_ input: [UInt8]) throws {
        let whole = try outcome(of: input, atMost: .max)
        let single = try outcome(of: input, atMost: 1)
        try claim(whole == single, "the cuts change the header: \(whole) or \(single)")
        guard case .header(.client(let source, let destination), let count) = whole else { return }
        try claim(count <= 16 + 2_048, "a header of \(count) bytes")
        guard source.address.family == destination.address.family else { return }
        let kind = source.address.family == .ipv4 ? "TCP4" : "TCP6"
        let line =
            "PROXY \(kind) \(source.address) \(destination.address) \(source.port)"
            + " \(destination.port)\r\n"
        let again = try outcome(of: Array(line.utf8), atMost: .max)
        try claim(
            again == .header(.client(source, to: destination), byteCount: line.utf8.count),
            line
        )
    }

    private static func outcome(of input: [UInt8], atMost maximum: Int) throws -> Outcome {
        var reader = ProxyHeaderReader()
        var rest = input[...]
        while !rest.isEmpty {
            let wanted = reader.wantedByteCount
            try claim(wanted >= 1, "a reader that wants nothing")
            let piece = rest.prefix(min(wanted, maximum))
            rest = rest.dropFirst(piece.count)
            do throws(ProxyHeaderError) {
                if let header = try reader.read(piece) {
                    return .header(header, byteCount: input.count - rest.count)
                }
            } catch {
                return .none
            }
        }
        return .unfinished
    }
}
