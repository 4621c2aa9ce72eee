import LinuxSystem
import Testing

@Suite("Time that a check may take, and time that it shows")
struct KillTimerTests {
    @Test func aWaitUpToAWholePeriodIsNeverLongerThanThePeriod() {
        let watch = Stopwatch()
        for period in [Duration.milliseconds(1), .seconds(1), .seconds(3600)] {
            let rest = watch.restOfPeriod(period)
            #expect(rest >= .zero && rest <= period)
        }
        #expect(watch.restOfPeriod(.zero) == .zero)
    }

    @Test func aTimerThatRunsOutEndsTheProcess() async {
        await #expect(processExitsWith: .signal(9)) {
            try KillTimer.start(.seconds(1))
            sleep(for: .seconds(30))
        }
    }

    @Test func aTimerThatIsCalledOffDoesNot() async {
        await #expect(processExitsWith: .exitCode(7)) {
            try KillTimer.start(.seconds(1))
            KillTimer.stop()
            sleep(for: .seconds(2))
            DaemonProcess.exit(7)
        }
    }
}
