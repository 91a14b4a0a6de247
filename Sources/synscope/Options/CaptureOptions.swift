import ArgumentParser
import Glibc
import HandshakeRecord
import HandshakeReport
import PacketCapture
import PacketWire

/// How interfaces are captured on: shared by the commands that do.
struct CaptureOptions: ParsableArguments {
    @Option(
        name: .customShort("i"),
        help: ArgumentHelp("An interface; may be repeated. any stands for all.", valueName: "interface"),
        completion: .custom { _, _, typed in Completions.interfaces(typed) })
    var interfaces: [String] = []

    @Flag(
        name: .long,
        help:
            "The kernel passes just what handshakes need (SYN, FIN, RST, empty segments, ICMP errors; see docs/live.md)."
    )
    var handshakesOnly = false

    @Option(
        name: .customShort("s"), parsing: .unconditional,
        help: ArgumentHelp(
            "Octets of a frame to capture (default: \(LiveOptions.handshakeSnaplen)).", valueName: "snaplen"),
        transform: Expected.number(LiveOptions.snaplens))
    var snaplen = LiveOptions.handshakeSnaplen

    @Option(
        name: .customShort("B"), parsing: .unconditional,
        help: ArgumentHelp("The kernel's buffer in KiB (default: \(32 << 10)).", valueName: "size"),
        transform: Expected.number(64...2 << 20))
    var bufferSize = 32 << 10

    @Flag(name: .customShort("p"), help: "Do not put the interface into promiscuous mode.")
    var notPromiscuous = false

    @Flag(help: "Take each frame when it comes instead of in blocks: up to 100 ms sooner, at a higher cost.")
    var immediate = false

    @Option(
        name: .customShort("Z"),
        help: ArgumentHelp(
            """
            The user to become when started as root; root stays root (default: \(Confinement.defaultUser)). It makes the \
            files that are written, those of check only where it is named.
            """,
            valueName: "user"),
        completion: .custom { _, _, typed in Completions.users(typed) })
    var user: String?

    func validate() throws {
        if Set(interfaces).count < interfaces.count { throw ValidationError("An interface is named twice.") }
    }

    func liveOptions(filter: String?, waits: Bool) -> LiveOptions {
        var options = LiveOptions()
        options.snaplen = snaplen
        options.bufferSize = bufferSize << 10
        options.isPromiscuous = !notPromiscuous
        options.isImmediate = immediate
        options.filter = filter
        options.isHandshakesOnly = handshakesOnly
        options.waits = waits
        return options
    }

    func open(_ options: LiveOptions) throws(CommandFailure) -> LiveCapture {
        do throws(CaptureError) {
            return try LiveCapture(interfaces: interfaces, options)
        } catch {
            switch error.kind {
            case .filter: throw CommandFailure(status: .wrongUsage, message: error.description)
            case .notPermitted:
                let program = CaptureOptions.programPath() ?? "synscope"
                throw CommandFailure(
                    status: .notPermitted,
                    message: "\(error). Run it as root, or give it the right: sudo setcap cap_net_raw+ep \(program)")
            default: throw CommandFailure(status: .notPermitted, message: error.description)
            }
        }
    }

    private static func programPath() -> String? {
        var path = [CChar](repeating: 0, count: 4096)
        let count = unsafe readlink("/proc/self/exe", &path, path.count)
        guard count > 0 else { return nil }
        return String(decoding: path[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func describe(_ capture: LiveCapture, _ options: LiveOptions, started: Int64) -> CaptureDescription {
        CaptureDescription(
            files: capture.interfaces.map {
                .init(
                    name: $0.name, format: "live", linkType: $0.linkType.name, snaplen: $0.snaplen,
                    timeResolution: $0.timeResolution)
            }, filter: options.filter, started: started)
    }

    static func announce(_ capture: LiveCapture, _ options: LiveOptions) {
        for interface in capture.interfaces {
            let filter = options.filter.map { ", filter \($0)" } ?? ""
            StandardError.write(
                "listening on \(interface.name), link type \(interface.linkType.name), snaplen \(interface.snaplen)\(filter)"
                    + (options.isHandshakesOnly ? ", handshakes only" : ""))
        }
        for name in capture.missing {
            StandardError.write("\(name): there is no such interface, or it is down; waiting for it")
        }
    }

    /// Seconds, or a number with `s`, `m` or `h`, in nanoseconds.
    static func nanoseconds(_ text: String) throws -> Int64 {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600]
        let unit = text.last.flatMap { units[$0] }
        guard let number = Int64(unit == nil ? text[...] : text.dropLast()), (1...10_000_000).contains(number) else {
            throw ValidationError("a time is a number of seconds, or a number with s, m or h")
        }
        return number * (unit ?? 1) * 1_000_000_000
    }
}
