import FTPProtocol
import FileSystem
import Glibc
import LinuxSystem
import TestSupport
import Testing

@Suite("Changes of names, modes and times")
struct JailChangeTests {
    @Test func directoriesAreMadeAndRemoved() throws {
        let ground = try Ground()
        let jail = try ground.jail()
        try jail.makeDirectory(path("/a"))
        try jail.makeDirectory(path("/a/b"))
        try jail.enterDirectory(path("/a/b"))
        #expect(thrown { try jail.makeDirectory(path("/a")) } == FileError.exists)
        #expect(thrown { try jail.removeDirectory(path("/a")) } == FileError.notEmpty)
        try jail.removeDirectory(path("/a/b"))
        try jail.removeDirectory(path("/a"))
        #expect(ground.status("a") == nil)
        #expect(thrown { try jail.removeDirectory(path("/a")) } == FileError.notFound)
    }

    @Test func theRootIsNeitherMadeNorRemovedNorRenamed() throws {
        let ground = try Ground()
        let jail = try ground.jail()
        #expect(thrown { try jail.makeDirectory(.root) } == FileError.exists)
        #expect(thrown { try jail.removeDirectory(.root) } == FileError.accessDenied)
        #expect(thrown { try jail.removeFile(.root) } == FileError.isDirectory)
        #expect(thrown { try jail.rename(.root, to: path("/a")) } == FileError.accessDenied)
        #expect(thrown { try jail.rename(path("/a"), to: .root) } == FileError.accessDenied)
        #expect(unsafe access(ground.root, F_OK) == 0)
    }

    @Test func onlyADirectoryIsEntered() throws {
        let ground = try Ground()
        try ground.write("file")
        let jail = try ground.jail()
        try jail.enterDirectory(.root)
        #expect(thrown { try jail.enterDirectory(path("/file")) } == FileError.notDirectory)
        #expect(thrown { try jail.enterDirectory(path("/missing")) } == FileError.notFound)
    }

    @Test func filesAndDirectoriesAreRemovedByTheirOwnCommands() throws {
        let ground = try Ground()
        try ground.makeDirectory("directory")
        try ground.write("file")
        let jail = try ground.jail()
        #expect(thrown { try jail.removeFile(path("/directory")) } == FileError.isDirectory)
        #expect(thrown { try jail.removeDirectory(path("/file")) } == FileError.notDirectory)
        try jail.removeFile(path("/file"))
        #expect(ground.status("file") == nil && ground.status("directory") != nil)
    }

    @Test func removingALinkKeepsWhatItLeadsTo() throws {
        let ground = try Ground()
        try ground.write("file", "text")
        try ground.link("link", to: "file")
        try ground.makeDirectory("directory")
        try ground.link("directory-link", to: "directory")
        let jail = try ground.jail()
        try jail.removeFile(path("/link"))
        #expect(thrown { try jail.removeDirectory(path("/directory-link")) } != nil as FileError?)
        try jail.removeFile(path("/directory-link"))
        #expect(ground.status("link") == nil && ground.status("directory-link") == nil)
        #expect(ground.content("file") == "text")
        #expect(ground.status("directory") != nil)
    }

    @Test func aFileMovesBetweenDirectories() throws {
        let ground = try Ground()
        try ground.makeDirectory("a")
        try ground.makeDirectory("b")
        try ground.write("a/file", "new")
        try ground.write("b/taken", "old")
        let jail = try ground.jail()
        try jail.rename(path("/a/file"), to: path("/b/file"))
        #expect(ground.status("a/file") == nil)
        #expect(ground.content("b/file") == "new")
        // rename(2) replaces a file that has the new name.
        try jail.rename(path("/b/file"), to: path("/b/taken"))
        #expect(ground.content("b/taken") == "new")
        #expect(thrown { try jail.rename(path("/b/file"), to: path("/x")) } == FileError.notFound)
        #expect(
            thrown { try jail.rename(path("/b/taken"), to: path("/a")) } == FileError.isDirectory
        )
        #expect(
            thrown { try jail.rename(path("/b/taken"), to: path("/c/x")) } == FileError.notFound
        )
    }

    @Test func renamingALinkKeepsWhatItLeadsTo() throws {
        let ground = try Ground()
        try ground.write("file", "text")
        try ground.link("link", to: "file")
        try ground.jail().rename(path("/link"), to: path("/moved"))
        #expect(ground.content("file") == "text")
        #expect(try #require(ground.status("moved")).st_mode & S_IFMT == S_IFLNK)
    }

    @Test(arguments: [0o000, 0o400, 0o644, 0o7777, 0o4755] as [UInt16])
    func aModeIsSetWhateverItWasBefore(mode: UInt16) throws {
        let ground = try Ground()
        try ground.write("file")
        try ground.makeDirectory("directory")
        let jail = try ground.jail()
        for name in ["file", "directory"] {
            try jail.setMode(of: path("/\(name)"), to: 0)
            try jail.setMode(of: path("/\(name)"), to: mode)
            #expect(ground.mode(name) == mode)
            #expect(try jail.facts(of: path("/\(name)"), for: .showing).mode == mode)
        }
        try jail.setMode(of: path("/directory"), to: 0o700)
    }

    @Test func theModeOfWhatALinkLeadsToIsSet() throws {
        let ground = try Ground()
        try ground.write("file")
        try ground.link("link", to: "/file")
        try ground.jail().setMode(of: path("/link"), to: 0o640)
        #expect(ground.mode("file") == 0o640)
    }

    @Test(arguments: [0, 1, 1_700_000_000, 4_102_444_800] as [Int64])
    func aModificationTimeIsSet(seconds: Int64) throws {
        let ground = try Ground()
        try ground.write("file")
        let before = try #require(ground.status("file"))
        let jail = try ground.jail()
        try jail.setModificationTime(of: path("/file"), to: seconds)
        let after = try #require(ground.status("file"))
        #expect(Int64(after.st_mtim.tv_sec) == seconds && after.st_mtim.tv_nsec == 0)
        #expect(after.st_atim.tv_sec == before.st_atim.tv_sec)
        #expect(try jail.facts(of: path("/file"), for: .showing).modified == seconds)
    }

    @Test func factsAreThoseOfTheFile() throws {
        let ground = try Ground()
        try ground.write("file", "12345")
        try ground.link("link", to: "file")
        let jail = try ground.jail()
        let status = try #require(ground.status("file"))
        for name in ["/file", "/link"] {
            let facts = try jail.facts(of: path(name), for: .showing)
            #expect(facts.kind == .regular && facts.size == 5)
            #expect(facts.inode == UInt64(status.st_ino))
            #expect(facts.device == UInt64(status.st_dev))
            #expect(facts.owner == status.st_uid && facts.group == status.st_gid)
            #expect(facts.linkCount == 1)
        }
        #expect(try jail.facts(of: path("/link"), for: .renaming).kind == .symbolicLink)
        #expect(try jail.facts(of: .root, for: .showing).kind == .directory)
    }

    @Test(.enabled(if: Credentials.isRoot, "needs root, to become somebody else"))
    func theKernelsPermissionsHold() async throws {
        // Made and removed out here: the process inside is not root any more when it ends.
        let ground = try Ground()
        try ground.write("own", "text")
        try ground.write("foreign", "text")
        try ground.makeDirectory("closed")
        try ground.write("closed/file", "text")
        let nobody = Credentials(user: 65_534, group: 65_534)
        try changeOwner(of: ground.root, to: nobody)
        try changeOwner(of: "\(ground.root)/own", to: nobody)
        await #expect(processExitsWith: .success) { [root = ground.root as String] in
            let jail = try Jail.opening(root)
            try Credentials(user: 65_534, group: 65_534).assume(groups: [])
            #expect(thrown { try jail.enterDirectory(path("/closed")) } == FileError.accessDenied)
            let denied: [() throws -> Void] = [
                { _ = try jail.openForReading(path("/foreign")) },
                { _ = try jail.openForReading(path("/closed/file")) },
                { _ = try jail.openForWriting(path("/foreign"), .append) },
                { try jail.setMode(of: path("/foreign"), to: 0o777) },
                { try jail.setModificationTime(of: path("/foreign"), to: 1) },
                { try jail.beginListing(of: path("/closed"), .sorted) },
            ]
            for attempt in denied { #expect(thrown(by: attempt) == FileError.accessDenied) }
            // Whoever owns a file may have it back, whatever its mode says.
            try jail.setMode(of: path("/own"), to: 0)
            #expect(thrown { _ = try jail.openForReading(path("/own")) } == FileError.accessDenied)
            #expect(try jail.facts(of: path("/own"), for: .showing).size == 4)
            try jail.setMode(of: path("/own"), to: 0o400)
            #expect(try readAll(jail.openForReading(path("/own"))) == "text")
        }
    }
}
