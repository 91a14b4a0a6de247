import ArgumentParser
import CLinux
import Glibc
import HandshakeAnalysis
import HandshakeExpectation
import HandshakeReport
import PacketCapture
import PacketWire

/// How attempts are followed: shared by the commands that follow them.
struct TrackingOptions: ParsableArguments {
    @Option(help: "verify: segments with a bad checksum are kept out of the state; ignore: they are not looked at.")
    var checksums = ChecksumPolicy.verify

    @Option(
        name: .long, parsing: .unconditional,
        help:
            "The most attempts and connections to remember at a time; the oldest are then let go, and counted (default: \(HandshakeTracker.Configuration().maximumAttempts); live \(Watch.usualAttempts)).",
        transform: Expected.number(HandshakeTracker.Configuration.allowedAttempts))
    var maxAttempts: Int?

    @Option(
        name: .long,
        help:
            "The most memory that what is remembered of them may take, as 64M or 2G; the oldest are then let go, and counted. The program itself takes about 30M more.",
        transform: Expected.value("octets from 1M on, with K, M or G: 64M, 2G", MemorySize.init))
    var maxMemory: MemorySize?

    /// Octets, as text with K, M or G for powers of 1024.
    struct MemorySize {
        var octets: Int

        init?(_ argument: String) {
            let units: [Character: Int] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30]
            let unit = argument.last.flatMap { units[Character($0.uppercased())] }
            guard let number = Int(unit == nil ? argument[...] : argument.dropLast()), number > 0 else { return nil }
            let (octets, isTooLarge) = number.multipliedReportingOverflow(by: unit ?? 1)
            if isTooLarge || octets < HandshakeTracker.Configuration.leastMemory { return nil }
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
            valueName: "tunnel=port,..."),
        completion: .list(TunnelRules.tunnels.map { $0.name + "=" }),
        transform: Expected.value("tunnels of this list with their UDP ports: vxlan=8473,geneve=6082", PortList.init))
    var decodeAs: [PortList] = []

    /// Tunnels with their UDP ports, as `vxlan=8473,geneve=6082`.
    struct PortList {
        var ports: [(tunnel: Tunnel, port: UInt16)] = []

        init?(_ argument: String) {
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
            valueName: "A-B"),
        transform: Expected.value("two addresses of one version of IP: 192.0.2.1-192.0.2.2", TunnelEnds.init))
    var declaredTunnels: [TunnelEnds] = []

    @Option(
        name: .customLong("tunnels"),
        help: ArgumentHelp(
            """
            Look into these tunnels through IP networks and no others: \
            \(Tunnel.crossingNetworks.map(\.name).joined(separator: ", ")).
            """,
            valueName: "tunnel,..."),
        completion: .custom { _, _, typed in Completions.list(Tunnel.crossingNetworks.map(\.name), typed) },
        transform: Expected.value("names of this list, with commas between them: gre,vxlan", TunnelList.init))
    var tunnels: TunnelList?

    @Flag(name: .customLong("no-tunnels"), help: "Look into no tunnels through IP networks.")
    var looksIntoNoTunnels = false

    /// The two outer addresses of a tunnel, as `192.0.2.1-192.0.2.2`.
    struct TunnelEnds {
        var ends: (IPAddress, IPAddress)

        init?(_ argument: String) {
            let words = argument.split(separator: "-", omittingEmptySubsequences: false)
            guard words.count == 2, let a = IPAddress(String(words[0])), let b = IPAddress(String(words[1])),
                a.version == b.version
            else { return nil }
            ends = (a, b)
        }
    }

    /// Names of tunnels through IP networks.
    struct TunnelList {
        var tunnels: [Tunnel] = []

        init?(_ argument: String) {
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
    }

    private static let maximumForMemory = HandshakeTracker.Configuration.allowedAttempts.upperBound

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
        configuration.maximumAttempts = maxAttempts ?? (maxMemory == nil ? usual : Self.maximumForMemory)
        configuration.maximumMemory = maxMemory?.octets ?? .max
        configuration.excludesBadChecksums = verifiesChecksums
        configuration.declaredTunnels = declaredTunnels.map(\.ends)
        return configuration
    }
}
