import ArgumentParser
import HandshakeAnalysis
import HandshakeExpectation
import HandshakePipeline
import HandshakeReport

struct Group: DocumentedCommand {
    static let helpText = HelpText(
        body: """
            One line a group: attempts, how many failed and why, resent SYNs, round trips, first and last time.

            A field is one of synscope fields. An address may have a prefix (ip.dst/24, of both versions ip.dst/24/64), a \
            time or a duration a step (frame.time/1m, hs.rtt.total/10ms), a number too (tcp.dstport/100).
            """,
        examples: [
            .init("synscope group capture.pcap", "by server"),
            .init("synscope group capture.pcap --by ip.src/24 --top 10", "ten networks of clients"),
            .init("synscope group *.pcapng --by frame.time/1m --sort key", "minute by minute"),
            .init("synscope group capture.pcap --by ip.dst -T csv > servers.csv", "a table for other programs"),
        ],
        writesText: true,
        exitStatus: [.fine, .wrongUsage, .unreadable],
        seeAlso: ["pcap-filter(7)"])

    static let configuration = CommandConfiguration(
        commandName: "group",
        abstract: "Which servers fail, since when, why: attempts by server, client, network, minute, or any field.",
        discussion: helpText.discussion)

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, csv, jsonl }

    @OptionGroup(title: "Input") var input: InputOptions
    @OptionGroup var selection: SelectionOptions
    @OptionGroup(title: "Text") var text: StyleOptions
    @OptionGroup(title: "Text") var times: ZoneOptions
    @OptionGroup(title: "Groups") var groups: GroupOptions

    @Flag(name: .shortAndLong, help: "With Wireshark's display filter for each group.")
    var verbose = false

    @Option(name: [.customShort("T"), .customLong("format")], help: "Output: text, csv or jsonl.")
    var format = Format.text

    func validate() throws { try input.requireFile() }

    func run() throws {
        let style = text.style(in: times.zone)
        var taker = GroupTaker(table: try groups.table(), selection: try selection.predicate())
        var analysis = try Analysis(input)
        let (_, _) = analysis.run(&taker)
        var output = StandardOutput(isLineBuffered: false)
        let report = GroupReport(
            taker.table, order: groups.sort, top: groups.top, showsFilters: verbose)
        switch format {
        case .text: report.text(style, to: &output.buffer)
        case .csv: report.csv(to: &output.buffer)
        case .jsonl: report.jsonLines(to: &output.buffer)
        }
        if format == .text, taker.unknown > 0 {
            output.buffer.line(
                "-Y: of \(HandshakeReport.Format.count(taker.unknown, "attempt")) it cannot be told; they are in no group"
            )
        }
        try output.flush()
        try analysis.reportFailures()
    }
}

/// Columns of groups, and which groups are shown.
struct GroupOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Up to \(GroupKey.maximumColumns) fields, with steps where they have some (default: \(GroupOptions.usual), the server).",
            valueName: "field[/step],..."),
        completion: .custom { _, _, typed in ExpressionCompletion.continuations(ofGrouping: typed) })
    var by: String?
    private static let usual = "ip.dst,tcp.dstport"

    @Option(
        help: "Largest first by failed, share, attempts, retransmitted, rtt or last; by first, or by key, the smallest."
    )
    var sort = GroupTable.Order.failed

    @Option(
        parsing: .unconditional, help: ArgumentHelp("So many groups at most.", valueName: "count"),
        transform: Expected.number(1...Int.max))
    var top: Int?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "Groups that are kept in memory (default: \(GroupTable.usualMaximum)); of more, those with the fewest failures are let go, and counted.",
            valueName: "count"),
        transform: Expected.number(2...10_000_000))
    var maxGroups = GroupTable.usualMaximum

    func table() throws(CommandFailure) -> GroupTable {
        do throws(ExpressionError) {
            return GroupTable(try Grouping(by ?? GroupOptions.usual), maximum: maxGroups)
        } catch {
            throw CommandFailure(status: .wrongUsage, message: "--by:\(error)")
        }
    }
}

extension GroupTable.Order: ExpressibleByArgument {}

/// Counts attempts by group.
struct GroupTaker: AttemptTaker {
    var table: GroupTable
    let selection: Predicate?
    /// Attempts of which `-Y` cannot be told.
    private(set) var unknown = 0

    init(table: GroupTable, selection: Predicate?) {
        self.table = table
        self.selection = selection
    }

    mutating func take(_ record: AttemptRecord) {
        switch selection?(record) ?? .yes {
        case .yes: table.add(record)
        case .unknown: unknown += 1
        case .no: break
        }
    }

    mutating func take(_ plain: PlainAttempt, record: () -> AttemptRecord) {
        if selection == nil { table.add(plain, record: record) } else { take(record()) }
    }
}
