/// The zone of the times that text shows. JSON and CSV have theirs in UTC.
package struct Zone: Sendable {
    /// As it was asked for: `UTC`, `+02:00`, `Europe/Berlin`.
    package let name: String
    /// Seconds east of UTC, at a time in seconds since the epoch; nil for UTC.
    private let offset: (@Sendable (Int64) -> Int64)?

    package static let utc = Zone(name: "UTC", offset: nil)

    package init(name: String, offset: (@Sendable (Int64) -> Int64)?) {
        self.name = name
        self.offset = offset
    }

    package var isUTC: Bool { offset == nil }

    /// Seconds east of UTC at a time in nanoseconds.
    package func offset(at nanoseconds: Int64) -> Int64 {
        guard let offset else { return 0 }
        let second = nanoseconds / 1_000_000_000
        return offset(nanoseconds < 0 && second * 1_000_000_000 != nanoseconds ? second - 1 : second)
    }

    /// A time whose clock in UTC is the zone's clock at this one.
    private func moved(_ nanoseconds: Int64) -> Int64 {
        if isUTC { return nanoseconds }
        let (sum, overflows) = nanoseconds.addingReportingOverflow(offset(at: nanoseconds) * 1_000_000_000)
        return overflows ? nanoseconds : sum
    }

    // MARK: Text

    /// `UTC`, or the offset at a time: `+02:00`.
    package func mark(_ nanoseconds: Int64) -> String { isUTC ? "UTC" : Zone.text(offset(at: nanoseconds)) }

    /// `+02:00`
    package static func text(_ offset: Int64) -> String {
        let seconds = Int64(offset.magnitude)
        let text = "\(offset < 0 ? "-" : "+")\(Format.pad(seconds / 3600, 2)):\(Format.pad(seconds / 60 % 60, 2))"
        // Before standard time, towns had their own.
        return seconds % 60 == 0 ? text : "\(text):\(Format.pad(seconds % 60, 2))"
    }

    /// `16:30:43.901252`
    package func clock(_ nanoseconds: Int64) -> String { Format.clock(moved(nanoseconds)) }

    /// `2026-11-23`
    package func day(_ nanoseconds: Int64) -> String { String(Format.rfc3339(moved(nanoseconds)).prefix(10)) }

    /// `2026-11-23 16:30:43.9`, with as much of a fraction as there is.
    package func dateAndTime(_ nanoseconds: Int64) -> String { Format.dateAndTime(moved(nanoseconds)) }

    /// `2026-11-23 16:30:43`
    package func dateAndSecond(_ nanoseconds: Int64) -> String { String(dateAndTime(nanoseconds).prefix(19)) }

    /// RFC 3339 with nanoseconds: `2026-11-23T16:30:43.901252000+01:00`.
    package func rfc3339(_ nanoseconds: Int64) -> String {
        if isUTC { return Format.rfc3339(nanoseconds) }
        return Format.rfc3339(moved(nanoseconds)).dropLast() + mark(nanoseconds)
    }

    /// `2026-11-23 16:30:43.9 to 2026-11-23 16:31:00 UTC`; with both offsets where they differ.
    package func span(_ first: Int64, _ last: Int64) -> String {
        let isOne = offset(at: first) == offset(at: last)
        return "\(dateAndTime(first))\(isOne ? "" : " \(mark(first))") to \(dateAndTime(last)) \(mark(last))"
    }

    /// The date above the attempts of a day: `2026-11-23`, or `2026-11-23 +01:00`.
    package func heading(_ nanoseconds: Int64) -> String {
        isUTC ? day(nanoseconds) : "\(day(nanoseconds)) \(mark(nanoseconds))"
    }

    /// The numbers of `heading`.
    func dayAndOffset(_ nanoseconds: Int64) -> DayAndOffset {
        let length: Int64 = 86_400 * 1_000_000_000
        let time = moved(nanoseconds)
        return DayAndOffset(
            day: time >= 0 ? time / length : (time &- length &+ 1) / length, offset: offset(at: nanoseconds))
    }

    /// A day in days since the epoch, and what the clock was set to.
    struct DayAndOffset: Equatable {
        var day: Int64
        var offset: Int64
    }

    /// Whether two times have one date and one offset, so that their clocks can be compared.
    package func isOneDay(_ first: Int64, _ last: Int64) -> Bool { dayAndOffset(first) == dayAndOffset(last) }
}
