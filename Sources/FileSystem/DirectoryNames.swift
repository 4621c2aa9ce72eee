internal import Glibc

/// Names of a directory that were read and not yet delivered, in one piece of memory.
///
/// Each ends in NUL, as system calls want it.
struct DirectoryNames {
    private struct Place {
        /// What the name is sorted by first.
        var key: UInt64 = 0
        let start: UInt32
        let count: UInt16
    }

    /// Beyond this many bytes no more names are to be appended.
    static let maximumByteCount = 64 << 20

    private var text: [UInt8] = []
    private var places: [Place] = []
    private var position = 0

    /// How many have not been delivered.
    var count: Int { places.count - position }

    /// How long they are, and those that were.
    var byteCount: Int { text.count }

    /// Whether all have been delivered.
    var isEmpty: Bool { position == places.count }

    /// Forgets all names, and keeps their room for the next ones.
    mutating func removeAll() {
        text.removeAll(keepingCapacity: true)
        places.removeAll(keepingCapacity: true)
        position = 0
    }

    /// Appends a name, which holds no NUL.
    mutating func append(_ name: Span<UInt8>) {
        guard let start = UInt32(exactly: text.count), let count = UInt16(exactly: name.count)
        else { return }
        places.append(Place(start: start, count: count))
        text.append(addingCapacity: name.count + 1) { output in
            for index in name.indices { output.append(name[index]) }
            output.append(0)
        }
    }

    /// Lends the next name, once as bytes and once as a C string, and goes on behind it.
    mutating func withNext<Result, Failure: Error>(
        _ body: (Span<UInt8>, UnsafePointer<CChar>) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        guard position < places.count else { return nil }
        let place = places[position]
        position += 1
        let start = Int(place.start)
        let name = text.span.extracting(start..<(start + Int(place.count)))
        return try unsafe text.span.withUnsafeBufferPointer { memory throws(Failure) in
            // SAFETY: the name and its NUL lie at this place of the array, which is not empty.
            let path = unsafe UnsafeRawPointer(memory.baseAddress.unsafelyUnwrapped + start)
            return try unsafe body(name, path.assumingMemoryBound(to: CChar.self))
        }
    }

    /// Sorts by the bytes of the names.
    mutating func sort(isReversed: Bool) {
        // What all have in common tells nothing, and the next eight bytes mostly tell everything.
        let shared = sharedPrefixByteCount
        for index in places.indices { places[index].key = key(of: places[index], behind: shared) }
        sortPlaces { left, right in left.key < right.key ? true : left.key > right.key ? false : nil
        }
        if isReversed { places.reverse() }
    }

    /// Sorts by numbers, the largest first, and by name where these are the same.
    ///
    /// - Parameters:
    ///   - isReversed: Whether it is the other way round.
    ///   - number: What belongs to a name; `nil` leaves the name out.
    /// - Throws: What `number` throws.
    mutating func sort<Failure: Error>(
        isReversed: Bool,
        byLargest number: (UnsafePointer<CChar>) throws(Failure) -> Int64?
    ) throws(Failure) {
        var kept: [Place] = []
        while let place = position < places.count ? places[position] : nil {
            let number = try unsafe withNext { (_, path) throws(Failure) in
                try unsafe number(path)
            }
            guard case .some(.some(let number)) = number else { continue }
            // Signed numbers in the order of unsigned ones.
            let key = UInt64(bitPattern: number) ^ 1 << 63
            kept.append(Place(key: key, start: place.start, count: place.count))
        }
        places = kept
        position = 0
        sortPlaces { left, right in left.key > right.key ? true : left.key < right.key ? false : nil
        }
        if isReversed { places.reverse() }
    }

    /// Sorts by what `isBefore` says, and by the bytes of the names where it says nothing.
    private mutating func sortPlaces(_ isBefore: (Place, Place) -> Bool?) {
        unsafe text.withUnsafeBytes { memory in
            guard let start = memory.baseAddress else { return }
            places.sort { left, right in
                if let isBefore = isBefore(left, right) { return isBefore }
                // SAFETY: both names lie in the array.
                let order = unsafe memcmp(
                    start.advanced(by: Int(left.start)),
                    start.advanced(by: Int(right.start)),
                    Int(min(left.count, right.count))
                )
                return order == 0 ? left.count < right.count : order < 0
            }
        }
    }

    /// How many bytes all names begin with alike.
    private var sharedPrefixByteCount: Int {
        guard let first = places.first else { return 0 }
        let start = Int(first.start)
        var shared = Int(first.count)
        for place in places {
            var index = 0
            let other = Int(place.start)
            let most = min(shared, Int(place.count))
            while index < most, text[start + index] == text[other + index] { index += 1 }
            shared = index
        }
        return shared
    }

    /// Eight bytes of a name as a number in the order of the bytes.
    private func key(of place: Place, behind offset: Int) -> UInt64 {
        var key: UInt64 = 0
        for index in offset..<(offset + 8) {
            // NUL is in no name, and so what is missing comes first.
            key = key << 8 | (index < place.count ? UInt64(text[Int(place.start) + index]) : 0)
        }
        return key
    }
}
