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

    @Test("A scenario with mistakes leaves the file of -w as it was, and one that is right takes its place")
    func wrongScenario() throws {
        try withFolder { folder in
            let (wrong, file) = (folder + "/wrong.pkt", folder + "/out.pcap")
            try Data("0 > nonsense\n".utf8).write(to: URL(filePath: wrong))
            try Data(repeating: 7, count: 100_000).write(to: URL(filePath: file))
            #expect(try Run(["craft", wrong, "-w", file]).status == 3)
            #expect(try Data(contentsOf: URL(filePath: file)) == Data(repeating: 7, count: 100_000))
            #expect(try Run(["craft", Place.capture("established.pkt"), "-w", file]).status == 0)
            let made = try Data(contentsOf: URL(filePath: file))
            #expect(try made == Data(contentsOf: URL(filePath: Place.capture("established.pcap"))))
        }
    }

    @Test("A scenario is not overwritten by its own capture")
    func ownScenario() throws {
        try withFolder { folder in
            let path = folder + "/own.pkt"
            try Data("0 > S\n".utf8).write(to: URL(filePath: path))
            let run = try Run(["craft", path, "-w", path])
            #expect(run.status == 2 && run.errors.contains("name another file"), "\(run.errors)")
            #expect(try Data(contentsOf: URL(filePath: path)) == Data("0 > S\n".utf8))
        }
    }

    @Test("A pipe that nobody reads is told at once, with what to do", .timeLimit(.minutes(1)))
    func pipeWithoutReader() throws {
        try withFolder { folder in
            let pipe = folder + "/pipe"
            #expect(mkfifo(pipe, 0o600) == 0)
            let capture = Place.capture("incident.pcap")
            for words in [
                ["craft", Place.capture("established.pkt"), "-w", pipe],
                ["check", capture, "-e", "count() > 0", "-w", pipe],
                ["check", capture, "-e", "count() > 0", "--report", "json=\(pipe)"],
            ] {
                let run = try Run(words)
                let message = "\(pipe): is a pipe that nobody reads. Start its reader first, or name a file"
                #expect(run.status == 3 && run.errors.contains(message), "\(words): \(run.errors)")
            }
        }
    }

    @Test("A pipe that is read takes all that is written, however slowly")
    func pipeWithReader() throws {
        let run = try Run.shell(
            """
            folder=$(mktemp -d); mkfifo $folder/pipe
            { printf 'flow isn 1 1\n'; for n in $(seq 50); do printf '+1ms > . (60000)\n'; done; } > $folder/large.pkt
            { sleep 0.3; cat; } < $folder/pipe > $folder/read & exec 3> $folder/pipe
            "$SYNSCOPE" craft $folder/large.pkt -w $folder/pipe; echo status $?
            exec 3>&-; wait
            "$SYNSCOPE" craft $folder/large.pkt -w $folder/file; cmp $folder/file $folder/read && wc -c < $folder/read
            rm -r $folder
            """)
        #expect(run.output == "status 0\n3003524\n", "\(run.output) \(run.errors)")
    }

    @Test(
        "check -i makes its files as the user that -Z names, and as its caller without; the command stays its caller's",
        .enabled(if: geteuid() == 0, "it needs root"))
    func liveCheck() throws {
        func check(_ folder: String, _ words: [String]) throws -> Run {
            try Run(
                ["check", "-i", "lo", "--while", "id -u > \(folder)/who", "-e", "count() >= 0", "--allow-none"] + words
                    + ["tcp port 1"])
        }
        func owner(_ path: String) -> uid_t? {
            var information = stat()
            return stat(path, &information) == 0 ? information.st_uid : nil
        }
        try withFolder { folder in
            let (kept, report) = (folder + "/kept.pcapng", folder + "/report.json")
            let refused = try check(folder, ["-Z", "nobody", "-w", kept])
            #expect(refused.status == 3 && refused.errors.contains("It is nobody who writes it"), "\(refused.errors)")
            #expect(owner(kept) == nil && owner(folder + "/who") == nil)
            #expect(try check(folder, ["-w", kept]).status == 0)
            #expect(owner(kept) == 0)
            chmod(folder, 0o777)
            unlink(kept)
            let named = try check(folder, ["-Z", "nobody", "-w", kept, "--report", "json=\(report)"])
            #expect(named.status == 0 && owner(kept) == 65534 && owner(report) == 65534, "\(named.errors)")
            #expect(try Data(contentsOf: URL(filePath: kept)).starts(with: [0x0a, 0x0d, 0x0d, 0x0a]))
            #expect(try String(contentsOfFile: folder + "/who", encoding: .utf8) == "0\n")
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
