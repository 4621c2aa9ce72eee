extension CommandTable {
    /// What the configuration has to allow for a command to be of any use, for FEAT and HELP.
    ///
    /// What a user may really do is decided by the process that opens files, path by path.
    package static func permissions(for verb: Verb) -> Permissions {
        switch verb {
        case .retr, .hash, .xcrc, .xmd5, .xsha, .xsha1, .xsha256, .xsha512, .md5: .retrieve
        case .stor, .stou, .allo, .avbl: .store
        case .appe: .append
        case .cpfr, .cpto: [.retrieve, .store]
        case .dele, .rmd: .delete
        case .mkd: .makeDirectory
        case .rnfr, .rnto: .rename
        case .mfmt: .changeTime
        default: []
        }
    }
}
