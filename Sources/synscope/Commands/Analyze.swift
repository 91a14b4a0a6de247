import ArgumentParser
import Glibc
import HandshakeAnalysis
import HandshakeRecord
import HandshakeReport
import PacketCapture
import PacketWire

struct Analyze: DocumentedCommand {
    static let helpText = HelpText(
        body: """
            Several files are one capture, read in the order of time. Frames are numbered from 1 as Wireshark does; an \
            attempt's id is the number of its first frame.

            Files come first. The first word that is no file begins a filter of pcap-filter(7).
            """,
        examples: [
            .init("synscope capture.pcap", "a table, findings, a summary"),
            .init("synscope -q *.pcapng tcp port 443", "the summary of what a filter passes"),
            .init("synscope --follow capture.pcap", "read on while the file grows"),
            .init("synscope capture.pcap -Y 'ip.dst == 10.0.0.0/8'", "attempts with a server in a network"),
            .init("synscope -T csv capture.pcap > attempts.csv", "a table for other programs"),
        ],
        environment: [
            .init("SYNSCOPE_PAGER", "The pager of text on a terminal, else PAGER, else less. If empty or cat, none.")
        ], writesText: true,
        exitStatus: [.fine, .wrongUsage, .unreadable],
        seeAlso: ["pcap-filter(7)"])

    static let configuration = CommandConfiguration(
        commandName: "analyze",
        abstract: "Report every connection attempt in capture files (the default command).",
        discussion: helpText.discussion)

    enum Order: String, ExpressibleByArgument, CaseIterable { case start, decided }

    @OptionGroup(title: "Input") var input: InputOptions
    @OptionGroup var selection: SelectionOptions
    @OptionGroup(title: "Records") var records: RecordOptions
    @OptionGroup(title: "Text") var text: StyleOptions
    @OptionGroup(title: "Text") var times: ZoneOptions
    @OptionGroup(title: "Page") var page: PageOptions

    @Option(
        name: [.customShort("T"), .customLong("format")],
        help: """
            Output: text, json, jsonl, csv; ecs or ocsf: JSON Lines under the names of these schemas; html: a page to \
            hand on (synscope report).
            """)
    var format = OutputFormat.text

    @Flag(name: [.customShort("q"), .long], help: "The summary only (jsonl and json: the capture and the summary).")
    var quiet = false

    @Flag(
        name: .shortAndLong,
        help:
            "Text with every detail: informational findings, display filters for Wireshark, no folding, no words left out."
    )
    var verbose = false

    @Flag(
        help:
            "On a terminal, list also attempts without failure or finding where there are more than \(AttemptSink.shownOnTerminal)."
    )
    var all = false

    @Flag(name: .customShort("l"), help: "Write each attempt at once.")
    var lineBuffered = false

    @Flag(help: "Read on while the file grows, also when it is written anew or replaced, as tail -F does. One file.")
    var follow = false

    @Option(
        help:
            "Attempts in the order in which they start, or are decided. Text sorts by start while it is small; the others write as they go."
    )
    var sort: Order?

    /// Text is sorted by start up to so many attempts; beyond, it is written as it comes.
    static let sortedTextLimit = 10_000

    func validate() throws {
        try input.requireFile()
        if quiet, !selection.expressions.isEmpty, format != .text {
            throw ValidationError("-q with -T \(format.rawValue) lists no attempts that -Y could choose from")
        }
        if follow, sort == .start { throw ValidationError("--follow has no end to sort by start at") }
        try records.validate(format)
        if quiet, !format.hasSummaryAlone {
            throw ValidationError("-q leaves nothing of -T \(format.rawValue): it has no summary without attempts")
        }
        if page.pseudonyms, format != .html { throw ValidationError("--pseudonyms goes with -T html") }
        if follow, format == .html { throw ValidationError("--follow has no end at which a page could be written") }
    }

    @Flag(
        name: .customLong("no-pager"),
        help: "Text on a terminal goes through no pager ($SYNSCOPE_PAGER, $PAGER or less).")
    var usesNoPager = false

    func run() throws {
        let selection = try selection.predicate()
        let columns = try records.columns()
        let summaryFile = try records.openSummary((try input.resolve(follows: follow)).paths)
        // Both ask what standard output is: before a pager takes its place.
        let style = text.style(in: times.zone)
        let showsAll = all || verbose || !Terminal.isTerminal(STDOUT_FILENO)
        if format == .text, !follow, !lineBuffered, !usesNoPager { Pager.start() }
        var analysis = try Analysis(input, follows: follow, listsAttempts: !quiet || selection != nil)
        var sink = AttemptSink(
            format: format, quiet: quiet, style: style,
            output: StandardOutput(isLineBuffered: lineBuffered || follow),
            selection: selection,
            context: records.context(
                follow ? .noFile : .init(fileCount: analysis.capture.files.count), places: analysis.reader.places),
            columns: columns, summary: summaryFile, isLive: follow, isVerbose: verbose, showsAll: showsAll,
            hidesAddresses: page.pseudonyms)
        switch sort {
        case .start?: sink.holdLimit = .max
        case .decided?: sink.holdLimit = 0
        case nil: sink.holdLimit = format == .text && !follow ? Analyze.sortedTextLimit : 0
        }
        try sink.begin(analysis.capture)
        let (summary, loss) = try analysis.run(&sink)
        try sink.end(summary, loss)
        if let places = analysis.reader.places, places.areInterleaved,
            summary.quality.contains(where: { $0.code == .twoPlaces })
        {
            StandardError.write(
                "these files look like captures of two points of one path: synscope compare takes them apart, "
                    + "with clocks of their own")
        }
        try analysis.reportFailures()
    }
}
