import Fixtures
@testable import HandshakeMonitor
import HandshakeAnalysis
import HandshakeReport
import PacketWire
import Testing

/// Records of so many attempts, each client port once.
private func records(_ count: Int, flags: String = "R.") -> [AttemptRecord] {
    (0..<count).flatMap { number in
        var c = Conversation(from: "192.0.2.1", UInt16(1024 + number % 60000))
        c.client("S", at: Double(number))
        c.server(flags, at: Double(number) + 0.5)
        if flags == "S." { c.client(".", at: Double(number) + 1) }
        return c.attempts()
    }
}

private func monitor() -> Monitor {
    Monitor(CaptureDescription(files: [], filter: nil, started: nil), started: 1_000_000_000)
}

@Suite("What a live run knows at a moment")
struct MonitorTests {
    static let second: Int64 = 1_000_000_000

    private func record(at second: Int64) -> AttemptRecord {
        var record = records(1)[0]
        record.firstTime = second * Self.second
        return record
    }

    @Test("An attempt counts in the second of its first segment; seconds have no hole, and ten minutes are kept")
    func seconds() {
        let monitor = monitor()
        monitor.take([record(at: 100)], .init(), now: 100 * Self.second)
        // One is decided two seconds after it began.
        monitor.take([record(at: 102), record(at: 100)], .init(), now: 102 * Self.second)
        monitor.take([record(at: 1)], .init(), now: 104 * Self.second)
        let seconds = monitor.snapshot().seconds
        #expect(seconds.map(\.time) == [100, 101, 102, 103])
        #expect(seconds.map(\.attempts) == [2, 0, 1, 0])
        #expect(seconds.map(\.failures) == [2, 0, 1, 0])
        monitor.take([], .init(), now: 5000 * Self.second)
        #expect(monitor.snapshot().seconds.count == Monitor.historyLength)
    }

    @Test("A clock that steps back, or years ahead, makes no second twice and costs no memory")
    func clockSteps() {
        let monitor = monitor()
        for now: Int64 in [100, 101, 50, 102, 4_000_000_000, 4_000_000_001] {
            monitor.take([], .init(), now: now * Self.second)
        }
        let seconds = monitor.snapshot().seconds
        #expect(seconds.count <= Monitor.historyLength)
        #expect(zip(seconds, seconds.dropFirst()).allSatisfy { $0.time < $1.time })
    }

    @Test("The round trips of a second have their median and 99th percentile")
    func roundTrips() {
        let monitor = monitor()
        monitor.take(records(3, flags: "S."), .init(), now: Self.second)
        monitor.take([], .init(), now: 2 * Self.second)
        #expect(monitor.snapshot().seconds.first?.median == 1_000_000)
        #expect(monitor.snapshot().seconds.first?.p99 == 1_000_000)
    }

    @Test("Failures are kept apart, newest first, and an attempt is found by its id while it is kept")
    func failures() {
        let monitor = monitor()
        let failed = records(2)
        monitor.take(failed + records(3, flags: "S."), .init(), now: Self.second)
        #expect(monitor.snapshot().failures.map(\.client) == failed.reversed().map(\.client))
        #expect(monitor.recent.count == 5)
        #expect(monitor.attempt(1) != nil)
        #expect(monitor.attempt(99) == nil)
    }

    @Test("A flood of clients keeps those with most failures, and bounded memory")
    func bounded() {
        var parties = Parties<IPAddress>()
        let refused = records(1)[0]
        for _ in 0..<3 { parties.count(IPAddress(v4: 7), refused) }
        for address in 1000..<20_000 { parties.count(IPAddress(v4: UInt32(address)), refused) }
        let worst = parties.worst(5_000) { $0.description }
        #expect(worst.first?.name == "0.0.0.7")
        #expect(worst.first?.failures == 3)
        #expect(worst.count <= 4096)
    }

    @Test("A listener that takes nothing has a bounded number waiting, and the rest counted")
    func listener() {
        let monitor = monitor()
        let listener = monitor.listen()
        monitor.take(
            [AttemptRecord](repeating: records(1)[0], count: Listener.maximumWaiting + 10), .init(), now: Self.second)
        let (waiting, missed) = listener.take()
        #expect(waiting.count == Listener.maximumWaiting)
        #expect(missed == 10)
        listener.end()
        monitor.take(records(1), .init(), now: Self.second)
        monitor.take(records(1), .init(), now: Self.second)
        #expect(listener.take().records.count <= 1)
    }

    @Test("A ring keeps the last, newest first")
    func ring() {
        var ring = RecentBuffer<Int>(capacity: 3)
        for value in 1...5 { ring.add(value) }
        #expect(ring.newestFirst == [5, 4, 3])
    }
}

@Suite("Metrics")
struct MetricsTests {
    private func text(_ records: [AttemptRecord]) -> [String] {
        let monitor = monitor()
        monitor.take(records, .init(), now: 1_000_000_000)
        var out = OutputBuffer()
        Metrics.text(monitor.snapshot(), release: "1.2.3", to: &out)
        return String(decoding: out.bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test("The histogram is cumulative, in seconds, and ends with all")
    func histogram() {
        let lines = text(records(3, flags: "S."))
        #expect(lines.contains("synscope_handshake_rtt_seconds_bucket{le=\"0.0005\"} 0"))
        #expect(lines.contains("synscope_handshake_rtt_seconds_bucket{le=\"0.001\"} 3"))
        #expect(lines.contains("synscope_handshake_rtt_seconds_bucket{le=\"+Inf\"} 3"))
        #expect(lines.contains("synscope_handshake_rtt_seconds_count 3"))
        #expect(lines.contains("synscope_handshake_rtt_seconds_sum 0.003"))
    }

    @Test("No label holds an address")
    func labels() {
        #expect(!text(records(5)).contains { $0.contains("192.0.2") || $0.contains("198.51") })
    }

    @Test("Each family has one HELP and one TYPE line, before its samples")
    func families() {
        var seen: Set<String> = []
        var current = ""
        for line in text(records(2)) {
            if line.hasPrefix("# HELP ") {
                current = String(line.split(separator: " ")[2])
                #expect(seen.insert(current).inserted)
            } else if !line.hasPrefix("#") {
                #expect(line.hasPrefix(current))
            }
        }
    }
}

@Suite("The screen")
struct ScreenViewTests {
    private let style = TextStyle(usesColor: false, usesUnicode: true, width: 100)

    private func view(_ records: [AttemptRecord]) -> (ScreenView, Monitor) {
        let monitor = monitor()
        monitor.take(records, .init(), now: 1_000_000_000)
        var view = ScreenView(style: style, capture: monitor.capture)
        view.take(monitor.snapshot())
        return (view, monitor)
    }

    private func press(_ view: inout ScreenView, _ text: String) {
        for character in text { _ = view.press(.character(character)) }
    }

    @Test("Times are in the zone that was asked for, which is named")
    func zone() {
        let monitor = monitor()
        monitor.take(records(3), .init(), now: 1_000_000_000)
        func screen(_ zone: Zone) -> String {
            var view = ScreenView(
                style: TextStyle(usesColor: false, usesUnicode: true, width: 100, zone: zone), capture: monitor.capture)
            view.take(monitor.snapshot())
            return view.lines(columns: 100, rows: 40).joined(separator: "\n")
        }
        let time = monitor.snapshot().failures.first.map { Format.clock($0.firstTime).prefix(8) }
        #expect(screen(.utc).contains(time ?? "none"))
        let moved = screen(Zone(name: "+02:00") { _ in 7200 })
        #expect(moved.contains("last failures, times in +02:00") && !moved.contains(time ?? "none"))
    }

    @Test("It fits any terminal", arguments: [(20, 4), (80, 24), (200, 60), (33, 7)])
    func fits(columns: Int, rows: Int) {
        let (view, _) = view(records(30))
        let lines = view.lines(columns: columns, rows: rows)
        #expect(lines.count <= rows)
        #expect(lines.allSatisfy { $0.count <= columns })
    }

    @Test("Names and comments reach the terminal without what it would obey, and Greek as it is")
    func hostileNames() {
        var standing = LiveStanding()
        standing.waitingFor = ["eth0\u{1b}[2J\n\u{202e}::x\u{9b}", "χειραψία 🤝"]
        var all = records(1)
        all[0].segments[0].comment = "\u{1b}]0;x\u{7}"
        let monitor = monitor()
        monitor.take(all, standing, now: 1_000_000_000)
        var view = ScreenView(style: style, capture: monitor.capture)
        view.take(monitor.snapshot())
        var lines = view.lines(columns: 120, rows: 40)
        #expect(lines.contains("waiting for eth0?[2J ?::x?") && lines.contains("waiting for χειραψία 🤝"))
        _ = view.press(.down)
        _ = view.press(.enter)
        lines += view.lines(columns: 120, rows: 40)
        #expect(lines.contains { $0.contains("# ?]0;x?") })
        #expect(
            lines.allSatisfy { $0.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) } })
    }

    @Test("A filter leaves the failures that contain it")
    func filter() {
        var (view, _) = view(records(3))
        press(&view, "/:1025")
        #expect(view.press(.enter) == .none)
        let shown = view.lines(columns: 120, rows: 40).joined(separator: "\n")
        #expect(shown.contains(":1025") && !shown.contains(":1026"))
        _ = view.press(.escape)
        #expect(view.lines(columns: 120, rows: 40).joined(separator: "\n").contains(":1026"))
    }

    @Test("Enter opens the ladder of the chosen failure, which stays chosen while others come")
    func ladder() throws {
        let all = records(3)
        var (view, monitor) = view(Array(all.prefix(1)))
        _ = view.press(.down)
        monitor.take(Array(all.suffix(2)), .init(), now: 2_000_000_000)
        view.take(monitor.snapshot())
        #expect(view.lines(columns: 120, rows: 40).contains { $0.hasPrefix("> ") && $0.contains(":1024") })
        _ = view.press(.enter)
        #expect(view.lines(columns: 120, rows: 40).contains { $0.contains("RST") })
        _ = view.press(.character("x"))
        #expect(view.lines(columns: 120, rows: 40).contains { $0.hasPrefix("worst servers") })
    }

    @Test("The list says how many failures are newer than the chosen one; escape goes back to the newest")
    func newer() {
        var all = records(3)
        for place in all.indices { all[place].id = UInt64(place + 1) }
        var (view, monitor) = view(Array(all.prefix(1)))
        _ = view.press(.down)
        monitor.take(Array(all.suffix(2)), .init(), now: 2_000_000_000)
        view.take(monitor.snapshot())
        func text() -> String { view.lines(columns: 120, rows: 40).joined(separator: "\n") }
        #expect(text().contains("2 newer: escape goes to the newest") && text().contains("> "))
        _ = view.press(.escape)
        #expect(!text().contains("newer") && !text().contains("> "))
    }

    @Test("It says the interface, the filter and the time")
    func source() {
        let capture = CaptureDescription(
            files: [.init(name: "eth7", format: "live", linkType: "en10mb", snaplen: 256, timeResolution: 1)],
            filter: "tcp port 443", started: 0)
        let monitor = Monitor(capture, started: 0)
        monitor.take([], .init(), now: 5_000_000_000)
        var view = ScreenView(style: style, capture: capture)
        view.take(monitor.snapshot())
        let line = "on        1970-01-01 00:00:05 UTC  eth7, filter tcp port 443"
        #expect(view.lines(columns: 100, rows: 24).contains(line))
    }

    @Test("On a small terminal most of the room is for servers and failures")
    func small() {
        let (view, _) = view(records(30))
        let lines = view.lines(columns: 80, rows: 24)
        #expect(!lines.contains { $0.hasPrefix("rtt p50") } && lines.count == 24)
        #expect(lines.count { $0.contains(" refused") && $0.contains(":10") } >= 5)
    }

    @Test("Paused, it shows what it showed")
    func paused() {
        var (view, monitor) = view(records(1))
        press(&view, "p")
        monitor.take(records(5), .init(), now: 2_000_000_000)
        view.take(monitor.snapshot())
        #expect(view.lines(columns: 120, rows: 40).count { $0.contains(" refused") } == 1)
        press(&view, "p")
        view.take(monitor.snapshot())
        #expect(view.lines(columns: 120, rows: 40).count { $0.contains(" refused") } == 6)
    }

    @Test("q ends it, but is a letter in a filter")
    func quit() {
        var (view, _) = view([])
        press(&view, "/")
        #expect(view.press(.character("q")) == .none)
        _ = view.press(.escape)
        #expect(view.press(.character("q")) == .quit)
    }

    @Test("Keys are told apart from control sequences")
    func keys() {
        #expect(
            ScreenView.Key.parse([0x1b, 0x5b, 0x41, 0x6a, 0x1b, 0x5b, 0x31, 0x3b, 0x35, 0x42, 0x0d, 0x1b])
                == [.up, .character("j"), .down, .enter, .escape])
        #expect(ScreenView.Key.parse([0x1b, 0x5b, 0x31]).isEmpty)
    }
}
