/// One option of the configuration: its spellings, and what becomes of a value.
package struct ConfigurationOption: Sendable {
    /// Every spelling; the first is the one used in messages.
    package let names: [String]

    /// What a value looks like.
    package let kind: OptionKind

    /// What holds where nothing is written; nil where that is nothing, or takes a sentence.
    package let standing: String?

    /// Takes a value into the draft, or says why not.
    let accept: @Sendable (inout ConfigurationDraft, String) -> Disposition

    /// The spelling used in messages.
    package var name: String { names.first ?? "" }

    /// Creates an option from a parser and from what to do with a parsed value.
    ///
    /// A value that does not parse is refused, and never reaches `apply`.
    init<Value>(
        _ names: [String],
        _ kind: OptionKind = .text,
        standing: String? = nil,
        parse: @escaping @Sendable (String) throws(OptionValueError) -> Value,
        apply: @escaping @Sendable (inout ConfigurationDraft, Value) -> Disposition
    ) {
        self.names = names
        self.kind = kind
        self.standing = standing
        accept = { (draft, text) in
            let (value, comment) = kind.parts(of: text)
            do throws(OptionValueError) {
                let disposition = apply(&draft, try parse(value))
                if comment {
                    let remark = "what stands behind `\(value)` is taken for a comment"
                    draft.remark = draft.remark.map { "\($0), and \(remark)" } ?? remark
                }
                return disposition
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
