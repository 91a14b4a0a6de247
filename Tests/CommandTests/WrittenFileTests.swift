import Foundation
import Glibc
import TestSupport
import Testing

/// A folder that is gone afterwards.
func withFolder(_ body: (String) throws -> Void) throws {
    let folder = try TemporaryFolder()
    try body(folder.url.path)
}

@Suite("Files that are written")
struct WrittenFileTests {
    private static let broken = ["-e", "none(hs.outcome == refused)"]

    /// A folder that others may make files in, as /tmp.
    private func withSharedFolder(_ body: (String) throws -> Void) throws {
        try withFolder { folder in
            chmod(folder, 0o1777)
            try body(folder)
        }
    }

    private func check(_ target: String) throws -> Run {
        try Run(["check", Place.capture("incident.pcap")] + WrittenFileTests.broken + ["-w", target])
    }

    @Test("In a folder as /tmp no symbolic link is followed, and what it leads to stays as it was")
    func link() throws {
        try withFolder { own in
            let target = own + "/precious"
            try Data("precious".utf8).write(to: URL(filePath: target))
            try withSharedFolder { folder in
                symlink(target, folder + "/out.pcapng")
                let run = try check(folder + "/out.pcapng")
                #expect(run.status == 3 && run.errors.contains("is a symbolic link"), "\(run.errors)")
                #expect(try Data(contentsOf: URL(filePath: target)) == Data("precious".utf8))
                let crafted = try Run(["craft", Place.capture("established.pkt"), "-w", folder + "/out.pcapng"])
                #expect(crafted.status == 3 && crafted.errors.contains("is a symbolic link"), "\(crafted.errors)")
            }
            // In a folder of one's own a link is meant.
            symlink(target, own + "/link.pcapng")
            let run = try check(own + "/link.pcapng")
            #expect(run.status == 1 && run.errors.isEmpty, "\(run.errors)")
            #expect(try Data(contentsOf: URL(filePath: target)).starts(with: [0x0a, 0x0d, 0x0d, 0x0a]))
        }
    }

    @Test("In a folder as /tmp a file with a second name is not written to; one's own file is, and a new one")
    func secondName() throws {
        try withSharedFolder { folder in
            try Data("precious".utf8).write(to: URL(filePath: folder + "/precious"))
            #expect(Glibc.link(folder + "/precious", folder + "/out.pcapng") == 0)
            let run = try check(folder + "/out.pcapng")
            #expect(run.status == 3 && run.errors.contains("has a second name"), "\(run.errors)")
            #expect(try Data(contentsOf: URL(filePath: folder + "/precious")) == Data("precious".utf8))
            unlink(folder + "/out.pcapng")
            for path in ["/precious", "/new.pcapng"] { #expect(try check(folder + path).status == 1) }
        }
    }

    @Test(
        "Root does not write to a file that another user put into a folder as /tmp",
        .enabled(if: geteuid() == 0, "it needs root"))
    func anothersFile() throws {
        try withSharedFolder { folder in
            try Data("bait".utf8).write(to: URL(filePath: folder + "/out.pcapng"))
            chown(folder + "/out.pcapng", 65534, 65534)
            let run = try check(folder + "/out.pcapng")
            #expect(run.status == 3 && run.errors.contains("is another user's"), "\(run.errors)")
            #expect(try Data(contentsOf: URL(filePath: folder + "/out.pcapng")) == Data("bait".utf8))
        }
    }

    @Test("Root follows no link in a folder that is another user's", .enabled(if: geteuid() == 0, "it needs root"))
    func anothersFolder() throws {
        try withFolder { own in
            try Data("precious".utf8).write(to: URL(filePath: own + "/precious"))
            try withFolder { folder in
                symlink(own + "/precious", folder + "/out.pcapng")
                chown(folder, 65534, 65534)
                let run = try check(folder + "/out.pcapng")
                #expect(run.status == 3 && run.errors.contains("is a symbolic link"), "\(run.errors)")
                #expect(try Data(contentsOf: URL(filePath: own + "/precious")) == Data("precious".utf8))
            }
        }
    }

    @Test("Devices and pipes are written to")
    func devices() throws {
        #expect(try check("/dev/null").status == 1)
        let run = try Run.shell(
            "\"$SYNSCOPE\" craft '\(Place.capture("established.pkt"))' -w /dev/stdout | \"$SYNSCOPE\" -q -")
        #expect(run.status == 0 && run.output.contains("attempts    1"), "\(run.errors)")
    }
}
