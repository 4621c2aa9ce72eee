internal import FTPProtocol
internal import LinuxSystem

extension ConfigurationOption {
    /// How administrators look at a server that runs.
    static let admin: [ConfigurationOption] = [
        .text("admin_socket", sets: \.admin.socket),
        .text("admin_group", .word, sets: \.admin.group),
        .text("metrics_address", .word) { (draft, text) in
            draft.configuration.admin.metrics = nil
            guard let text else { return .honoured }
            guard let address = address(text) else {
                return .refused(
                    why: "the value is no address with a port",
                    mend: "write one such as 127.0.0.1:9121 or [::1]:9121"
                )
            }
            draft.configuration.admin.metrics = address
            if !address.address.isLoopback {
                draft.remark =
                    "whoever reaches the address reads the numbers, which go there in clear"
            }
            return .honoured
        },
    ]

    /// Reads `9121` (of the loopback), `127.0.0.1:9121` or `[::1]:9121`.
    private static func address(_ text: String) -> SocketAddress? {
        let parts = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard let last = parts.last, let port = UInt16(String(decoding: last, as: UTF8.self)) else {
            return nil
        }
        guard parts.count > 1 else { return SocketAddress(.v4(0x7F00_0001), port: port) }
        var host = String(text.dropLast(last.count + 1))
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            guard let address = IPAddress(host), address.family == .ipv6 else { return nil }
            return SocketAddress(address, port: port)
        }
        guard let address = IPAddress(host), address.family == .ipv4 else { return nil }
        return SocketAddress(address, port: port)
    }
}
