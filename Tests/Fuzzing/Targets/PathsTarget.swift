import FTPProtocol

/// Whatever a client says to CWD, the path is below the root and in its one normal form.
///
/// Each line of the input is applied to the directory that the line before has led to.
enum PathsTarget {
    static func run(_ input: [UInt8]) throws {
        var directory = VirtualPath.root
        var reader = InputReader(input)
        while !reader.isAtEnd {
            let argument = reader.line()
            guard let path = try? directory.resolving(argument) else { continue }
            try check(path)
            try claim(path.relative(to: directory).first != UInt8(ascii: "/"), "not relative")
            let steps = path.relative(to: directory)
            try claim((try? directory.resolving(steps)) ?? path == path, "a link leads elsewhere")
            directory = path
        }
    }

    private static func check(_ path: VirtualPath) throws {
        try claim(path.bytes.count <= VirtualPath.maximumByteCount, "the path is too long")
        try claim(VirtualPath(bytes: path.bytes) == path, "the path is not normal")
        try claim(VirtualPath.root.resolving(path.bytes) == path, "resolved it is another one")
        try claim(path.resolving([UInt8(ascii: ".")]) == path, "`.` leads elsewhere")
        let parent = try path.resolving(Array("..".utf8))
        try claim(parent == path.parent, "`..` does not lead to the parent")
        for name in path.components {
            let isName = !name.isEmpty && name != Array(".".utf8) && name != Array("..".utf8)
            try claim(isName, "a component is no name")
            let isClean = !name.contains { [0, 0x0A, 0x0D, UInt8(ascii: "/")].contains($0) }
            try claim(isClean, "a component holds what none may")
        }
        if let name = path.lastComponent {
            try claim(path.parent.appending(component: name) == path, "put together it differs")
        }
        guard let (word, rest) = QuotedWord.first(of: path.quotedBytes) else {
            throw Flaw(description: "the quoted path does not end")
        }
        try claim(word == path.bytes && rest.isEmpty, "quoted it is another path")
    }
}
