internal import Glibc

/// The libraries that the C library asks about users and groups (nsswitch.conf(5)).
package enum NameServiceModules {
    private static let configuration = "/etc/nsswitch.conf"

    /// Loads those that are configured, for good, so that no forked process has to.
    ///
    /// Those that are missing are left out: the C library does so as well. Nothing is asked of them
    /// here, since that may mean to ask a server that is not there yet.
    package static func load() {
        let bytes = (try? readFile(at: configuration, maximumByteCount: 65_536)) ?? []
        for name in names(in: bytes) {
            _ = unsafe dlopen("libnss_\(name).so.2", RTLD_NOW)
        }
    }

    /// The services that a configuration names for users and groups, in their order.
    static func names(in configuration: [UInt8]) -> [String] {
        var names: [String] = []
        for line in String(decoding: configuration, as: UTF8.self).split(
            whereSeparator: \.isNewline
        ) {
            let parts = line.prefix { $0 != "#" }.split(separator: ":", maxSplits: 1)
            guard parts.count == 2,
                ["passwd", "group", "initgroups", "shadow"]
                    .contains(parts[0].filter { !$0.isWhitespace })
            else { continue }
            for word in parts[1].split(whereSeparator: \.isWhitespace)
            where word.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }) {
                if !names.contains(String(word)) { names.append(String(word)) }
            }
        }
        return names
    }
}
