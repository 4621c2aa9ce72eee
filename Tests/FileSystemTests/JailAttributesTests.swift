import FTPProtocol
import FileSystem
import Glibc
import LinuxSystem
import TestSupport
import Testing

@Suite("Links, groups and room in a jail")
struct JailAttributesTests {
    private func target(_ ground: Ground, _ name: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 256)
        let count = unsafe readlink("\(ground.root)/\(name)", &buffer, buffer.count)
        guard count > 0 else { return nil }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    @Test func linksAreRelativeAndStayInside() throws {
        let ground = try Ground()
        let jail = try ground.jail()
        try ground.makeDirectory("a")
        try ground.write("a/file", "12")
        try jail.makeSymbolicLink(path("/one"), to: path("/a/file"))
        try jail.makeSymbolicLink(path("/a/two"), to: path("/a/file"))
        try jail.makeSymbolicLink(path("/top"), to: .root)
        try jail.makeSymbolicLink(path("/dangling"), to: path("/b/c"))
        #expect(target(ground, "one") == "a/file")
        #expect(target(ground, "a/two") == "file")
        #expect(target(ground, "top") == ".")
        #expect(target(ground, "dangling") == "b/c")
        #expect(try readAll(jail.openForReading(path("/top/a/two"))) == "12")
        #expect(thrown { try jail.makeSymbolicLink(path("/one"), to: .root) } == FileError.exists)
        #expect(thrown { try jail.makeSymbolicLink(.root, to: path("/a")) } == FileError.exists)
        let below = try path("/x/z")
        #expect(thrown { try jail.makeSymbolicLink(path("/x/y"), to: below) } == FileError.notFound)
    }

    @Test func linksAreReadAndNotFollowed() throws {
        let ground = try Ground()
        let jail = try ground.jail()
        try ground.makeDirectory("a")
        try ground.write("a/file", "12")
        try jail.makeSymbolicLink(path("/one"), to: path("/a/file"))
        #expect(unsafe symlink("/etc/passwd", "\(ground.root)/out") == 0)
        #expect(unsafe symlink("/etc", "\(ground.root)/host") == 0)
        #expect(try jail.linkTarget(of: path("/one")) == Array("a/file".utf8))
        #expect(try jail.linkTarget(of: path("/out")) == Array("/etc/passwd".utf8))
        #expect(thrown { _ = try jail.linkTarget(of: path("/a/file")) } == FileError.impossible)
        #expect(thrown { _ = try jail.linkTarget(of: .root) } == FileError.impossible)
        #expect(thrown { _ = try jail.linkTarget(of: path("/none")) } == FileError.notFound)
        // What lies behind a link to the outside is not there.
        #expect(thrown { _ = try jail.linkTarget(of: path("/host/mtab")) } == FileError.notFound)
    }

    @Test func noLinkTakesAStepUp() throws {
        let ground = try Ground()
        let jail = try ground.jail()
        try ground.makeDirectory("a")
        for place in try [path("/one"), path("/ab"), .root] {
            let error = thrown(FileError.self) {
                try jail.makeSymbolicLink(path("/a/up"), to: place)
            }
            #expect(error == .impossible)
        }
        #expect(target(ground, "a/up") == nil)
    }

    @Test func noLinkIsMadeThroughALink() throws {
        // What lies beneath it by name lies somewhere else.
        let ground = try Ground()
        let jail = try ground.jail()
        try ground.makeDirectory("a")
        try ground.makeDirectory("a/b")
        try ground.link("a/b/top", to: "/")
        let error = thrown(FileError.self) {
            try jail.makeSymbolicLink(path("/a/b/top/new"), to: path("/a/b/top/x"))
        }
        #expect(error == .tooManyLinks)
        #expect(ground.status("new") == nil)
    }

    @Test func theGroupIsTheFilesAndNotTheLinks() throws {
        let ground = try Ground()
        let jail = try ground.jail()
        try ground.write("file")
        try ground.link("link", to: "file")
        try ground.link("out", to: "../outside/secret")
        let group = geteuid() == 0 ? 4_711 : getegid()
        try jail.setGroup(of: path("/link"), to: group)
        #expect(ground.status("file")?.st_gid == group)
        #expect(thrown { try jail.setGroup(of: path("/none"), to: group) } == FileError.notFound)
        #expect(thrown { try jail.setGroup(of: path("/out"), to: group) } == FileError.notFound)
    }

    @Test func roomIsThatOfTheDirectorysFileSystem() throws {
        let ground = try Ground()
        let jail = try ground.jail()
        try ground.makeDirectory("a")
        try ground.write("file")
        #expect(try jail.availableByteCount(in: .root) > 0)
        #expect(try jail.availableByteCount(in: path("/a")) > 0)
        let error = thrown(FileError.self) { _ = try jail.availableByteCount(in: path("/file")) }
        #expect(error == .notDirectory)
    }
}
