internal import FTPProtocol
internal import LinuxSystem

// An action on its way from the Session, which may be somebody else's by now, to the Warden.

extension MessageWriter {
    /// Appends an action; what it has not is empty or 0.
    mutating func put(_ action: LoggedAction) {
        put(action.kind.rawValue)
        put(action.isDone)
        put(action.isASCII)
        put(action.mode)
        put(action.byteCount)
        put(action.nanoseconds)
        put(action.path.bytes)
        put(action.target?.bytes ?? [])
    }
}

extension MessageReader {
    /// Takes an action that makes sense; what its kind has not must be empty or 0.
    mutating func takeAction() throws(MessageError) -> LoggedAction {
        guard let kind = LoggedAction.Kind(rawValue: try take()) else { throw .invalidValue }
        let isDone = try takeBool()
        let isASCII = try takeBool()
        let mode = try take(UInt16.self)
        let byteCount = try take(UInt64.self)
        let nanoseconds = try take(UInt64.self)
        guard let path = try takePath() else { throw .invalidValue }
        let target = try takePath()
        guard kind == .rename || target == nil,
            mode == 0 || (kind == .changeMode && mode <= 0o7777),
            kind.isTransfer || (byteCount == 0 && nanoseconds == 0 && !isASCII)
        else { throw .invalidValue }
        var action = LoggedAction(kind, path, isDone: isDone)
        action.isASCII = isASCII
        action.mode = mode
        action.byteCount = byteCount
        action.nanoseconds = nanoseconds
        action.target = target
        return action
    }

    private mutating func takePath() throws(MessageError) -> VirtualPath? {
        let bytes = try takeBytes(maximum: VirtualPath.maximumByteCount)
        if bytes.isEmpty { return nil }
        guard let path = VirtualPath(bytes: bytes) else { throw .invalidValue }
        return path
    }
}
