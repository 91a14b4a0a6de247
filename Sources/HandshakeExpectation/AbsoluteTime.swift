/// A moment as text: a date, a time of day and the zone (RFC 3339; a space may stand for the T).
enum AbsoluteTime {
    enum Failure: Error, Equatable {
        /// It is no date with a time.
        case malformed
        case noZone
    }

    /// Whether it looks like a date, so that what is wrong with it is worth telling.
    static func isMeant(_ text: String) -> Bool {
        let octets = Array(text.utf8.prefix(5))
        return octets.count == 5 && octets[..<4].allSatisfy { (48...57).contains($0) } && octets[4] == UInt8(ascii: "-")
    }

    /// - Returns: nanoseconds since the epoch.
    static func parse(_ text: String) throws(Failure) -> Int64 {
        var rest = text.utf8[...]
        func number(_ digits: Int) throws(Failure) -> Int {
            let part = rest.prefix(digits)
            guard part.count == digits, part.allSatisfy({ (48...57).contains($0) }) else { throw .malformed }
            rest = rest.dropFirst(digits)
            return part.reduce(0) { $0 * 10 + Int($1 - 48) }
        }
        func isNext(_ characters: String) -> Bool {
            guard let first = rest.first, characters.utf8.contains(first) else { return false }
            rest = rest.dropFirst()
            return true
        }
        let year = try number(4)
        guard isNext("-") else { throw .malformed }
        let month = try number(2)
        guard isNext("-") else { throw .malformed }
        let day = try number(2)
        var (hour, minute, second, fraction) = (0, 0, 0, Int64(0))
        if isNext("T ") {
            // A space may stand before the zone of a date, too.
            if let first = rest.first, (48...57).contains(first) {
                hour = try number(2)
                guard isNext(":") else { throw .malformed }
                minute = try number(2)
                if isNext(":") { second = try number(2) }
                if isNext(".") {
                    let digits = rest.prefix { (48...57).contains($0) }
                    guard (1...9).contains(digits.count) else { throw .malformed }
                    fraction = digits.reduce(0) { $0 * 10 + Int64($1 - 48) }
                    for _ in digits.count..<9 { fraction *= 10 }
                    rest = rest.dropFirst(digits.count)
                }
            }
        }
        let lengths = [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard (1970...2261).contains(year), (1...12).contains(month), (1...lengths[month - 1]).contains(day),
            hour < 24, minute < 60, second < 60
        else { throw .malformed }
        while isNext(" ") {}
        var offset = 0
        switch String(rest) {
        case "": throw .noZone
        case "Z", "z", "UTC", "GMT": break
        default:
            let isWest = rest.first == UInt8(ascii: "-")
            guard isNext("+-") else { throw .malformed }
            offset = try number(2) * 60
            _ = isNext(":")
            if !rest.isEmpty { offset += try number(2) }
            guard rest.isEmpty, offset < 24 * 60 else { throw .malformed }
            if isWest { offset = -offset }
        }
        let days =
            (1970..<year).reduce(0) { $0 + (isLeap($1) ? 366 : 365) } + lengths[..<(month - 1)].reduce(0, +) + day - 1
        let seconds = ((days * 24 + hour) * 60 + minute - offset) * 60 + second
        return Int64(seconds) * 1_000_000_000 + fraction
    }

    private static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }
}
