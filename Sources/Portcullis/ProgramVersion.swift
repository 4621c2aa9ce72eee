/// Which program this is.
package enum ProgramVersion {
    /// The version, as `portcullis --version` prints it.
    package static let text = "0.9.0"
}
