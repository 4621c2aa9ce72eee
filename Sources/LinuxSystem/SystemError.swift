internal import Glibc
package import SystemPackage

/// A system call that failed.
package struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The name of the call, such as `openat2`.
    package let call: String

    /// What the kernel said.
    package let errno: Errno

    /// Records the failure of `call`.
    ///
    /// - Precondition: `errno` is neither `EBADF` nor `EFAULT`. Those two mean that our own code is
    ///   wrong, and going on might write to somebody else's descriptor, so the process stops here,
    ///   in release builds too.
    package init(_ call: String, _ errno: Errno) {
        precondition(errno != .badFileDescriptor && errno != .badAddress, "\(call): \(errno)")
        self.call = call
        self.errno = errno
    }

    /// Records the failure of `call` with the thread's current `errno`.
    package init(_ call: String) {
        self.init(call, Errno(rawValue: Glibc.errno))
    }

    /// Text for the log, never for the client.
    package var description: String { "\(call): \(errno)" }
}

/// Turns the negated errno value of a `CLinux` function into a thrown error.
@discardableResult
package func checked(_ call: String, _ result: CInt) throws(SystemError) -> CInt {
    guard result >= 0 else { throw SystemError(call, Errno(rawValue: -result)) }
    return result
}
