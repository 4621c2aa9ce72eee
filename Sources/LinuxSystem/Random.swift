internal import Glibc

/// Random bytes from the kernel (`getrandom(2)`).
package func randomBytes(count: Int) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    // Each word is a system call.
    while bytes.count < count {
        let word = generator.next() as UInt64
        for shift in stride(from: 0, to: 64, by: 8) where bytes.count < count {
            bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
        }
    }
    return bytes
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
