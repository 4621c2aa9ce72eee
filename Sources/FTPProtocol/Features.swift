/// What FEAT announces (RFC 2389 section 3.2).
package enum Features {
    /// The lines between the first and the last of the reply to FEAT.
    ///
    /// - Parameters:
    ///   - tlsAvailable: Whether AUTH would be accepted. Then it has to be announced, before login
    ///     too (RFC 4217 section 6).
    ///   - machineFacts: The facts that MLST and MLSD now send.
    ///   - allowsPassive: Whether EPSV would be accepted.
    ///   - allowsActive: Whether EPRT would be accepted.
    ///   - allowsTimeChange: Whether MFMT would be accepted.
    /// - Returns: One feature each, without the space that ``Reply`` puts in front.
    package static func lines(
        tlsAvailable: Bool,
        machineFacts: MachineFacts,
        allowsPassive: Bool = true,
        allowsActive: Bool = true,
        allowsTimeChange: Bool = true
    ) -> [String] {
        var lines: [String] = []
        if tlsAvailable { lines += ["AUTH TLS", "AUTH SSL", "PBSZ", "PROT"] }
        if allowsActive { lines.append("EPRT") }
        if allowsPassive { lines.append("EPSV") }
        lines.append("MDTM")
        if allowsTimeChange { lines.append("MFMT") }
        lines += ["MLST \(machineFacts.featText)", "REST STREAM", "SIZE", "TVFS", "UTF8"]
        return lines
    }
}
