import Foundation
import TestSupport
import Testing

@Suite("Wrong usage says what was expected")
struct UsageErrorTests {
    private func errors(_ arguments: [String]) throws -> String {
        let run = try Run(arguments)
        #expect(run.status == 2 && run.output.isEmpty)
        return run.errors
    }

    @Test(
        "A number of frames is one from 1 on",
        arguments: ["0", "-5", "x", "1.5", "-q", "18446744073709551616", ""])
    func count(_ text: String) throws {
        let words = "The value '\(text)' is invalid for '-c <count>': say a number from 1 on"
        #expect(try errors(["-c", text, Place.capture("incident.pcap")]).contains(words))
        #expect(try errors(["watch", "-i", "lo", "-c", text]).contains(words))
    }

    @Test(
        "A number out of its range is told with the range",
        arguments: [
            (["--width", "59"], "from 60 to 1000"), (["--max-attempts", "-1"], "from 16 to 16777216"),
            (["-j", "-1"], "from 1 on"), (["group", "--top", "-1"], "from 1 on"),
            (["group", "--max-groups", "1"], "from 2 to 10000000"), (["watch", "-i", "lo", "-B", "1"], "from 64 to"),
            (["watch", "-i", "lo", "-s", "-1"], "say a number from"),
            (["watch", "-i", "lo", "-w", "/nowhere/x", "-G", "0"], "from 1 to 1000000"),
            (["watch", "-i", "lo", "-w", "/nowhere/x", "-C", "-1"], "from 1 to 1000000"),
            (["watch", "-i", "lo", "-w", "/nowhere/x", "-G", "1", "-W", "x"], "from 1 to 1000000"),
        ] as [([String], String)])
    func numbers(_ arguments: [String], _ range: String) throws {
        let name = arguments[arguments.count - 2]
        let said = try errors(arguments + (arguments[0] == "watch" ? [] : ["x.pcap"]))
        #expect(said.contains("is invalid for '\(name) <") && said.contains(range), "\(said)")
    }

    @Test(
        "watch writes groups as text or JSON Lines, and by fields that exist",
        arguments: [
            ("--every 10s -q", "-q and --screen list nothing"), ("--by ip.dst -T csv", "write text or jsonl"),
            ("--every 10s -T json", "write text or jsonl"), ("--by ip.dts", "ip.dst"),
            ("--every 0s", "number of seconds"),
        ])
    func watchedGroups(_ options: String, _ words: String) throws {
        #expect(try errors(["watch", "-i", "lo"] + options.split(separator: " ").map(String.init)).contains(words))
    }

    @Test(
        "A value of another form is told with an example of its own",
        arguments: [
            ("--max-memory", "10K", "64M, 2G"), ("--decode-as", "vxlan=0", "vxlan=8473,geneve=6082"),
            ("--tunnel", "a-b", "192.0.2.1-192.0.2.2"), ("--tunnels", "foo", "gre,vxlan"),
            ("--link-type", "ETH", "EN10MB or 113"),
        ])
    func forms(_ option: String, _ value: String, _ example: String) throws {
        #expect(try errors([option, value, "x.pcap"]).contains(example))
    }

    @Test(
        "A name that is not UTF-8 is refused, wherever it stands, and no file is made by another name",
        arguments: ["-q", "-q -r", "check -e count()>0 x.pcap --rules", "craft x.pkt -w", "watch -i lo -w"])
    func notUTF8(_ words: String) throws {
        let folder = try TemporaryFolder()
        let run = try Run.shell(
            "cd '\(folder.url.path)' && \"$SYNSCOPE\" \(words.replacing("count()>0", with: "'count()>0'")) \"$(printf 'caf\\351.pcap')\"; s=$?; ls; exit $s"
        )
        #expect(run.status == 2 && run.output.isEmpty)
        #expect(
            run.errors.contains("is not UTF-8, and no file can be opened by it")
                && run.errors.contains("synscope - < FILE"))
    }

    @Test("A name with a replacement character that is UTF-8 is a name")
    func replacementCharacter() throws {
        let run = try Run(["-q", "/nowhere/caf\u{fffd}.pcap"])
        #expect(run.status == 3 && run.errors.contains("no such file"))
    }

    @Test(
        "A capture that cannot begin leaves no file behind",
        arguments: [
            ["-i", "no-such-interface0"], ["-i", "lo", "-f", "tcp prot 4"], ["-i", "lo", "-Z", "no-such-user"],
            ["-i", "lo", "-Y", "hs.nothing"],
        ])
    func leavesNothing(_ arguments: [String]) throws {
        let folder = try TemporaryFolder()
        let run = try Run(["watch"] + arguments + ["-w", folder.path("a.pcapng"), "-G", "5", "--duration", "1"])
        #expect(run.status == 2 || run.status == 4)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).isEmpty)
    }
}
