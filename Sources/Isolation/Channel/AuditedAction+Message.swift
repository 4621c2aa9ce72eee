internal import FTPProtocol
internal import LinuxSystem

// A record of the audit trail on its way from the Session, which may be somebody else's by now, to
// the Warden.

extension MessageWriter {
    /// Appends an action; what it has not is empty or 0.
    mutating func put(_ action: AuditedAction) {
        put(action.kind.rawValue)
        put(action.command)
        put(action.code)
        put(action.reason.cut(toByteCount: AuditedAction.maximumTextByteCount))
        put(action.path?.bytes ?? [])
        put(action.target?.bytes ?? [])
        put([UInt8](action.detail.prefix(AuditedAction.maximumTextByteCount)))
        put(action.mode ?? .max)
        put(action.byteCount)
        put(action.nanoseconds)
        put(action.offset)
        put(action.isASCII)
        put(action.digest)
        put(action.data?.proof.rawValue ?? 0)
        put(action.data?.tls != nil)
        if let tls = action.data?.tls { put(tls) }
    }

    /// Appends what protects a connection.
    mutating func put(_ tls: AuditedTLS) {
        for name in [tls.version, tls.suite, tls.group] { put(name) }
        put(tls.isResumed)
    }
}

extension MessageReader {
    /// Takes an action that makes sense.
    mutating func takeAuditedAction() throws(MessageError) -> AuditedAction {
        guard let kind = AuditedAction.Kind(rawValue: try take()) else { throw .invalidValue }
        var action = AuditedAction(
            kind,
            try takeString(maximum: AuditedAction.maximumCommandByteCount)
        )
        action.code = try take()
        guard action.code == 0 || (200..<600).contains(action.code) else { throw .invalidValue }
        action.reason = try takeString(maximum: AuditedAction.maximumTextByteCount)
        action.path = try takeOptionalPath()
        action.target = try takeOptionalPath()
        action.detail = try takeBytes(maximum: AuditedAction.maximumTextByteCount)
        let mode = try take(UInt16.self)
        guard mode == .max || mode <= 0o7777 else { throw .invalidValue }
        action.mode = mode == .max ? nil : mode
        action.byteCount = try take()
        action.nanoseconds = try take()
        action.offset = try take()
        action.isASCII = try takeBool()
        action.digest = try takeBytes(maximum: 32)
        guard [0, 32].contains(action.digest.count) else { throw .invalidValue }
        let number = try take(UInt8.self)
        let proof = AuditedData.Proof(rawValue: number)
        let isTLS = try takeBool()
        guard number == 0 || proof != nil, proof != nil || !isTLS else { throw .invalidValue }
        let tls = isTLS ? try takeTLS() : nil
        if let proof { action.data = AuditedData(tls: tls, proof: proof) }
        return action
    }

    /// Takes what protects a connection.
    mutating func takeTLS() throws(MessageError) -> AuditedTLS {
        let version = try takeString(maximum: AuditedTLS.maximumNameByteCount)
        let suite = try takeString(maximum: AuditedTLS.maximumNameByteCount)
        let group = try takeString(maximum: AuditedTLS.maximumNameByteCount)
        return AuditedTLS(
            version: version,
            suite: suite,
            group: group,
            isResumed: try takeBool()
        )
    }

    private mutating func takeOptionalPath() throws(MessageError) -> VirtualPath? {
        let bytes = try takeBytes(maximum: VirtualPath.maximumByteCount)
        if bytes.isEmpty { return nil }
        guard let path = VirtualPath(bytes: bytes) else { throw .invalidValue }
        return path
    }
}
