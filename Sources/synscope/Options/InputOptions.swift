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
            valueName: "file ... [filter]"))
    var arguments: [String] = []

    @Option(name: .customShort("r"), help: ArgumentHelp("A capture file; may be repeated.", valueName: "file"))
    var files: [String] = []

    @Option(name: [.customShort("f"), .long], help: "A filter of pcap-filter(7).")
    var filter: String?

    @Option(name: .customShort("c"), help: ArgumentHelp("Stop after so many frames.", valueName: "count"))
    var count: UInt64?

    @Option(
        name: [.customShort("j", allowingJoined: true), .long],
        help: ArgumentHelp(
            "How many threads follow attempts in files; the output is the same (default: the cores; at most \(HandshakeTracker.mostWorkers)).",
            valueName: "count"))
    var jobs: Int?

    @Flag(name: .customShort("n"), help: "Accepted for habit: names are never resolved.")
    var numeric = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The link type of all frames, by name or number (synscope formats), where the files say a wrong one.",
            valueName: "link type"))
    var linkType: DecodedLinkType?

    @OptionGroup var tracking: TrackingOptions

    func validate() throws {
        if let jobs, jobs < 1 { throw ValidationError("-j takes a number from 1 on") }
    }

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
            } else if name.unicodeScalars.contains("\u{fffd}") {
                "\(name): the name is not UTF-8 and cannot be opened by it; use: synscope - < FILE"
            } else {
                "\(name): no such file"
            }
        return CommandFailure(status: .unreadable, message: message)
    }

    private func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    /// - Parameter follows: whether the one file is followed while it grows.
    func open(follows: Bool = false) throws(CommandFailure) -> CaptureReader {
        let (paths, filter) = try resolve(follows: follows)
        // Files whose times overlap are open at once.
        if paths.count > 100 { clinux_raise_descriptors() }
        // Names in it are looked up while that can be done.
        let prepared = filter.map { PacketFilter($0) }
        confine(paths, follows: follows)
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

    /// Gives up all that reading these files does not need, before the first octet of them is looked at. Not where
    /// SYNSCOPE_UNCONFINED is set: valgrind makes code in the process that it looks at.
    private func confine(_ paths: [String], follows: Bool) {
        if Terminal.environment("SYNSCOPE_UNCONFINED") != nil { return }
        let confinement = Confinement.reading(paths, follows: follows)
        do throws(CommandFailure) {
            try confinement.reduceRights()
            try confinement.enter()
        } catch {
            // A system that cannot do it can still read files.
            StandardError.write("\(error.message ?? ""): it reads on with more rights than it needs")
        }
    }
}

/// A link type that is decoded, by libpcap's name of it in either case or by its number.
struct DecodedLinkType: ExpressibleByArgument {
    var linkType: LinkType

    init?(argument: String) {
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

/// How attempts are followed: shared by the commands that follow them.
struct TrackingOptions: ParsableArguments {
    @Option(help: "verify: segments with a bad checksum are kept out of the state; ignore: they are not looked at.")
    var checksums = ChecksumPolicy.verify

    @Option(
        name: .long,
        help:
            "The most attempts and connections to remember at a time; the oldest are then let go, and counted (default: \(HandshakeTracker.Configuration().maximumAttempts); live \(Watch.usualAttempts))."
    )
    var maxAttempts: Int?

    @Option(
        name: .long,
        help:
            "The most memory that what is remembered of them may take, as 64M or 2G; the oldest are then let go, and counted. The program itself takes about 30M more."
    )
    var maxMemory: MemorySize?

    /// Octets, as text with K, M or G for powers of 1024.
    struct MemorySize: ExpressibleByArgument {
        var octets: Int

        init?(argument: String) {
            let units: [Character: Int] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30]
            let unit = argument.last.flatMap { units[Character($0.uppercased())] }
            guard let number = Int(unit == nil ? argument[...] : argument.dropLast()), number > 0 else { return nil }
            let (octets, isTooLarge) = number.multipliedReportingOverflow(by: unit ?? 1)
            if isTooLarge { return nil }
            self.octets = octets
        }
    }

    enum ChecksumPolicy: String, ExpressibleByArgument, CaseIterable { case verify, ignore }

    @Option(
        name: .long,
        help: ArgumentHelp(
            """
            UDP ports that carry a tunnel, as vxlan=8473,geneve=6082; may be repeated. Tunnels: \
            \(TunnelRules.tunnels.map(\.name).joined(separator: ", ")).
            """,
            valueName: "tunnel=port,..."))
    var decodeAs: [PortList] = []

    /// Tunnels with their UDP ports, as `vxlan=8473,geneve=6082`.
    struct PortList: ExpressibleByArgument {
        var ports: [(tunnel: Tunnel, port: UInt16)] = []

        init?(argument: String) {
            for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
                let words = part.split(separator: "=", omittingEmptySubsequences: false)
                guard words.count == 2, let port = UInt16(words[1]), port > 0,
                    let tunnel = TunnelRules.tunnels.first(where: { $0.name == words[0].lowercased() })
                else { return nil }
                ports.append((tunnel, port))
            }
        }
    }

    @Option(
        name: .customLong("tunnel"),
        help: ArgumentHelp(
            """
            The tunnel, or mirror session, between two addresses is yours: what comes in it is believed, also where one \
            end only is heard. May be repeated.
            """,
            valueName: "A-B"))
    var declaredTunnels: [TunnelEnds] = []

    @Option(
        name: .customLong("tunnels"),
        help: ArgumentHelp(
            """
            Look into these tunnels through IP networks and no others: \
            \(Tunnel.crossingNetworks.map(\.name).joined(separator: ", ")).
            """,
            valueName: "tunnel,..."))
    var tunnels: TunnelList?

    @Flag(name: .customLong("no-tunnels"), help: "Look into no tunnels through IP networks.")
    var looksIntoNoTunnels = false

    /// The two outer addresses of a tunnel, as `192.0.2.1-192.0.2.2`.
    struct TunnelEnds: ExpressibleByArgument {
        var ends: (IPAddress, IPAddress)

        init?(argument: String) {
            let words = argument.split(separator: "-", omittingEmptySubsequences: false)
            guard words.count == 2, let a = IPAddress(String(words[0])), let b = IPAddress(String(words[1])),
                a.version == b.version
            else { return nil }
            ends = (a, b)
        }
    }

    /// Names of tunnels through IP networks.
    struct TunnelList: ExpressibleByArgument {
        var tunnels: [Tunnel] = []

        init?(argument: String) {
            for word in argument.split(separator: ",", omittingEmptySubsequences: false) {
                guard let tunnel = Tunnel.crossingNetworks.first(where: { $0.name == word.lowercased() }) else {
                    return nil
                }
                tunnels.append(tunnel)
            }
        }
    }

    func validate() throws {
        if looksIntoNoTunnels, tunnels != nil {
            throw ValidationError("--no-tunnels and --tunnels exclude each other")
        }
        let named = decodeAs.flatMap(\.ports).map(\.port)
        if named.count > TunnelRules.maximumCount {
            throw ValidationError("--decode-as takes at most \(TunnelRules.maximumCount) ports")
        }
        if Set(named).count < named.count { throw ValidationError("--decode-as names a port twice") }
        let most = HandshakeTracker.Configuration.mostAttempts
        if let maxAttempts, !(16...most).contains(maxAttempts) {
            throw ValidationError("--max-attempts takes a number from 16 to \(most)")
        }
        if let maxMemory, maxMemory.octets < HandshakeTracker.Configuration.leastMemory {
            throw ValidationError("--max-memory takes 1M or more")
        }
    }

    private static let mostForMemory = HandshakeTracker.Configuration.mostAttempts

    var verifiesChecksums: Bool { checksums == .verify }

    var tunnelRules: TunnelRules {
        var rules = decodeAs.flatMap(\.ports).reduce(into: TunnelRules()) { _ = $0.add($1.tunnel, port: $1.port) }
        if looksIntoNoTunnels { rules.lookedInto = [] }
        if let tunnels { rules.lookedInto = Tunnels(tunnels.tunnels) }
        return rules
    }

    /// - Parameter usual: the most attempts where none are asked for.
    func configuration(usual: Int = HandshakeTracker.Configuration().maximumAttempts) -> HandshakeTracker.Configuration
    {
        var configuration = HandshakeTracker.Configuration()
        // Where memory is the limit, the number is not.
        configuration.maximumAttempts = maxAttempts ?? (maxMemory == nil ? usual : Self.mostForMemory)
        configuration.maximumMemory = maxMemory?.octets ?? .max
        configuration.excludesBadChecksums = verifiesChecksums
        configuration.declaredTunnels = declaredTunnels.map(\.ends)
        return configuration
    }
}

/// Which attempts are shown, or judged.
struct SelectionOptions: ParsableArguments {
    @Option(
        name: .customShort("Y"),
        help: ArgumentHelp(
            "Only attempts of which this holds, as: hs.outcome != established and tcp.dstport == 443 (synscope fields; docs/expressions.md). Of several all must hold.",
            valueName: "expression"))
    var expressions: [String] = []

    func predicate() throws(CommandFailure) -> Predicate? {
        var predicates: [Predicate] = []
        for expression in expressions {
            do throws(ExpressionError) { predicates.append(try Predicate(expression)) } catch {
                throw CommandFailure(status: .wrongUsage, message: "-Y:\(error)")
            }
        }
        return Predicate.all(predicates)
    }
}

enum OutputFormat: String, ExpressibleByArgument, CaseIterable { case text, json, jsonl, csv }

/// How text looks.
struct StyleOptions: ParsableArguments {
    @Option(help: "Colours: auto (on a terminal, unless NO_COLOR is set), always or never.")
    var color = ColorChoice.auto

    @Flag(help: "Draw with ASCII characters, also where the locale has more.")
    var ascii = false

    @Option(help: "Columns, from 60; by default the terminal's.")
    var width: Int?

    enum ColorChoice: String, ExpressibleByArgument, CaseIterable { case auto, always, never }

    func validate() throws {
        if let width, !StyleOptions.widths.contains(width) {
            throw ValidationError(
                "--width takes a number from \(StyleOptions.widths.lowerBound) to \(StyleOptions.widths.upperBound)")
        }
    }

    static let widths = Ladder.narrowest...1000

    var style: TextStyle {
        let automatic =
            Terminal.isTerminal(STDOUT_FILENO) && (Terminal.environment("NO_COLOR") ?? "").isEmpty
            && Terminal.environment("TERM") != "dumb"
        return TextStyle(
            usesColor: color == .always || color == .auto && automatic, usesUnicode: !ascii && Terminal.usesUnicode,
            width: min(max(width ?? Terminal.width, StyleOptions.widths.lowerBound), StyleOptions.widths.upperBound))
    }
}
