internal import Glibc

/// A pipe (`pipe(2)`): the output end hangs up when the last input end is closed.
package struct Pipe: ~Copyable {
    /// The end to read from, or to wait for a hang-up on.
    package let output: OwnedDescriptor

    private var input: OwnedDescriptor?

    /// Makes a pipe, both ends with close-on-exec set.
    package init() throws(SystemError) {
        var numbers: [CInt] = [-1, -1]
        guard unsafe pipe(&numbers) == 0 else { throw SystemError("pipe") }
        output = OwnedDescriptor(owning: numbers[0])
        input = OwnedDescriptor(owning: numbers[1])
        for number in numbers { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
    }

    /// Writes all of `bytes` into the input end, if this process still has it.
    package borrowing func write(_ bytes: [UInt8]) throws(SystemError) {
        switch input {
        case .none: return
        case .some(let input):
            try unsafe bytes.span.withUnsafeBytes { memory throws(SystemError) in
                try unsafe input.writeAll(memory)
            }
        }
    }

    /// The end to write to, or -1 where this process has closed it.
    package var inputNumber: CInt {
        switch input {
        case .none: -1
        case .some(let input): input.number
        }
    }

    /// Closes the input end of this process.
    package mutating func closeInput() {
        input = nil
    }
}
