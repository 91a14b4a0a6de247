import ArgumentParser
import CLinux
import Glibc
import HandshakeAnalysis
import HandshakeExpectation
import HandshakeReport
import PacketCapture
import PacketWire

/// Which frames are read: shared by the commands that read captures.
struct InputOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "Capture files (pcap, pcapng), - for standard input; then a filter of pcap-filter(7).",
            valueName: "file ... [filter]"),
        completion: .file())
    var arguments: [String] = []

    @Option(
        name: .customShort("r"), help: ArgumentHelp("A capture file; may be repeated.", valueName: "file"),
        completion: .file())
    var files: [String] = []

    @Option(name: [.customShort("f"), .long], help: "A filter of pcap-filter(7).")
    var filter: String?

    @Option(
        name: .customShort("c"), parsing: .unconditional,
        help: ArgumentHelp("Stop after so many frames.", valueName: "count"), transform: Expected.number(1...UInt64.max)
    )
    var count: UInt64?

    @Option(
        name: [.customShort("j", allowingJoined: true), .long], parsing: .unconditional,
        help: ArgumentHelp(
            "How many threads follow attempts in files; the output is the same (default: the cores; at most \(HandshakeTracker.maximumWorkers)).",
            valueName: "count"),
        transform: Expected.number(1...Int.max))
    var jobs: Int?

    @Flag(name: .customShort("n"), help: "Accepted for habit: names are never resolved.")
    var numeric = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The link type of all frames, by name or number (synscope formats), where the files say a wrong one.",
            valueName: "link type"),
        completion: .list(LinkType.catalogue.filter(\.type.isDecoded).map(\.name)),
        transform: Expected.value("a name or number of synscope formats, as EN10MB or 113", DecodedLinkType.init))
    var linkType: DecodedLinkType?

    @OptionGroup var tracking: TrackingOptions

    /// For commands that read nothing else.
    func requireFile() throws {
        if arguments.isEmpty, files.isEmpty {
            throw ValidationError("Name a capture file, or - for standard input.")
        }
    }

    /// Files come first; the first word that is no file begins the filter.
    /// - Parameter follows: the one file may be there only later.
    func resolve(follows: Bool = false) throws(CommandFailure) -> (paths: [String], filter: String?) {
        var paths = files
        var words = arguments[...]
        if follows, paths.isEmpty, let word = words.popFirst() { paths = [word] }
        while let word = words.first, word == "-" || exists(word) {
            paths.append(word)
            words = words.dropFirst()
        }
        if let missing = words.first, words.dropFirst().contains(where: exists) {
            throw CommandFailure(
                status: .wrongUsage,
                message: "'\(missing)' is no file, and after it comes one: files come first, then the filter (or -f)")
        }
        guard !paths.isEmpty else { throw InputOptions.missing(words.first ?? "") }
        if follows, paths.count > 1 || paths == ["-"] {
            throw CommandFailure(status: .wrongUsage, message: "--follow takes one file")
        }
        if paths.count(where: { $0 == "-" }) > 1 {
            throw CommandFailure(status: .wrongUsage, message: "standard input (-) can be read once only")
        }
        if words.isEmpty { return (paths, filter) }
        let trailing = words.joined(separator: " ")
        if filter != nil {
            throw CommandFailure(
                status: .wrongUsage,
                message: "'\(trailing)' is neither a file nor, beside -f, a filter: there is no such file")
        }
        return (paths, trailing)
    }

    private static func missing(_ name: String) -> CommandFailure {
        let message =
            if name.isEmpty {
                "an empty file name was given"
            } else {
                "\(name): no such file"
            }
        return CommandFailure(status: .unreadable, message: message)
    }

    private func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    /// - Parameter follows: whether the one file is followed while it grows.
    func open(follows: Bool = false, writing folder: String? = nil) throws(CommandFailure) -> CaptureReader {
        let (paths, filter) = try resolve(follows: follows)
        // Files whose times overlap are open at once.
        if paths.count > 100 { clinux_raise_descriptors() }
        // Names in it are looked up while that can be done.
        let prepared = filter.map { PacketFilter($0) }
        Confinement.confineReading(paths, follows: follows, writing: folder)
        do throws(CaptureError) {
            var options = CaptureReader.Options(
                filter: filter, limit: count, verifiesChecksums: tracking.verifiesChecksums)
            options.linkType = linkType?.linkType
            options.tunnelRules = tracking.tunnelRules
            options.follows = follows
            options.isInterrupted = { clinux_interrupted() != 0 }
            return try CaptureReader(paths: paths, options, filter: prepared)
        } catch {
            var message = error.description
            if error.kind == .filter, self.filter == nil, let word = filter?.split(separator: " ").first {
                message += ". If '\(word)' was meant as a file: there is no such file"
            }
            throw CommandFailure(status: error.kind == .filter ? .wrongUsage : .unreadable, message: message)
        }
    }
}

/// A link type that is decoded, by libpcap's name of it in either case or by its number.
struct DecodedLinkType {
    var linkType: LinkType

    init?(_ argument: String) {
        // RAW has three numbers: the one that tcpdump.org lists is meant.
        let name = argument.uppercased()
        let named =
            name == LinkType.raw.name ? LinkType.raw : LinkType.catalogue.first { $0.name == name }.map(\.type)
        guard let linkType = named ?? UInt16(argument).map(LinkType.init(rawValue:)), linkType.isDecoded else {
            return nil
        }
        self.linkType = linkType
    }
}
