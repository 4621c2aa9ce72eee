/// The error of type `Failure` that `body` threw, or `nil`.
package func thrown<Failure: Error>(
    _: Failure.Type = Failure.self,
    by body: () throws -> Void
) -> Failure? {
    do {
        try body()
        return nil
    } catch {
        return error as? Failure
    }
}

/// Something that a test needs to go on is missing.
package struct Missing: Error {
    /// Creates the error.
    package init() {}
}

/// What `value` holds; `#require` takes nothing that has a single owner.
package func present<Value: ~Copyable>(_ value: consuming Value?) throws -> Value {
    switch consume value {
    case .some(let present): return present
    case .none: throw Missing()
    }
}

/// The UTF-8 of a literal.
package func bytes(_ text: String) -> [UInt8] {
    Array(text.utf8)
}
