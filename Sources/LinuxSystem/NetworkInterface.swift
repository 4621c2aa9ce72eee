internal import Glibc

/// The number of a network interface (`if_nametoindex(3)`), or `nil` when there is none of that name.
package func interfaceNumber(named name: String) -> UInt32? {
    let number = unsafe if_nametoindex(name)
    return number == 0 ? nil : number
}
