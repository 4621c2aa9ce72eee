/// What FEAT announces (RFC 2389 section 3.2).
package struct Features {
    /// Whether AUTH would be accepted; it is then announced before login too (RFC 4217 section 6).
    package var tlsAvailable: Bool

    /// The facts that MLST and MLSD now send.
    package var machineFacts: MachineFacts

    /// How HASH now hashes.
    package var hashAlgorithm = HashAlgorithm.sha256

    /// Whether MODE Z would be accepted.
    package var compresses = false

    /// Whether a command would be carried out under the present configuration.
    package var serves: (Verb) -> Bool

    /// Creates what is announced when every command is carried out.
    package init(
        tlsAvailable: Bool,
        machineFacts: MachineFacts,
        serves: @escaping (Verb) -> Bool = { _ in true }
    ) {
        self.tlsAvailable = tlsAvailable
        self.machineFacts = machineFacts
        self.serves = serves
    }

    /// The lines between the first and the last of the reply to FEAT.
    ///
    /// One feature each, without the space that ``Reply`` puts in front.
    package var lines: [String] {
        var lines: [String] = []
        func add(_ line: String, _ verb: Verb) {
            if serves(verb) { lines.append(line) }
        }
        if tlsAvailable {
            add("AUTH TLS", .auth)
            add("AUTH SSL", .auth)
        }
        add("AVBL", .avbl)
        add("CLNT", .clnt)
        add("CSID", .csid)
        add("EPRT", .eprt)
        add("EPSV", .epsv)
        add("ESTA", .esta)
        add("ESTP", .estp)
        add("HASH \(hashAlgorithm.featText)", .hash)
        add("HOST", .host)
        add("LANG EN*", .lang)
        add("MD5", .md5)
        add("MDTM", .mdtm)
        add("MFF \(FactChanges.featText)", .mff)
        add("MFMT", .mfmt)
        add("MLST \(machineFacts.featText)", .mlst)
        if compresses { add("MODE Z", .mode) }
        if tlsAvailable {
            add("PBSZ", .pbsz)
            add("PROT", .prot)
        }
        add("PRET", .pret)
        add("RANG STREAM", .rang)
        add("REST STREAM", .rest)
        add("SIZE", .size)
        lines += ["TVFS", "UTF8"]
        for verb in [.xcrc, .xmd5, .xsha, .xsha1, .xsha256, .xsha512] as [Verb] {
            add(verb.rawValue, verb)
        }
        return lines
    }
}
