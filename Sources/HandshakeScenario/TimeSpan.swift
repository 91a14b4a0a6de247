/// A length of time as text.
package struct TimeSpan {
    package var nanoseconds: Int64

    private static let units: [(suffix: String, nanoseconds: Int64)] = [
        ("ns", 1), ("us", 1000), ("ms", 1_000_000), ("s", 1_000_000_000), ("", 1_000_000_000),
    ]

    /// Decimal digits, with a fraction where the unit has one, then ns, us, ms, s or nothing (seconds); nil for
    /// anything else, for a fraction of a nanosecond and for more than 100 years.
    package init?(text: Substring) {
        guard let unit = TimeSpan.units.first(where: { text.hasSuffix($0.suffix) }) else { return nil }
        let parts = text.dropLast(unit.suffix.count).split(separator: ".", omittingEmptySubsequences: false)
        guard let whole = parts.first, parts.count <= 2, parts.contains(where: { !$0.isEmpty }),
            parts.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } }),
            let units = whole.isEmpty ? 0 : Int64(whole)
        else { return nil }
        let (product, overflow) = units.multipliedReportingOverflow(by: unit.nanoseconds)
        if overflow || product > Scenario.longest { return nil }
        nanoseconds = product
        var scale = unit.nanoseconds
        for digit in parts.count == 2 ? parts[1] : "" {
            if scale == 1 {
                if digit != "0" { return nil }
                continue
            }
            scale /= 10
            nanoseconds += scale * Int64(digit.wholeNumberValue ?? 0)
        }
        if nanoseconds > Scenario.longest { return nil }
    }

    init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// In the largest unit that needs no more than three digits after the point.
    var text: String {
        if nanoseconds == 0 { return "0" }
        for unit in TimeSpan.units.dropLast().reversed() where nanoseconds % max(1, unit.nanoseconds / 1000) == 0 {
            let fraction = nanoseconds % unit.nanoseconds
            if nanoseconds >= unit.nanoseconds || unit.nanoseconds == 1 {
                if fraction == 0 { return "\(nanoseconds / unit.nanoseconds)\(unit.suffix)" }
                var digits = "\(fraction / (unit.nanoseconds / 1000))"
                digits = String(repeating: "0", count: 3 - digits.count) + digits
                while digits.last == "0" { digits.removeLast() }
                return "\(nanoseconds / unit.nanoseconds).\(digits)\(unit.suffix)"
            }
        }
        return "\(nanoseconds)ns"
    }
}
