import ArgumentParser
import CLinux
import Glibc
import HandshakeMonitor
import HandshakeReport
import PacketCapture
import PacketWire

struct Watch: DocumentedCommand {
    static let helpText = HelpText(
        body: """
            An attempt is decided when its evidence is in: a refusal or a completed handshake 10 s later (what was \
            lost, and who goes on, shows until then), one without an answer after 75 s of silence. Ctrl-C decides the \
            rest.

            It needs the right to capture (CAP_NET_RAW), gives up root once the interfaces are open and before it makes the \
            file of -w, and confines itself. SIGUSR1 prints the totals so far, SIGHUP reopens the file of -w.
            """,
        examples: [
            .init("synscope watch -i eth0", "a line an attempt"),
            .init("synscope watch -i eth0 --screen", "a screen that refreshes itself"),
            .init("synscope watch -i any -T jsonl | jq 'select(.outcome == \"refused\")'", "refusals as lines of JSON"),
            .init(
                "synscope watch -i eth0 -q -w hs.pcapng -C 100 -W 10",
                "the frames of handshakes, in ten files of 100 MB"),
            .init("synscope watch -i eth0 --every 10s --by ip.dst,tcp.dstport", "each server's failures, every 10 s"),
            .init("synscope watch -i eth0 -q --listen 127.0.0.1:9477", "metrics and a live page"),
        ],
        writesText: true,
        files: [
            .init("file-00001.pcapng", "The first file of -w file.pcapng where -C or -G begins others.")
        ],
        exitStatus: [
            .fine, .wrongUsage, .init("3", "output cannot be written"),
            .init("4", "capturing is not permitted, or the interface is gone"),
        ],
        seeAlso: ["capabilities(7)", "pcap-filter(7)", "tcpdump(8)"])

    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Watch interfaces: report every connection attempt as it is decided.",
        discussion: helpText.discussion)

    /// The most attempts that are remembered, unless told: about 250 MB where all of them are used.
    static let usualAttempts = 1 << 18

    @OptionGroup(title: "Capture") var capture: CaptureOptions

    @Flag(name: .customShort("D"), help: "List the interfaces, as synscope interfaces does.")
    var lists = false

    @Argument(help: ArgumentHelp("A filter of pcap-filter(7), applied in the kernel.", valueName: "filter"))
    var filterWords: [String] = []

    @Option(name: [.customShort("f"), .long], help: "The same as an option.")
    var filter: String?

    @Flag(help: "Wait for an interface that is not there, or goes away, instead of ending.")
    var wait = false

    @Option(
        name: .customShort("c"), parsing: .unconditional,
        help: ArgumentHelp("Stop after so many frames.", valueName: "count"), transform: Expected.number(1...UInt64.max)
    )
    var count: UInt64?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Stop after this time: 90s, 15m, 8h; a number alone is seconds.", valueName: "time"),
        transform: CaptureOptions.nanoseconds)
    var duration: Int64?

    @Flag(name: .customShort("n"), help: "Accepted for habit: names are never resolved.")
    var numeric = false

    @OptionGroup var tracking: TrackingOptions
    @OptionGroup var selection: SelectionOptions

    @Option(name: [.customShort("T"), .customLong("format")], help: "Output: text, json, jsonl, csv, ecs or ocsf.")
    var format = OutputFormat.text

    @Flag(name: [.customShort("q"), .long], help: "The summary at the end only.")
    var quiet = false

    @Flag(
        name: .shortAndLong,
        help: "With informational findings and display filters for Wireshark, and no words left out.")
    var verbose = false

    @Flag(name: .customShort("l"), help: "Accepted for habit: each attempt is written at once.")
    var lineBuffered = false

    @Flag(help: "A screen that refreshes itself; ? shows its keys.")
    var screen = false

    @Option(
        name: .customShort("w"),
        help: ArgumentHelp("Write the frames of handshakes as pcapng.", valueName: "file"),
        completion: .file(extensions: ["pcapng"]))
    var output: String?

    @Option(
        name: .customShort("C"), parsing: .unconditional,
        help: ArgumentHelp("Begin the next file after so many million octets: file-00001.pcapng.", valueName: "size"),
        transform: Expected.number(1...1_000_000))
    var fileSize: Int?

    @Option(
        name: .customShort("G"), parsing: .unconditional,
        help: ArgumentHelp("Begin the next file after so many seconds.", valueName: "seconds"),
        transform: Expected.number(1...1_000_000))
    var fileAge: Int?

    @Option(
        name: .customShort("W"), parsing: .unconditional,
        help: ArgumentHelp("Keep so many files; the oldest go.", valueName: "count"),
        transform: Expected.number(1...1_000_000))
    var fileCount: Int?

    @OptionGroup(title: "Groups") var groups: GroupOptions

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            """
            The groups of the attempts that were decided in each such time (10s, 5m), and of all at the end. --by alone \
            gives those of all.
            """, valueName: "time"),
        transform: CaptureOptions.nanoseconds)
    var every: Int64?

    /// Whether groups are written instead of attempts.
    var isGrouped: Bool { groups.by != nil || every != nil }

    @OptionGroup(title: "Service") var service: ServiceOptions

    @OptionGroup(title: "Records") var records: RecordOptions
    @OptionGroup(title: "Text") var text: StyleOptions
    @OptionGroup(title: "Text") var times: ZoneOptions

    func validate() throws {
        if lists { return }
        if capture.interfaces.isEmpty {
            throw ValidationError("Name an interface: -i eth0 (synscope interfaces lists them).")
        }
        if filter != nil, !filterWords.isEmpty {
            throw ValidationError("Give the filter once: with -f, or at the end.")
        }
        if quiet || screen, !selection.expressions.isEmpty {
            throw ValidationError("-Y chooses what is listed: -q and --screen list nothing.")
        }
        try records.validate(format)
        if format == .html {
            throw ValidationError("-T html is of capture files (synscope report); --listen serves a page of a live run")
        }
        if quiet, !format.hasSummaryAlone {
            throw ValidationError("-q leaves nothing of -T \(format.rawValue): it has no summary without attempts")
        }
        if screen, !Terminal.isTerminal(STDOUT_FILENO) || !Terminal.isTerminal(STDIN_FILENO) {
            throw ValidationError("--screen needs a terminal.")
        }
        if isGrouped, quiet || screen {
            throw ValidationError("--by and --every list groups: -q and --screen list nothing.")
        }
        if isGrouped, format != .text, format != .jsonl {
            throw ValidationError("--by and --every write text or jsonl: \(format.rawValue) is one document or table.")
        }
        if output == nil, fileSize != nil || fileAge != nil || fileCount != nil {
            throw ValidationError("-C, -G and -W say when -w FILE goes on to the next file.")
        }
        if fileCount != nil, fileSize == nil, fileAge == nil { throw ValidationError("-W needs -C or -G.") }
    }

    func run() throws {
        if lists {
            var list = Interfaces()
            list.format = .text
            return try list.run()
        }
        try WatchRun(self).run()
    }

    var liveOptions: LiveOptions {
        capture.liveOptions(
            filter: filter ?? (filterWords.isEmpty ? nil : filterWords.joined(separator: " ")), waits: wait)
    }

    var rotation: RotatingSavefile.Rotation {
        var rotation = RotatingSavefile.Rotation()
        rotation.size = fileSize.map { $0 * 1_000_000 }
        rotation.age = fileAge.map { Int64($0) * 1_000_000_000 }
        rotation.files = fileCount
        return rotation
    }
}
