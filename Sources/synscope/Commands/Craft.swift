import ArgumentParser
import HandshakeReport
import HandshakeScenario
import PacketCapture

struct Craft: DocumentedCommand {
    static let helpText = HelpText(
        body: """
            A scenario is text, one packet a line, with what must be found at its end (docs/scenarios.md):

              0      > S
              +20ms  < S.
              +1ms   > .
              expect outcome established
              expect rtt.total_ns 21ms
            """,
        examples: [
            .init("synscope craft handshake.pkt -w handshake.pcapng", "a capture"),
            .init("synscope craft --check Tests/Scenarios/*/*.pkt", "what analysis makes of scenarios"),
        ],
        exitStatus: [
            .fine, .init("1", "a scenario is not what it expects"), .wrongUsage,
            .init("3", "a scenario cannot be read or has mistakes"),
        ])

    static let configuration = CommandConfiguration(
        commandName: "craft",
        abstract: "Make a capture from a scenario, or check what analysis makes of scenarios.",
        discussion: helpText.discussion)

    @Argument(
        help: ArgumentHelp("Scenario files; - is standard input.", valueName: "scenario"),
        completion: .file(extensions: ["pkt"]))
    var scenarios: [String]

    @Option(
        name: .customShort("w"),
        help: ArgumentHelp(
            "Write the capture: pcapng if the name ends in .pcapng, else pcap; - is standard output.", valueName: "file"
        ),
        completion: .file(extensions: ["pcap", "pcapng"]))
    var output: String?

    @Flag(help: "Analyse each scenario's packets and compare with what it expects.")
    var check = false

    func validate() throws {
        if output == nil, !check {
            throw ValidationError("Say what to do: -w FILE writes a capture, --check compares.")
        }
        if output != nil, scenarios.count > 1 { throw ValidationError("-w takes one scenario.") }
        if output == "-", check { throw ValidationError("-w - and --check both write to standard output.") }
    }

    func run() throws {
        var taken = Set(scenarios.filter { $0 != "-" }.compactMap(FileIdentity.init))
        var file: OutputFile?
        // While there are the rights to make it. A scenario with mistakes leaves it as it was.
        if let output, output != "-" { file = try OutputFile(output, keeps: true, taken: &taken) }
        Confinement.confineReading(scenarios)
        var isReadable = true
        var differing = 0
        var checked = 0
        var report = StandardOutput(isLineBuffered: false)
        for path in scenarios {
            let scenario: Scenario
            do throws(CommandFailure) {
                scenario = try Craft.read(path)
            } catch {
                if let message = error.message { StandardError.write(message) }
                isReadable = false
                continue
            }
            if let output { try Craft.write(scenario, as: output, to: file) }
            if check {
                checked += 1
                let differences = scenario.check()
                if !differences.isEmpty { differing += 1 }
                for difference in differences { report.buffer.line(difference.description.cleaned(for: .message)) }
            }
        }
        if check {
            report.buffer.line(
                "\(checked) \(checked == 1 ? "scenario" : "scenarios"), \(checked - differing) as expected, \(differing) not"
            )
        }
        try report.flush()
        if !isReadable { throw CommandFailure(status: .unreadable, message: nil) }
        if differing > 0 { throw CommandFailure(status: .failed, message: nil) }
    }

    private static func read(_ path: String) throws(CommandFailure) -> Scenario {
        let name = path == "-" ? "standard input" : path
        guard let text = String(validating: try TextFile.read(path, maximum: Scenario.maximumOctets), as: UTF8.self)
        else {
            throw CommandFailure(status: .unreadable, message: "\(name): a scenario is UTF-8 text, and this is not")
        }
        do throws(ScenarioErrors) {
            return try Scenario(text: text, name: name)
        } catch {
            // As compilers do: the line begins with the place.
            for diagnostic in error.diagnostics { StandardError.write(line: diagnostic.description) }
            throw CommandFailure(status: .unreadable, message: nil)
        }
    }

    /// - Parameter file: where it goes; nil for standard output.
    private static func write(_ scenario: Scenario, as path: String, to file: OutputFile?) throws {
        var writer = SavefileWriter(
            path.hasSuffix(".pcapng") ? .pcapng : .pcap,
            [.init(linkType: scenario.linkType, snaplen: scenario.snaplen)])
        for frame in scenario.frames() { writer.write(frame.octets, wireLength: frame.wireLength, time: frame.time) }
        if let file { return try file.write(writer.octets) }
        var output = StandardOutput(isLineBuffered: false)
        output.buffer.append(octets: writer.octets)
        try output.flush()
    }
}
