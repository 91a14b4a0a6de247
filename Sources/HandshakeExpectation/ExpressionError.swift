/// A fault of an expression, and its place.
package struct ExpressionError: Error, Sendable, Equatable, CustomStringConvertible {
    package var message: String
    /// From 1; columns count characters.
    package var line: Int
    package var column: Int
    /// The line, and how many of its characters are meant.
    package var text: String
    package var length: Int

    /// - Parameter range: octets of `source`.
    init(_ message: String, at range: Range<Int>, of source: [UInt8]) {
        self.message = message
        let start = source[..<range.lowerBound].lastIndex(of: 10).map { $0 + 1 } ?? 0
        let end = source[range.lowerBound...].firstIndex(of: 10) ?? source.count
        line = source[..<start].count { $0 == 10 } + 1
        text = String(decoding: source[start..<end], as: UTF8.self)
        column = String(decoding: source[start..<range.lowerBound], as: UTF8.self).count + 1
        let meant = range.lowerBound..<max(range.lowerBound, min(range.upperBound, end))
        length = max(1, String(decoding: source[meant], as: UTF8.self).count)
    }

    /// The message, the line and a caret under what is meant.
    package var description: String {
        // A long line is cut to what is around the place.
        let before = min(column - 1, 60)
        let after = String(text.dropFirst(column - 1 - before).prefix(before + 60))
        let shown = (column - 1 > before ? "..." : "") + after.replacing("\t", with: " ")
        let indent = before + (column - 1 > before ? 3 : 0)
        let caret = String(repeating: "^", count: min(length, max(1, after.count - before)))
        return """
            \(line):\(column): \(message.count > 300 ? message.prefix(300) + "..." : message[...])
              \(shown)
              \(String(repeating: " ", count: indent))\(caret)
            """
    }
}

/// Which of some names one that is not among them may have meant.
package enum NearestName {
    /// - Returns: nil where none is near.
    package static func of(_ word: String, among names: some Sequence<String>) -> String? {
        let wanted = Array(word.lowercased().utf8.prefix(64))
        var best: (name: String, distance: Int)?
        for name in names where name.utf8.count <= 128 {
            let distance = distance(wanted, Array(name.lowercased().utf8))
            if distance < best?.distance ?? .max { best = (name, distance) }
        }
        guard let best, best.distance <= max(2, wanted.count / 3) else {
            // The last part of a path says most.
            guard let last = word.split(separator: ".").last, last.count > 2 else { return nil }
            return names.first { $0.split(separator: ".").contains(last) }
        }
        return best.name
    }

    /// `: did you mean 'x'?`, or nothing.
    package static func hint(_ word: String, among names: some Sequence<String>) -> String {
        of(word, among: names).map { ": did you mean '\($0)'?" } ?? ""
    }

    /// Optimal string alignment: insertions, deletions, substitutions and exchanges of neighbours.
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
        var before: [Int] = []
        var row = Array(0...b.count)
        for i in 1...a.count {
            var next = [i]
            for j in 1...b.count {
                let isSame = a[i - 1] == b[j - 1]
                var least = min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (isSame ? 0 : 1))
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { least = min(least, before[j - 2] + 1) }
                next.append(least)
            }
            (before, row) = (row, next)
        }
        return row[b.count]
    }
}
