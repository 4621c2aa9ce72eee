internal import CLinux
internal import SystemPackage

/// Runs `body` in a process that ends with it, so that what it read is in no later process.
///
/// Memory that was freed still holds what stood in it, and each fork takes it along: a process that
/// reads secrets of others has to end. In a program with threads, where fork is out of the
/// question, `body` runs right here.
///
/// - Parameters:
///   - maximumByteCount: The most bytes that `body` may return.
///   - body: Returns what is to be kept.
/// - Returns: What `body` returned.
/// - Throws: ``SystemError``; `EIO` when the process ended in another way.
package func inShortProcess(
    maximumByteCount: Int,
    _ body: () -> [UInt8]
) throws(SystemError) -> [UInt8] {
    // Not knowing is no reason to read the secrets here.
    let threadCount = try checked("opendir", CLinux_thread_count())
    guard threadCount == 1 else { return body() }
    var pipe = try Pipe()
    switch try DaemonProcess.fork() {
    case .child:
        do throws(SystemError) {
            try DaemonProcess.endWithParent()
            try pipe.write(body())
        } catch {
            DaemonProcess.exit(1)
        }
        DaemonProcess.exit(0)
    case .parent(let process):
        pipe.closeInput()
        let result = Result { () throws(SystemError) in
            try pipe.output.readAll(maximumByteCount: maximumByteCount)
        }
        // A child that still writes would wait for a reader for ever.
        if case .failure = result { DaemonProcess.signal(process, 9) }
        let status = DaemonProcess.reap(process, waits: true)?.1
        let bytes = try result.get()
        guard status == 0 else { throw SystemError("short process", .ioError) }
        return bytes
    }
}
