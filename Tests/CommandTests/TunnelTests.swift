import Foundation
import TestSupport
import Testing

@Suite("Tunnels, and whom the command believes")
struct TunnelTests {
    /// The command's run on a handshake that a switch mirrors in GRE, beside one that is plain.
    private func run(_ arguments: [String]) throws -> Run {
        let folder = try TemporaryFolder()
        let capture = folder.path("a.pcap")
        let text = """
            flow 10.9.1.10:40000 > 10.9.2.20:443 isn 1000 5000
            flow plain 10.3.0.7:50000 > 10.3.0.9:22 isn 2000 6000
            0     plain > S
            +1ms  plain < S.
            +1ms  plain > .
            1     > S  in gre from 10.3.0.1 to 10.3.0.9
            +10ms < S. in gre from 10.3.0.1 to 10.3.0.9
            +1ms  > .  in gre from 10.3.0.1 to 10.3.0.9
            """
        let craft = try Run(["craft", try folder.write("a.pkt", text), "-w", capture])
        #expect(craft.status == 0, "\(craft.errors)")
        return try Run(arguments.map { $0 == "CAPTURE" ? capture : $0 })
    }

    private static let rule = "count(hs.outcome == established) == 2"

    @Test("A mirror session beside other traffic leaves an assertion open, and --tunnel settles it, in either order")
    func declared() throws {
        let doubted = try run(["check", "-e", TunnelTests.rule, "CAPTURE"])
        #expect(doubted.status == 1)
        #expect(doubted.output.contains("one-way-tunnel"))
        for ends in ["10.3.0.1-10.3.0.9", "10.3.0.9-10.3.0.1"] {
            let told = try run(["check", "--tunnel", ends, "-e", TunnelTests.rule, "CAPTURE"])
            #expect(told.status == 0, "\(told.output)")
        }
    }

    @Test("--no-tunnels, and --tunnels without its kind, leave it out, and count its frames")
    func notLookedInto() throws {
        for choice in [["--no-tunnels"], ["--tunnels", "vxlan,geneve"]] {
            let result = try run(choice + ["CAPTURE"])
            #expect(result.output.contains("attempts    1: 1 established"), "\(result.output)")
            #expect(result.output.contains("3 ignored (tunnel-not-looked-into)"), "\(result.output)")
        }
        let own = try run(["--tunnels", "gre", "CAPTURE"])
        #expect(own.output.contains("attempts    2: 2 established"))
    }

    @Test(
        "What is wrong about tunnels is said",
        arguments: [
            (["--tunnel", "10.3.0.1"], "--tunnel"), (["--tunnel", "10.3.0.1-2001:db8::1"], "--tunnel"),
            (["--tunnels", "gre,ppp"], "--tunnels"), (["--no-tunnels", "--tunnels", "gre"], "exclude each other"),
        ])
    func wrong(_ arguments: [String], _ words: String) throws {
        let result = try Run(arguments + [Place.capture("incident.pcap")])
        #expect(result.status == 2)
        #expect(result.errors.contains(words), "\(result.errors)")
    }
}
