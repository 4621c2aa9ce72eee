import FTPProtocol
import FileSystem
import Glibc
import LinuxSystem
import TestSupport
import Testing

@Suite("Nothing outside the jail can be reached")
struct JailConfinementTests {
    /// Names of links that would lead to the outside directory without a jail.
    private static let directoryLinks = ["relative", "absolute", "inner/relative", "chain"]

    /// Names of links that would lead to the file in it.
    private static let fileLinks = ["relative-file", "absolute-file", "inner/relative-file"]

    private func ground() throws -> Ground {
        let ground = try Ground()
        try ground.makeDirectory("inner")
        try ground.link("relative", to: "../outside")
        try ground.link("absolute", to: ground.outside)
        try ground.link("inner/relative", to: "../../../../../../../..\(ground.outside)")
        try ground.link("chain", to: "absolute")
        try ground.link("relative-file", to: "../outside/secret")
        try ground.link("absolute-file", to: "\(ground.outside)/secret")
        try ground.link("inner/relative-file", to: "../../outside/secret")
        return ground
    }

    @Test func theLinksOfTheseTestsWouldLeadOut() throws {
        let ground = try ground()
        for name in Self.directoryLinks {
            #expect(ground.content("\(name)/secret") == "outside", "\(name)")
        }
        for name in Self.fileLinks { #expect(ground.content(name) == "outside", "\(name)") }
    }

    @Test(arguments: directoryLinks)
    func aLinkToADirectoryOutsideLeadsNowhere(name: String) throws {
        let ground = try ground()
        let jail = try ground.jail()
        let link = try path("/\(name)")
        let secret = try path("/\(name)/secret")
        let new = try path("/\(name)/new")
        let attempts: [(String, () throws -> Void)] = [
            ("enter", { try jail.enterDirectory(link) }),
            ("facts", { _ = try jail.facts(of: secret, for: .showing) }),
            ("facts", { _ = try jail.facts(of: secret, for: .renaming) }),
            ("read", { _ = try jail.openForReading(secret) }),
            ("replace", { _ = try jail.openForWriting(new, .replace) }),
            ("append", { _ = try jail.openForWriting(secret, .append) }),
            ("unique", { _ = try jail.openForWriting(new, .unique) }),
            ("make", { try jail.makeDirectory(new) }),
            ("remove directory", { try jail.removeDirectory(secret) }),
            ("remove", { try jail.removeFile(secret) }),
            ("rename", { try jail.rename(secret, to: path("/stolen")) }),
            ("rename", { try jail.rename(path("/inner"), to: new) }),
            ("time", { try jail.setModificationTime(of: secret, to: 1) }),
            ("mode", { try jail.setMode(of: secret, to: 0o777) }),
            ("list", { try jail.beginListing(of: link, .sorted) }),
        ]
        for (what, attempt) in attempts {
            #expect(thrown(by: attempt) == FileError.notFound, "\(what)")
        }
        #expect(ground.secret == "outside")
        #expect(unsafe access("\(ground.outside)/new", F_OK) != 0)
        #expect(ground.status("inner") != nil)
    }

    @Test(arguments: fileLinks)
    func aLinkToAFileOutsideLeadsNowhere(name: String) throws {
        let ground = try ground()
        let jail = try ground.jail()
        let link = try path("/\(name)")
        let attempts: [() throws -> Void] = [
            { _ = try jail.facts(of: link, for: .showing) },
            { _ = try jail.openForReading(link) },
            { _ = try jail.openForWriting(link, .replace) },
            { try jail.setModificationTime(of: link, to: 1) },
            { try jail.setMode(of: link, to: 0o777) },
        ]
        for attempt in attempts { #expect(thrown(by: attempt) == FileError.notFound) }
        // Renaming and removing are about the link, which is inside.
        #expect(try jail.facts(of: link, for: .renaming).kind == .symbolicLink)
        try jail.removeFile(link)
        #expect(ground.secret == "outside")
    }

    @Test func whatALinkSaysIsReadWithTheJailAsRoot() throws {
        let ground = try ground()
        try ground.makeDirectory("outside")
        try ground.write("outside/secret", "inside")
        let jail = try ground.jail()
        for name in ["/relative/secret", "/relative-file", "/inner/relative-file"] {
            #expect(try readAll(jail.openForReading(path(name))) == "inside", "\(name)")
        }
    }

    @Test func aNewFileBehindADanglingLinkIsMadeInside() throws {
        let ground = try Ground()
        try ground.link("link", to: "/new")
        try writeAll("text", to: ground.jail().openForWriting(path("/link"), .replace))
        #expect(ground.content("new") == "text")
    }

    @Test func dotsInAPathStayAtTheTop() throws {
        let ground = try ground()
        try ground.write("file", "inside")
        let jail = try ground.jail()
        let above = try path("/../../../file")
        #expect(try readAll(jail.openForReading(above)) == "inside")
        let error = thrown(FileError.self) {
            _ = try jail.openForReading(path("/../outside/secret"))
        }
        #expect(error == .notFound)
    }

    @Test func linksInsideWork() throws {
        let ground = try Ground()
        try ground.makeDirectory("a")
        try ground.makeDirectory("a/b")
        try ground.write("a/b/file", "text")
        try ground.link("relative", to: "a/b")
        try ground.link("absolute", to: "/a/b/file")
        try ground.link("a/up", to: "..")
        let jail = try ground.jail()
        try jail.enterDirectory(path("/relative"))
        #expect(try readAll(jail.openForReading(path("/relative/file"))) == "text")
        #expect(try readAll(jail.openForReading(path("/absolute"))) == "text")
        #expect(try readAll(jail.openForReading(path("/a/up/a/up/relative/file"))) == "text")
    }

    @Test func linksInACircleEnd() throws {
        let ground = try Ground()
        try ground.link("a", to: "b")
        try ground.link("b", to: "a")
        let jail = try ground.jail()
        let error = thrown(FileError.self) { _ = try jail.openForReading(path("/a")) }
        #expect(error == .tooManyLinks)
        #expect(try jail.facts(of: path("/a"), for: .renaming).kind == .symbolicLink)
    }

    @Test(arguments: ["/proc/self/fd/0", "/proc/self/exe", "/proc/self/root/etc", "/proc/self/cwd"])
    func linksThatTheKernelMakesUpAreRefused(name: String) throws {
        // They would lead to other files than their text says, even with `/` as the jail.
        let jail = try Jail.opening("/")
        let link = try path(name)
        #expect(thrown { _ = try jail.openForReading(link) } == FileError.tooManyLinks)
        #expect(thrown { _ = try jail.facts(of: link, for: .showing) } == FileError.tooManyLinks)
        #expect(thrown { try jail.beginListing(of: link, []) } == FileError.tooManyLinks)
    }

    @Test func aRootThatIsMissingOrNoDirectoryIsRefused() throws {
        let ground = try Ground()
        try ground.write("file")
        #expect(throws: SystemError.self) { try Jail.opening("\(ground.root)/missing") }
        #expect(throws: SystemError.self) { try Jail.opening("\(ground.root)/file") }
    }
}
