internal import ArgumentParser
internal import Glibc
internal import LinuxSystem
internal import Logging
internal import Portcullis

// What the subcommands have in common: where lines go, and the exit statuses that scripts rely on.

/// EX_CONFIG of sysexits.h: the configuration is to be mended.
let badConfiguration = ExitCode(78)

/// Prints lines on standard output at once: a forked process must not find them in its buffer.
func show(_ lines: String...) {
    for line in lines { print(line) }
    fflush(nil)
}

/// Prints one line on standard error.
func complain(_ line: String, _ priority: JournalPriority = .error) {
    let mark = JournalPriority.isWanted ? priority.mark : ""
    _ = unsafe "\(mark)\(line)\n".withCString { unsafe write(STDERR_FILENO, $0, strlen($0)) }
}

/// A logger that writes human lines to standard error.
func makeLogger(verbosely: Bool) -> Logger {
    let stream = LogStream()
    var logger = Logger(label: "portcullis") { StreamLogHandler(label: $0, stream: stream) }
    logger.logLevel = verbosely ? .debug : .info
    return logger
}

/// Reads a configuration and stops when it has problems, each of which is told in one line.
func readConfiguration(file: String?, settings: [String]) throws -> ConfigurationReport {
    let report = ConfigurationReader.read(file: file, settings: settings)
    guard report.problems.isEmpty else {
        for problem in report.problems { complain(problem.text) }
        throw badConfiguration
    }
    for warning in report.warnings { complain(warning.text, .warning) }
    for line in SecurityPosture.lines(for: report.configuration) where line.hasPrefix("WARNING") {
        complain(line, .warning)
    }
    return report
}

/// Opens the ports, or stops with one line that says why not.
func makeServer(
    _ report: ConfigurationReport,
    demonstration: DemonstrationAccount? = nil,
    verbosely: Bool
) throws -> Gateway {
    do throws(ServerError) {
        return try Gateway(
            report,
            demonstration: demonstration,
            logger: makeLogger(verbosely: verbosely)
        )
    } catch {
        complain(error.description)
        throw badConfiguration
    }
}
