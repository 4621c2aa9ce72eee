internal import Glibc

/// Random bytes from the kernel (`getrandom(2)`).
package func randomBytes(count: Int) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
}

/// A random word of `count` letters and digits, without those that look alike.
///
/// Each character carries 4.95 bits.
package func randomWord(count: Int) -> String {
    let alphabet = Array("abcdefghjkmnpqrstuvwxyz23456789")
    var generator = SystemRandomNumberGenerator()
    return String(
        (0..<count).map { _ in alphabet[Int.random(in: alphabet.indices, using: &generator)] }
    )
}
