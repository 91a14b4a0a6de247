import CLinux
import Foundation
import Glibc
import TestSupport
import Testing

@testable import synscope

/// What a process may still do, tried from inside.
private struct Probe {
    private var surprises: [String] = []

    /// - Parameters:
    ///   - code: the errno that it is to fail with; 0 where it is to work.
    ///   - result: of the call, negative where it fails.
    mutating func expect(_ code: Int32, _ words: String, _ result: Int) {
        let found = result < 0 ? errno : 0
        if found != code { surprises.append("\(words): \(found == 0 ? "works" : String(cString: strerror(found)))") }
    }

    /// What no confined run may do, whatever its files.
    mutating func tryAttacks() {
        expect(EACCES, "reading /etc/passwd", Int(open("/etc/passwd", O_RDONLY)))
        expect(EACCES, "writing to /dev/null", Int(open("/dev/null", O_WRONLY)))
        expect(ENOSYS, "a UDP socket", Probe.socket(AF_INET, SOCK_DGRAM))
        expect(ENOSYS, "a stream Unix socket", Probe.socket(AF_UNIX, SOCK_STREAM))
        // PTRACE_TRACEME
        expect(ENOSYS, "ptrace", Probe.call("ptrace", 0))
        expect(ENOSYS, "another program", Int(execv("/bin/true", [nil])))
        expect(ENOSYS, "a signal to another process", Int(kill(getppid(), 0)))
        expect(ENOSYS, "a namespace by unshare", Probe.call("unshare", 0x1000_0000))
        #if arch(x86_64)
            expect(ENOSYS, "a namespace by clone", Probe.call("syscall", 56, 0x1000_0000 | Int(SIGCHLD)))
        #endif
        expect(ENOSYS, "io_uring", Probe.call("syscall", 425, 1, 0))
        var letter: CChar = 32
        expect(ENOSYS, "typing into the terminal", Int(ioctl(0, UInt(TIOCSTI), &letter)))
        let memory = mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        expect(0, "memory", memory == MAP_FAILED ? -1 : 0)
        expect(ENOSYS, "memory made code", Int(mprotect(memory, 4096, PROT_READ | PROT_EXEC)))
        expect(0, "memory made read-only", Int(mprotect(memory, 4096, PROT_READ)))
        let code = mmap(nil, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        expect(ENOSYS, "memory for code", code == MAP_FAILED ? -1 : 0)
    }

    static func socket(_ family: Int32, _ type: __socket_type) -> Int {
        Int(Glibc.socket(family, Int32(type.rawValue), 0))
    }

    /// Calls a function of the C library that Swift does not import.
    static func call(_ name: String, _ a: Int, _ b: Int = 0, _ c: Int = 0, _ d: Int = 0, _ e: Int = 0) -> Int {
        typealias Function = @convention(c) (Int, Int, Int, Int, Int) -> Int
        return unsafeBitCast(dlsym(nil, name), to: Function.self)(a, b, c, d, e)
    }

    /// Ends the process, with what was not as it should be on standard error.
    func finish() -> Never {
        for surprise in surprises + ["nothing else"] {
            FileHandle.standardError.write(Data("\nsurprise: \(surprise)\n".utf8))
        }
        Glibc.exit(0)
    }

    /// What a probe told; the testing library writes there too.
    static func surprises(_ result: ExitTest.Result) -> [Substring] {
        String(decoding: result.standardErrorContent, as: UTF8.self).split(separator: "\n").filter {
            $0.hasPrefix("surprise: ")
        }
    }
}

/// Each probe is a process of its own. Landlock and seccomp then bind the thread that the probe is on.
@Suite("Confinement, tried from inside")
struct ConfinementTests {
    @Test("A run that reads files may open those again, and nothing else")
    func reading() async throws {
        let result = try await #require(processExitsWith: .success, observing: [\.standardErrorContent]) {
            let file = Place.capture("incident.pcap")
            let confinement = Confinement.reading([file, "-", "/"], follows: false)
            try confinement.reduceRights()
            try confinement.enter()
            var probe = Probe()
            probe.expect(0, "reading the input again", Int(open(file, O_RDONLY)))
            probe.expect(EACCES, "writing to the input", Int(open(file, O_WRONLY)))
            probe.expect(EACCES, "a file beside it", Int(open(Place.capture("established.pcap"), O_RDONLY)))
            probe.expect(EACCES, "a new file", Int(open("/tmp/synscope-new", O_WRONLY | O_CREAT, 0o600)))
            probe.expect(EINVAL, "cutting what is open to be read", Int(ftruncate(open(file, O_RDONLY), 0)))
            probe.expect(EACCES, "cutting a file by its name", Int(open(file, O_WRONLY | O_TRUNC)))
            probe.expect(0, "looking whether an input is a folder", Int(open("/", O_RDONLY)))
            probe.expect(ENOSYS, "removing a file", Int(unlink("/tmp/synscope-new")))
            probe.expect(ENOSYS, "a TCP socket", Probe.socket(AF_INET, SOCK_STREAM))
            probe.tryAttacks()
            probe.finish()
        }
        #expect(Probe.surprises(result) == ["surprise: nothing else"])
    }

    @Test("A run that follows a file may open what takes its name, and write nothing")
    func following() async throws {
        let result = try await #require(processExitsWith: .success, observing: [\.standardErrorContent]) {
            let file = Place.capture("incident.pcap")
            let confinement = Confinement.reading([file], follows: true)
            try confinement.reduceRights()
            try confinement.enter()
            var probe = Probe()
            probe.expect(0, "a file in the same folder", Int(open(Place.capture("established.pcap"), O_RDONLY)))
            probe.expect(EACCES, "writing to the input", Int(open(file, O_WRONLY)))
            probe.tryAttacks()
            probe.finish()
        }
        #expect(Probe.surprises(result) == ["surprise: nothing else"])
    }

    @Test("A live run may make files in the folder of -w, and has no sockets")
    func capturing() async throws {
        let result = try await #require(processExitsWith: .success, observing: [\.standardErrorContent]) {
            let folder = FileManager.default.temporaryDirectory.appending(path: "synscope-live-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            chmod(folder.path, 0o777)
            let confinement = Confinement.capturing(folder: folder.path)
            try confinement.reduceRights(try Confinement.Account(Confinement.defaultUser))
            try confinement.enter()
            var probe = Probe()
            probe.expect(0, "a new file", Int(open(folder.path + "/new", O_WRONLY | O_CREAT, 0o600)))
            probe.expect(0, "removing it", Int(unlink(folder.path + "/new")))
            probe.expect(EACCES, "a new file elsewhere", Int(open("/tmp/synscope-new", O_WRONLY | O_CREAT, 0o600)))
            probe.expect(ENOSYS, "a TCP socket", Probe.socket(AF_INET, SOCK_STREAM))
            probe.expect(ENOSYS, "a packet socket", Probe.socket(AF_PACKET, SOCK_RAW))
            probe.tryAttacks()
            probe.finish()
        }
        #expect(Probe.surprises(result) == ["surprise: nothing else"])
    }

    @Test("A live run with a service takes connections on its socket, and can bind, connect and make none")
    func serving() async throws {
        let result = try await #require(processExitsWith: .success, observing: [\.standardErrorContent]) {
            var port: UInt16 = 0
            let listener = Int(clinux_listen_tcp("127.0.0.1", 0, &port))
            let (client, other) = (Probe.socket(AF_INET, SOCK_STREAM), Probe.socket(AF_INET, SOCK_STREAM))
            func with(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int) -> Int {
                let address = sockaddr_in(
                    sin_family: sa_family_t(AF_INET), sin_port: port.bigEndian,
                    sin_addr: in_addr(s_addr: UInt32(0x7f00_0001).bigEndian), sin_zero: (0, 0, 0, 0, 0, 0, 0, 0))
                return withUnsafeBytes(of: address) {
                    body($0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
                }
            }
            var probe = Probe()
            probe.expect(0, "a connection before", with(port) { Int(connect(Int32(client), $0, $1)) })
            let confinement = Confinement.capturing(serves: true)
            try confinement.reduceRights(try Confinement.Account(Confinement.defaultUser))
            try confinement.enter()
            probe.expect(0, "listening", Int(listen(Int32(listener), 128)))
            let accepted = Probe.call("accept4", listener)
            probe.expect(0, "taking a connection", accepted)
            probe.expect(0, "an answer", send(Int32(accepted), "x", 1, Int32(MSG_NOSIGNAL)))
            probe.expect(ENOSYS, "binding a port", with(0) { Int(bind(Int32(other), $0, $1)) })
            probe.expect(ENOSYS, "a connection", with(port) { Int(connect(Int32(other), $0, $1)) })
            // MSG_FASTOPEN
            probe.expect(
                ENOSYS, "a connection by sending", with(port) { sendto(Int32(other), "x", 1, 0x2000_0000, $0, $1) })
            probe.expect(ENOSYS, "a TCP socket", Probe.socket(AF_INET, SOCK_STREAM))
            probe.expect(ENOSYS, "a packet socket", Probe.socket(AF_PACKET, SOCK_RAW))
            probe.tryAttacks()
            probe.finish()
        }
        #expect(Probe.surprises(result) == ["surprise: nothing else"])
    }

    @Test("With --wait the right to capture is kept, and no other", .enabled(if: geteuid() == 0, "it needs root"))
    func waiting() async throws {
        for user in [Confinement.defaultUser, "root"] {
            let run = try Run(["watch", "-i", "lo", "-Z", user, "--wait", "-q", "--duration", "1"])
            #expect(run.status == 0, "\(user): \(run.errors)")
        }
        let result = try await #require(processExitsWith: .success, observing: [\.standardErrorContent]) {
            let confinement = Confinement.capturing(reopens: true)
            try confinement.reduceRights(try Confinement.Account("root"))
            try confinement.enter()
            var probe = Probe()
            probe.expect(0, "a packet socket", Probe.socket(AF_PACKET, SOCK_RAW))
            probe.expect(ENOSYS, "a TCP socket", Probe.socket(AF_INET, SOCK_STREAM))
            probe.tryAttacks()
            let status = (try? String(contentsOfFile: "/proc/thread-self/status", encoding: .utf8)) ?? ""
            let kept = status.split(separator: "\n").filter { $0.hasPrefix("CapPrm") || $0.hasPrefix("CapEff") }
            // Bit 13: CAP_NET_RAW.
            let isRawAlone = kept.count == 2 && kept.allSatisfy { $0.hasSuffix("\t0000000000002000") }
            errno = EPERM
            probe.expect(0, "CAP_NET_RAW alone: \(kept)", isRawAlone ? 0 : -1)
            probe.finish()
        }
        #expect(Probe.surprises(result) == ["surprise: nothing else"])
    }
}

@Suite("Files that are read, confined")
struct ConfinedReadingTests {
    @Test("The command is confined when it waits for the first octet of a pipe")
    func pipe() throws {
        let run = try Run.shell(
            """
            folder=$(mktemp -d); mkfifo $folder/in
            "$SYNSCOPE" -q - < $folder/in > $folder/out 2>&1 & pid=$!
            exec 3> $folder/in
            for n in $(seq 100); do grep -q '^Seccomp:.2' /proc/$pid/status && break; sleep 0.05; done
            grep -E '^(NoNewPrivs|Seccomp):' /proc/$pid/status
            cat '\(Place.capture("incident.pcap"))' >&3; exec 3>&-
            wait $pid; echo status $?; grep -c '^attempts' $folder/out; rm -r $folder
            """)
        #expect(run.output == "NoNewPrivs:\t1\nSeccomp:\t2\nstatus 0\n1\n", "\(run.output) \(run.errors)")
    }

    @Test("craft is confined when it waits for its scenario, and writes its file all the same")
    func crafting() throws {
        let run = try Run.shell(
            """
            folder=$(mktemp -d); mkfifo $folder/in
            "$SYNSCOPE" craft - -w $folder/out < $folder/in & pid=$!
            exec 3> $folder/in
            for n in $(seq 100); do grep -q '^Seccomp:.2' /proc/$pid/status && break; sleep 0.05; done
            grep -E '^(NoNewPrivs|Seccomp):' /proc/$pid/status
            cat '\(Place.capture("established.pkt"))' >&3; exec 3>&-
            wait $pid; echo status $?; cmp $folder/out '\(Place.capture("established.pcap"))' && echo same; rm -r $folder
            """)
        #expect(run.output == "NoNewPrivs:\t1\nSeccomp:\t2\nstatus 0\nsame\n", "\(run.output) \(run.errors)")
    }

    @Test("Pipes by name, compressed files, and many files that are opened again are read")
    func inputs() throws {
        let (one, other) = (Place.capture("incident.pcap"), Place.capture("established.pcap"))
        let plain = try Run(["-T", "csv", one])
        let run = try Run(
            [
                "-c",
                """
                "$SYNSCOPE" -T csv <(cat '\(one)')
                "$SYNSCOPE" -T csv /dev/stdin < '\(one)'
                """,
            ],
            executable: URL(filePath: "/bin/bash"), environment: ["SYNSCOPE": Place.synscope.path])
        let expected = plain.output
        #expect(run.output == expected + expected && run.errors.isEmpty, "\(run.errors)")
        try withFolder { folder in
            let many = try (0..<12).map { number in
                let path = "\(folder)/\(number).pcap"
                try FileManager.default.copyItem(atPath: other, toPath: path)
                return path
            }
            let all = try Run(["-q"] + many)
            #expect(all.status == 0 && all.errors.isEmpty, "\(all.errors)")
            _ = try Run.shell("gzip -c '\(one)' > \(folder)/one.pcap.gz")
            #expect(try Run(["-T", "csv", "\(folder)/one.pcap.gz"]).output == expected)
        }
    }

    @Test("A filter's names of services and hosts are looked up before")
    func filterNames() throws {
        let capture = Place.capture("incident.pcap")
        let (named, numbered) = (
            try Run(["-T", "jsonl", capture, "tcp", "port", "http", "or", "host", "localhost"]),
            try Run(["-T", "jsonl", capture, "tcp", "port", "80", "or", "host", "localhost"])
        )
        #expect(named.status == 0 && numbered.status == 0, "\(named.errors)")
        #expect(
            named.output.split(separator: "\n").dropFirst() == numbered.output.split(separator: "\n").dropFirst())
    }

    @Test("A file that takes a followed one's name is read where it is in the same folder, and not in another")
    func followedElsewhere() throws {
        let capture = Place.capture("established.pcap")
        func follow(_ script: String) throws -> Run {
            try Run.shell(
                """
                folder=$(mktemp -d); mkdir $folder/a $folder/b; cp '\(capture)' $folder/a/live; cp '\(capture)' $folder/b/secret
                cp '\(Place.capture("kernel-refused.pcap"))' $folder/a/next
                timeout -s INT 10 "$SYNSCOPE" --follow $folder/a/live -T jsonl > $folder/out 2> $folder/err & pid=$!
                for n in $(seq 100); do grep -q '"attempt"' $folder/out && break; sleep 0.05; done
                \(script)
                for n in $(seq 60); do
                  [ $(grep -c '"type":"attempt"' $folder/out) = 2 ] && break; kill -0 $pid 2> /dev/null || break; sleep 0.05
                done
                kill -INT $(pgrep -P $pid) 2> /dev/null; wait $pid
                grep -c '"type":"attempt"' $folder/out; cat $folder/err; rm -r $folder
                """)
        }
        let elsewhere = try follow("ln -s ../b/secret $folder/a/link; mv $folder/a/link $folder/a/live")
        #expect(
            elsewhere.output.contains("Permission denied") && elsewhere.output.hasPrefix("1\n"), "\(elsewhere.output)")
        let here = try follow("mv $folder/a/next $folder/a/live")
        #expect(here.output.hasPrefix("2\n") && !here.output.contains("denied"), "\(here.output)")
    }
}
