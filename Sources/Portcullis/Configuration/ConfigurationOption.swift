/// One option of the configuration: its spellings, and what becomes of a value.
package struct ConfigurationOption: Sendable {
    /// Every spelling; the first is the one used in messages.
    package let names: [String]

    /// Takes a value into the draft, or says why not.
    let accept: @Sendable (inout ConfigurationDraft, String) -> Disposition

    /// The spelling used in messages.
    package var name: String { names.first ?? "" }

    /// Creates an option from a parser and from what to do with a parsed value.
    ///
    /// A value that does not parse is refused, and never reaches `apply`.
    init<Value>(
        _ names: [String],
        parse: @escaping @Sendable (String) throws(OptionValueError) -> Value,
        apply: @escaping @Sendable (inout ConfigurationDraft, Value) -> Disposition
    ) {
        self.names = names
        accept = { (draft, text) in
            do throws(OptionValueError) {
                return apply(&draft, try parse(text))
            } catch {
                return .refused(why: error.why, mend: error.mend)
            }
        }
    }
}

/// A value that an option cannot take.
struct OptionValueError: Error, Sendable {
    /// What is wrong with it.
    let why: String
    /// What to write in its place.
    let mend: String
}
