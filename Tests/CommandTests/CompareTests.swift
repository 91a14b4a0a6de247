import Foundation
import TestSupport
import Testing

@Suite("synscope compare")
struct CompareTests {
    private static let folder = Place.captures.appending(path: "points")

    private static func pair(_ name: String) -> [String] {
        ["client", "server"].map { "\($0)=\(folder.appending(path: "\(name)-\($0).pcap").path)" }
    }

    private func document(_ words: [String]) throws -> [String: Any] {
        let run = try Run(["compare", "-T", "json"] + words)
        #expect(run.status == 0, "\(run.errors)")
        return try #require(try JSONSerialization.jsonObject(with: Data(run.octets)) as? [String: Any])
    }

    private func changed(_ name: String) throws -> Set<String> {
        let changes = try #require(try document(Self.pair(name))["changes"] as? [[String: Any]])
        return Set(changes.compactMap { $0["field"] as? String })
    }

    @Test(
        "What a box rewrites is named, and nothing else",
        arguments: [
            ("lossless", []), ("hops", []), ("ipv6", []), ("vxlan", []), ("gre", []),
            ("source-translation", ["client-address", "client-port"]), ("destination-translation", ["server-address"]),
            ("both-translations", ["client-address", "client-port", "server-address"]),
            ("ports-rewritten", ["client-port"]), ("isn-rewritten", ["client-isn"]), ("mss-clamped-to-server", ["mss"]),
            ("mss-clamped-to-client", ["mss"]), ("window-scale-stripped", ["window-scale", "options"]),
            ("sack-stripped", ["sack-permitted", "options"]), ("timestamps-stripped", ["timestamps", "options"]),
        ] as [(String, Set<String>)])
    func changes(name: String, fields: Set<String>) throws { #expect(try changed(name) == fields) }

    @Test("A lost SYN, a lost ACK and lost SYN-ACKs are placed, each in its direction")
    func losses() throws {
        let stretches = try #require(try document(Self.pair("loss-30-both"))["stretches"] as? [[String: Any]])
        let lost = stretches.map { $0["lost"] as? Int ?? 0 }
        #expect(lost == [2, 2])
        #expect((stretches[0]["lost_by_kind"] as? [String: Int])?["syn"] == 1)
        #expect((stretches[0]["lost_by_kind"] as? [String: Int])?["ack"] == 1)
        #expect((stretches[1]["lost_by_kind"] as? [String: Int])?["syn_ack"] == 2)
    }

    @Test("A SYN proxy's two handshakes are two: no packet is lost between them, and no number rewritten")
    func proxy() throws {
        let document = try document(Self.pair("syn-proxy"))
        let codes = try #require(document["situations"] as? [[String: Any]]).compactMap { $0["code"] as? String }
        #expect(codes == ["proxied-between"])
        #expect((document["changes"] as? [Any])?.isEmpty == true)
        let stretches = try #require(document["stretches"] as? [[String: Any]])
        #expect(stretches.allSatisfy { $0["lost"] as? Int == 0 && $0["copies_not_told_apart"] as? Int == 0 })
    }

    @Test("Nothing is said to be lost of a connection that a SYN proxy made or did not make")
    func proxiedLosses() throws {
        let points = ["client", "server"].map { "\($0)=\(Self.folder.appending(path: "syn-proxy-\($0).pcap").path)" }
        let run = try Run(["check", "--points", points.joined(separator: ","), "-e", "none(path.lost)"])
        #expect(run.status == 1)
        #expect(run.output.contains("cannot be told: none(path.lost) = unknown, of 8 attempts"), "\(run.output)")
    }

    @Test("The clock that is an hour ahead is found")
    func clock() throws {
        let clocks = try #require(try document(Self.pair("clock-an-hour-ahead"))["clocks"] as? [[String: Any]])
        let piece = try #require((clocks[0]["pieces"] as? [[String: Any]])?.first)
        let (low, high) = (try #require(piece["offset_low_ns"] as? Int), try #require(piece["offset_high_ns"] as? Int))
        #expect(low <= 3_600_000_000_000 && 3_600_000_000_000 <= high)
        #expect(high - low < 20_000_000)
    }

    @Test("A clock that is set by 250 ms begins another part, and its packets are matched all the same")
    func step() throws {
        let document = try document(Self.pair("clock-stepped"))
        let clocks = try #require(document["clocks"] as? [[String: Any]])
        let pieces = try #require(clocks[0]["pieces"] as? [[String: Any]])
        #expect(pieces.count == 2)
        let low = try #require(pieces.last?["offset_low_ns"] as? Int)
        let high = try #require(pieces.last?["offset_high_ns"] as? Int)
        #expect(low <= 250_000_000 && 250_000_000 <= high)
        let stretches = try #require(document["stretches"] as? [[String: Any]])
        #expect(stretches.allSatisfy { $0["copies_not_told_apart"] as? Int == 0 })
    }

    @Test("The points may be named in any order")
    func order() throws {
        let document = try document(Self.pair("hops").reversed())
        let names = try #require(document["points"] as? [[String: Any]]).compactMap { $0["name"] as? String }
        #expect(names == ["client", "server"])
        #expect((document["order"] as? [String: Any])?["basis"] as? String == "hop-limits")
    }

    @Test("Captures of different traffic are refused, with the reason")
    func strangers() throws {
        let run = try Run(["compare"] + Self.pair("blackholed"))
        #expect(run.status == 2)
        #expect(run.errors.contains("has no connection attempt that could be compared"))
        let other = try Run(["compare", Place.capture("established.pcap"), Self.pair("lossless")[1]])
        #expect(other.status == 2)
        #expect(other.errors.contains("this is other traffic"))
    }

    @Test(
        "Wrong usage says what is expected",
        arguments: [
            (["one.pcap"], 3, "no such file"), ([pair("lossless")[0]], 2, "two points or more"),
            (pair("lossless") + ["--order", "client,router"], 2, "there is no point 'router'"),
            (pair("lossless") + ["--order", "client"], 2, "name each point once"),
            ([pair("lossless")[0], "-"], 2, "NAME=/dev/stdin"),
            (pair("lossless") + ["--clocks", "good"], 2, "synchronised-within=50us"),
            (pair("lossless") + ["--align"], 2, "--align is about -w"),
        ] as [([String], Int32, String)])
    func usage(words: [String], status: Int32, message: String) throws {
        let run = try Run(["compare"] + words)
        #expect(run.status == status)
        #expect(run.errors.contains(message), "\(run.errors)")
    }

    @Test("The distance of clocks may be a word of its own")
    func clocks() throws {
        let one = try Run(["compare", "-T", "json", "--clocks", "synchronised-within=50us"] + Self.pair("lossless"))
        let two = try Run(["compare", "-T", "json", "--clocks", "synchronised-within", "50us"] + Self.pair("lossless"))
        #expect(one.status == 0 && one.output == two.output)
    }

    @Test("A merged capture has each frame, an interface a point, and equal packet ids for the same packet")
    func merged() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("merged.pcapng")
        #expect(try Run(["compare", "-w", path] + Self.pair("source-translation")).status == 0)
        let octets = try Data(contentsOf: URL(filePath: path))
        var ids: [UInt64: Int] = [:]
        var frames = 0
        var place = 0
        func number(_ at: Int, _ count: Int) -> UInt64 {
            (0..<count).reduce(0) { $0 | UInt64(octets[at + $1]) << (8 * UInt64($1)) }
        }
        while place < octets.count {
            let (type, length) = (number(place, 4), Int(number(place + 4, 4)))
            if type == 6 {
                frames += 1
                var option = place + 28 + (Int(number(place + 20, 4)) + 3) / 4 * 4
                while option + 4 < place + length - 4, number(option, 2) != 0 {
                    if number(option, 2) == 5 { ids[number(option + 4, 8), default: 0] += 1 }
                    option += 4 + (Int(number(option + 2, 2)) + 3) / 4 * 4
                }
            }
            place += length
        }
        let whole = try Run(
            ["-T", "json", "-q"]
                + ["client", "server"].map { name in
                    Self.folder.appending(path: "source-translation-\(name).pcap").path
                })
        let summary = try #require(try JSONSerialization.jsonObject(with: Data(whole.octets)) as? [String: Any])
        let counts = (summary["summary"] as? [String: Any])?["frames"] as? [String: Any]
        #expect(frames == counts?["read"] as? Int ?? counts?["total"] as? Int)
        #expect(ids.values.max() == 2)
        #expect(ids.values.count { $0 == 2 } >= 24)
    }

    @Test("What it writes is valid by the committed schema", arguments: ["json", "jsonl"])
    func schema(format: String) throws {
        let python = try #require(
            ["python3", "/usr/bin/python3"].first { (try? Run.shell("\($0) -c 'import jsonschema'").status) == 0 },
            "jsonschema is missing: apt-get install python3-jsonschema, or make test, which does so")
        for name in ["loss-30-both", "late-and-early", "both-translations", "clock-stepped", "vxlan"] {
            let points = Self.pair(name).map { "'\($0)'" }.joined(separator: " ")
            let run = try Run.shell(
                "\"$SYNSCOPE\" compare -T \(format) \(points) | \(python) "
                    + "'\(Place.project.path)/Scripts/proof/validate.py' --schema compare.schema.json")
            #expect(run.status == 0, "\(name): \(run.output)")
        }
    }

    @Test("Assertions ask what captures at both points say together")
    func check() throws {
        func status(_ name: String, _ expression: String) throws -> Int32 {
            try Run(["check", "--points", Self.pair(name).joined(separator: ","), "-e", expression]).status
        }
        #expect(try status("lossless", "none(path.lost) and all(path.mss.changed == false)") == 0)
        #expect(try status("loss-30-both", "none(path.lost)") == 1)
        #expect(try status("mss-clamped-to-server", "all(path.mss.changed == false)") == 1)
        #expect(try status("lossless", "max(path.between) < 1s") == 0)
    }

    @Test("Without --points nothing is known of a path")
    func unknown() throws {
        let run = try Run(["check", Place.capture("established.pcap"), "-e", "none(path.lost)"])
        #expect(run.status == 1)
        #expect(run.output.contains("cannot be told: none(path.lost)"))
    }

    @Test("Two points that are given as one capture are named")
    func hint() throws {
        let paths = ["client", "server"].map { Self.folder.appending(path: "hops-\($0).pcap").path }
        #expect(try Run(["-q"] + paths).errors.contains("synscope compare"))
        #expect(try !Run(["-q", paths[0]]).errors.contains("synscope compare"))
    }

    @Test("Each situation is explained", arguments: ["lost-between", "answered-between", "rewritten-between"])
    func explained(code: String) throws {
        let run = try Run(["explain", code])
        #expect(run.status == 0)
        #expect(run.output.contains("situation between capture points"))
    }
}
