internal import Glibc

/// How many processes wanted to run over the last minute, in hundredths (`getloadavg(3)`); 0 when
/// the kernel does not tell.
package func loadAverageInHundredths() -> Int {
    var load = 0.0
    guard unsafe getloadavg(&load, 1) == 1 else { return 0 }
    return Int(min(max(0, load), 1e6) * 100)
}
