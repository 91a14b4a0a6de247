import PacketWire

/// Times and figures as text, without Foundation.
package enum Format {
    /// RFC 3339 in UTC with nanoseconds: `2026-11-23T16:30:43.901252000Z`.
    package static func rfc3339(_ nanoseconds: Int64) -> String { text { $0.put(time: nanoseconds) } }

    /// Date and time of day in UTC, with as much of a fraction as there is: `2026-11-23 16:30:43.9`.
    package static func dateAndTime(_ nanoseconds: Int64) -> String {
        var text = rfc3339(nanoseconds).replacing("T", with: " ").dropLast()
        while text.last == "0" { text.removeLast() }
        if text.last == "." { text.removeLast() }
        return String(text)
    }

    /// `16:30:43.901252`, microseconds.
    package static func clock(_ nanoseconds: Int64) -> String { text { $0.put(clock: nanoseconds) } }

    private static func text(_ body: (inout OutputStage) -> Void) -> String {
        var out = OutputBuffer()
        out.gather(body)
        return String(decoding: out.bytes, as: UTF8.self)
    }

    package static func pad(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }

    /// A duration with its unit and four significant digits: `20.17 ms`.
    package static func duration(_ nanoseconds: Int64) -> String { text { $0.put(duration: nanoseconds) } }

    /// A span of time in the two greatest units that it has: `57.9 s`, `9 min 18 s`, `274 d 1 h`.
    package static func span(_ nanoseconds: Int64) -> String {
        let seconds = nanoseconds / 1_000_000_000
        if seconds < 120 { return duration(nanoseconds) }
        let units = [("d", Int64(86_400)), ("h", 3600), ("min", 60), ("s", 1)]
        let first = units.firstIndex { seconds >= $0.1 } ?? units.count - 1
        var text = "\(seconds / units[first].1) \(units[first].0)"
        if first + 1 < units.count {
            let rest = seconds % units[first].1 / units[first + 1].1
            if rest > 0 { text += " \(rest) \(units[first + 1].0)" }
        }
        return text
    }

    /// A number with so many digits after the point, rounded half away from zero.
    package static func fixed(_ value: Double, _ digits: Int) -> String {
        let power = (0..<digits).reduce(Int64(1)) { power, _ in power * 10 }
        let scaled = Int64((value.magnitude * Double(power)).rounded())
        let whole = (value < 0 ? "-" : "") + "\(scaled / power)"
        return digits > 0 ? "\(whole).\(pad(scaled % power, digits))" : whole
    }

    /// Octets with a decimal unit: `3.05 GB`.
    package static func octets(_ count: Int64) -> String {
        let value = Double(count)
        let (scale, unit): (Double, String) =
            value < 1e3 ? (1, "B") : value < 1e6 ? (1e3, "kB") : value < 1e9 ? (1e6, "MB") : (1e9, "GB")
        return fixed(value / scale, scale == 1 ? 0 : value / scale < 10 ? 2 : 1) + " " + unit
    }

    /// How far a reading is: `[######..................] 25 %  1.00 GB of 4.00 GB, 250.0 MB/s, 12 s left`.
    package static func progress(done: Int64, all: Int64, seconds: Double) -> String {
        let columns = 24
        let share = min(1, max(0, Double(done) / Double(max(all, 1))))
        let filled = Int(share * Double(columns))
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: columns - filled)
        let rate = Double(done) / max(seconds, 1e-3)
        // A file that grew while it was read has nothing left, rather than less.
        let left = rate < 1 ? nil : Int((Double(max(0, all - done)) / rate).rounded(.up))
        let time = left.map { $0 < 60 ? "\($0) s left" : "\($0 / 60) min \($0 % 60) s left" } ?? "no end in sight"
        return "[\(bar)] \(Int(share * 100)) %  \(octets(done)) of \(octets(all)), \(octets(Int64(rate)))/s, \(time)"
    }

    /// Encapsulations, outermost first, with their identifiers: `gre 42 > vxlan 7`.
    static func layers(_ path: TunnelPath) -> String {
        path.layers.map { $0.tunnel.name + ($0.id.map { " \($0)" } ?? "") }.joined(separator: " > ")
    }

    /// The same, with the addresses around them.
    static func path(_ path: TunnelPath) -> String {
        layers(path) + (path.outer.map { " (\($0.source) > \($0.destination))" } ?? "")
    }

    /// `1 attempt`, `2 attempts`.
    package static func count(_ number: some BinaryInteger, _ noun: String, _ plural: String? = nil) -> String {
        "\(number) \(number == 1 ? noun : plural ?? noun + "s")"
    }
}

extension OutputStage {
    /// As `Format.duration`.
    mutating func put(duration nanoseconds: Int64) {
        let size = Double(nanoseconds.magnitude)
        let (scale, unit): (Double, StaticString) =
            size < 1e3 ? (1, " ns") : size < 1e6 ? (1e3, " µs") : size < 1e9 ? (1e6, " ms") : (1e9, " s")
        let value = size / scale
        let digits = scale == 1 ? 0 : value < 10 ? 3 : value < 100 ? 2 : 1
        let power: UInt64 = digits == 0 ? 1 : digits == 1 ? 10 : digits == 2 ? 100 : 1000
        // Half away from zero.
        let scaled = UInt64((value * Double(power)).rounded())
        if nanoseconds < 0 { put(octet: 0x2d) }
        put(scaled / power)
        if digits > 0 {
            put(octet: 0x2e)
            put(UInt32(scaled % power), digits: digits)
        }
        put(unit)
    }
}

extension String {
    package func padded(_ width: Int) -> String { self + String(repeating: " ", count: Swift.max(0, width - count)) }
    package func paddedLeft(_ width: Int) -> String {
        String(repeating: " ", count: Swift.max(0, width - count)) + self
    }

    /// Lines of at most `width` characters, broken at spaces where there are any.
    package func wrapped(_ width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in split(separator: " ") {
            var word = word
            while word.count > width {
                if !line.isEmpty { lines.append(line) }
                lines.append(String(word.prefix(width)))
                word = word.dropFirst(width)
                line = ""
            }
            if !line.isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        if !line.isEmpty || lines.isEmpty { lines.append(line) }
        return lines
    }
}
