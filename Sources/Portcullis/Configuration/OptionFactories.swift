internal import FTPProtocol

/// A place in the configuration that an option sets.
typealias ConfigurationPath<Value> = WritableKeyPath<Configuration, Value> & Sendable

/// The kinds of option, one factory each.
///
/// To serve an option that a table ignores or refuses, exchange its factory in that one place.
extension ConfigurationOption {
    // Switches.

    /// An honoured switch.
    static func toggle(
        _ names: String...,
        sets path: any ConfigurationPath<Bool>
    ) -> ConfigurationOption {
        ConfigurationOption(
            names,
            .toggle,
            standing: Configuration()[keyPath: path] ? "YES" : "NO",
            parse: OptionValue.toggle
        ) { (draft, value) in
            draft.configuration[keyPath: path] = value
            return .honoured
        }
    }

    /// An honoured switch that is not a single place in the configuration.
    static func toggle(
        _ names: String...,
        standing: Bool = false,
        apply: @escaping @Sendable (inout ConfigurationDraft, Bool) -> Void
    ) -> ConfigurationOption {
        ConfigurationOption(
            names,
            .toggle,
            standing: standing ? "YES" : "NO",
            parse: OptionValue.toggle
        ) { (draft, value) in
            apply(&draft, value)
            return .honoured
        }
    }

    /// A switch that has no effect when it stands at `value`, and is the rule otherwise.
    static func ignoredToggle(
        _ names: String...,
        when value: Bool,
        why: String
    ) -> ConfigurationOption {
        ConfigurationOption(names, .toggle, parse: OptionValue.toggle) {
            $1 == value ? .ignored(why: why) : .honoured
        }
    }

    /// A switch that must not stand at `value`, and is the rule otherwise.
    static func refusedToggle(
        _ names: String...,
        when value: Bool,
        why: String,
        mend: String
    ) -> ConfigurationOption {
        ConfigurationOption(names, .toggle, parse: OptionValue.toggle) {
            $1 == value ? .refused(why: why, mend: mend) : .honoured
        }
    }

    /// A switch without effect.
    static func ignoredToggle(_ names: String..., why: String) -> ConfigurationOption {
        ConfigurationOption(names, .toggle, parse: OptionValue.toggle) { (_, _) in
            .ignored(why: why)
        }
    }

    // Numbers.

    private static func numeric(
        _ name: String,
        _ range: ClosedRange<Int>,
        _ kind: OptionKind? = nil,
        standing: Int? = nil,
        apply: @escaping @Sendable (inout ConfigurationDraft, Int) -> Disposition
    ) -> ConfigurationOption {
        ConfigurationOption(
            [name],
            kind ?? .number(range),
            standing: standing.map(String.init),
            parse: { (text) throws(OptionValueError) in
                try OptionValue.number(text, in: range)
            },
            apply: apply
        )
    }

    /// An honoured number.
    static func number(
        _ name: String,
        _ range: ClosedRange<Int>,
        sets path: any ConfigurationPath<Int>
    ) -> ConfigurationOption {
        numeric(name, range, standing: Configuration()[keyPath: path]) { (draft, value) in
            draft.configuration[keyPath: path] = value
            return .honoured
        }
    }

    /// An honoured number that is not a single place in the configuration.
    static func number(
        _ name: String,
        _ range: ClosedRange<Int>,
        apply: @escaping @Sendable (inout ConfigurationDraft, Int) -> Void
    ) -> ConfigurationOption {
        numeric(name, range) { (draft, value) in
            apply(&draft, value)
            return .honoured
        }
    }

    /// An honoured number with up to two places behind the point, in hundredths.
    static func hundredths(
        _ name: String,
        sets path: any ConfigurationPath<Int>
    ) -> ConfigurationOption {
        .parsed(name, sets: path, by: OptionValue.hundredths)
    }

    /// An honoured value in a form of its own.
    static func parsed<Value>(
        _ name: String,
        sets path: any ConfigurationPath<Value>,
        by parse: @escaping @Sendable (String) throws(OptionValueError) -> Value
    ) -> ConfigurationOption {
        ConfigurationOption([name], parse: parse) { (draft, value) in
            draft.configuration[keyPath: path] = value
            return .honoured
        }
    }

    /// An honoured number of seconds.
    static func seconds(
        _ name: String,
        _ range: ClosedRange<Int>,
        sets path: any ConfigurationPath<Duration>
    ) -> ConfigurationOption {
        numeric(
            name,
            range,
            .seconds(range),
            standing: Int(clamping: Configuration()[keyPath: path].components.seconds)
        ) { (draft, value) in
            draft.configuration[keyPath: path] = .seconds(value)
            return .honoured
        }
    }

    /// An honoured port.
    static func port(
        _ name: String,
        _ range: ClosedRange<Int>,
        sets path: any ConfigurationPath<UInt16>
    ) -> ConfigurationOption {
        numeric(name, range, standing: Int(Configuration()[keyPath: path])) { (draft, value) in
            draft.configuration[keyPath: path] = UInt16(clamping: value)
            return .honoured
        }
    }

    /// An end of the passive range, where a number that is no port stands for `substitute`.
    ///
    /// vsftpd's rule. Zero is its documented way to ask for that; anything else is worth a remark.
    static func passivePort(
        _ name: String,
        _ range: ClosedRange<Int>,
        else substitute: UInt16,
        sets path: any ConfigurationPath<UInt16>
    ) -> ConfigurationOption {
        numeric(
            name,
            0...Int(UInt32.max),
            .number(range),
            standing: Int(Configuration()[keyPath: path])
        ) { (draft, value) in
            let port = range.contains(value) ? UInt16(clamping: value) : substitute
            draft.configuration[keyPath: path] = port
            if value != 0, !range.contains(value) {
                draft.remark = "\(value) cannot be used, and \(substitute) takes its place"
            }
            return .honoured
        }
    }

    /// Honoured permission bits.
    static func permissions(
        _ name: String,
        sets path: any ConfigurationPath<UInt16>
    ) -> ConfigurationOption {
        ConfigurationOption(
            [name],
            .permissions,
            standing: "0\(String(Configuration()[keyPath: path], radix: 8))",
            parse: PermissionText.init
        ) { (draft, value) in
            draft.configuration[keyPath: path] = value.bits
            // The most common slip in this file: 22 is decimal, which is octal 026.
            if !value.text.hasPrefix("0") {
                let octal = String(value.bits, radix: 8)
                draft.remark = "it is decimal without a 0 in front, and means octal 0\(octal)"
            }
            return .honoured
        }
    }

    /// A number that has no effect unless it is 0.
    static func ignoredNumber(
        _ name: String,
        unlessZero: Bool = false,
        why: String
    ) -> ConfigurationOption {
        numeric(name, 0...Int(UInt32.max)) { (_, value) in
            unlessZero && value == 0 ? .honoured : .ignored(why: why)
        }
    }

    // Texts.

    /// An honoured text; an empty one restores the default of nil.
    static func text(
        _ name: String,
        _ kind: OptionKind = .text,
        sets path: any ConfigurationPath<String?>
    ) -> ConfigurationOption {
        ConfigurationOption([name], kind, parse: OptionValue.text) { (draft, value) in
            draft.configuration[keyPath: path] = value
            return .honoured
        }
    }

    /// An honoured file, which may be a credential of the service; an empty one restores nil.
    static func secretFile(
        _ name: String,
        sets path: any ConfigurationPath<String?>
    ) -> ConfigurationOption {
        ConfigurationOption(
            [name],
            parse: { (text) throws(OptionValueError) -> String? in
                try OptionValue.text(text).map { (value) throws(OptionValueError) in
                    try ServiceCredential.path(value)
                }
            },
            apply: { (draft, value) in
                draft.configuration[keyPath: path] = value
                return .honoured
            }
        )
    }

    /// An honoured text that cannot be unset; an empty one leaves the default.
    static func name(
        _ name: String,
        sets path: any ConfigurationPath<String>
    ) -> ConfigurationOption {
        ConfigurationOption(
            [name],
            standing: Configuration()[keyPath: path],
            parse: OptionValue.text
        ) { (draft, value) in
            if let value { draft.configuration[keyPath: path] = value }
            return .honoured
        }
    }

    /// An honoured text that is not a single place in the configuration.
    static func text(
        _ name: String,
        _ kind: OptionKind = .text,
        apply: @escaping @Sendable (inout ConfigurationDraft, String?) -> Disposition
    ) -> ConfigurationOption {
        ConfigurationOption([name], kind, parse: OptionValue.text, apply: apply)
    }

    /// An honoured list of networks with commas or blanks between them.
    static func networks(
        _ name: String,
        sets path: any ConfigurationPath<[IPNetwork]>
    ) -> ConfigurationOption {
        .parsed(name, sets: path, by: OptionValue.networks)
    }

    /// A text that has no effect.
    static func ignoredText(_ names: String..., why: String) -> ConfigurationOption {
        ConfigurationOption(names, parse: OptionValue.text) { (_, value) in
            value == nil ? .honoured : .ignored(why: why)
        }
    }

    /// A text that must not be set.
    static func refusedText(
        _ names: String...,
        why: String,
        mend: String
    ) -> ConfigurationOption {
        ConfigurationOption(names, parse: OptionValue.text) { (_, value) in
            value == nil ? .honoured : .refused(why: why, mend: mend)
        }
    }
}

/// Permission bits together with how they were written.
private struct PermissionText {
    let text: String
    let bits: UInt16

    @Sendable init(_ text: String) throws(OptionValueError) {
        self.text = text
        bits = try OptionValue.permissions(text)
    }
}
