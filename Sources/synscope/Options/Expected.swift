import ArgumentParser

/// Values of options, and what is said of text that is none.
enum Expected {
    /// A number of a range.
    static func number<Value: FixedWidthInteger & Sendable>(
        _ range: ClosedRange<Value>
    ) -> @Sendable (String) throws -> Value {
        { text in
            if let number = Value(text), range.contains(number) { return number }
            let end = range.upperBound == .max ? "on" : "to \(range.upperBound)"
            throw ValidationError("say a number from \(range.lowerBound) \(end)")
        }
    }

    /// - Parameter words: what it is, and an example.
    static func value<Value>(
        _ words: String, _ make: @escaping @Sendable (String) -> Value?
    ) -> @Sendable (String) throws -> Value {
        { text in
            guard let value = make(text) else { throw ValidationError("say " + words) }
            return value
        }
    }
}
