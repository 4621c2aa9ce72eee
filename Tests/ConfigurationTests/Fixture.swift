import Portcullis

/// A host on which the daemon could start, and files to read there.
struct Fixture {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try directory.write("portcullis", "auth required pam_unix.so\n")
        try directory.write("server.pem", "certificate and key\n")
    }

    /// Two lines that nothing starts without; they come first, so lines count from 3.
    var necessities: String {
        "pam_conf_dir=\(directory.path)\nrsa_cert_file=\(directory.path)/server.pem\n"
    }

    /// Reads `text` behind the two necessary lines.
    func read(_ text: String, settings: [String] = []) throws -> ConfigurationReport {
        try readAlone(Array((necessities + text).utf8), settings: settings)
    }

    /// Reads exactly these bytes.
    func readAlone(_ bytes: [UInt8], settings: [String] = []) throws -> ConfigurationReport {
        let file = try directory.write("portcullis.conf", bytes)
        return ConfigurationReader.read(file: file, settings: settings)
    }

    /// The origin of a line of the file.
    func line(_ number: Int) -> String {
        "\(directory.path)/portcullis.conf:\(number)"
    }
}

extension ConfigurationReport {
    /// The last entry with this name.
    func entry(_ name: String) -> Entry? {
        entries.last { $0.name == name }
    }
}

extension Disposition {
    /// Whether the option was known and has no effect.
    var isIgnored: Bool {
        guard case .ignored = self else { return false }
        return true
    }
}
