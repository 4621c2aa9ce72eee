import CFuzzer
import Glibc
import LinuxSystem

/// Finds inputs with libFuzzer: `FUZZ_TARGET` names the target, the arguments are libFuzzer's.
@main
enum Main {
    private static let target = chosenTarget()

    static func main() throws {
        let target = target
        // Whatever an input does, it does as nobody.
        if Credentials.isRoot { try Credentials(user: 65_534, group: 65_534).assume(groups: []) }
        print("target \(target.rawValue)")
        var count = CommandLine.argc
        var arguments = unsafe Optional(CommandLine.unsafeArgv)
        _ = unsafe LLVMFuzzerRunDriver(&count, &arguments) { bytes, count in
            let input = unsafe [UInt8](UnsafeBufferPointer(start: bytes, count: count))
            let before = Main.openFileCount()
            do {
                try Main.target.run(input)
            } catch {
                fatalError("\(error)")
            }
            guard Main.openFileCount() <= before else { fatalError("files are left open") }
            return 0
        }
    }

    private static func chosenTarget() -> FuzzTarget {
        let name = unsafe getenv("FUZZ_TARGET").map { unsafe String(cString: $0) } ?? ""
        guard let target = FuzzTarget(rawValue: name) else {
            print("FUZZ_TARGET is one of \(FuzzTarget.allCases.map(\.rawValue))")
            exit(64)
        }
        return target
    }

    /// How many descriptors this process has, where the target opens any.
    private static func openFileCount() -> Int {
        switch target {
        case .census, .warden, .files, .journal, .handover, .session:
            (0..<96).count { fcntl($0, F_GETFD) >= 0 }
        default: 0
        }
    }
}
