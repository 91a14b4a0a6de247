import HandshakeRecord

/// The attempts that began in one second, and the frames that came in it.
package struct Second: Sendable {
    /// Seconds since the epoch.
    package var time: Int64
    package var frames: UInt64 = 0
    package var attempts = 0
    package var failures = 0
    /// Nanoseconds; nil without a known round trip. Of more than `Series.maximumSamples` a random choice counts.
    package var median: Int64?
    package var p99: Int64?
}

/// The last seconds, one after the other without a hole.
struct Series: Sendable {
    static let maximumSamples = 512
    private(set) var past: [Second] = []
    private var current = Second(time: 0)
    private var samples: [Int64] = []
    private var seen = 0

    /// The seconds that are over, oldest first.
    var seconds: [Second] { past }

    /// - Parameter now: nanoseconds since the epoch; a step back begins no second twice.
    mutating func advance(to now: Int64) {
        let second = now / 1_000_000_000
        if current.time == 0 { current.time = second }
        guard second > current.time else { return }
        // After a pause, or a step of the clock, what lies between is empty; only what is kept is filled in.
        let first = max(current.time, second - Int64(Monitor.historyLength))
        if first == current.time { close() }
        for time in first..<second where time > current.time { past.append(Second(time: time)) }
        if past.count > Monitor.historyLength { past.removeFirst(past.count - Monitor.historyLength) }
        current = Second(time: second)
    }

    private mutating func close() {
        if !samples.isEmpty {
            samples.sort()
            current.median = samples[(samples.count - 1) / 2]
            current.p99 = samples[(samples.count - 1) * 99 / 100]
        }
        past.append(current)
        samples.removeAll(keepingCapacity: true)
        seen = 0
    }

    /// Counts an attempt in the second of its first segment, also where that is past; its round trip in the current
    /// one.
    mutating func count(_ record: AttemptRecord) {
        let failures = record.outcome.isFailure ? 1 : 0
        let age = current.time - record.firstTime / 1_000_000_000
        if age <= 0 {
            current.attempts += 1
            current.failures += failures
        } else if age <= past.count {
            past[past.count - Int(age)].attempts += 1
            past[past.count - Int(age)].failures += failures
        }
        guard let time = record.total?.nanoseconds else { return }
        seen += 1
        if samples.count < Series.maximumSamples {
            samples.append(time)
        } else {
            // Reservoir sampling: each of those seen is as likely to be kept.
            let place = Int.random(in: 0..<seen)
            if place < samples.count { samples[place] = time }
        }
    }

    mutating func count(frames: UInt64) { current.frames += frames }
}

/// Round trips in the buckets of a Prometheus histogram.
package struct RoundTripBuckets: Sendable {
    /// Upper bounds, inclusive, in nanoseconds: from within a host to once around the world, and a SYN sent again.
    package static let bounds: [Int64] = [
        50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000,
        100_000_000, 250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000,
    ]
    /// How many were in each bucket alone; the last is beyond all bounds.
    package private(set) var counts = [UInt64](repeating: 0, count: bounds.count + 1)
    /// Nanoseconds, of all.
    package private(set) var sum: Int64 = 0

    mutating func count(_ record: AttemptRecord) {
        guard let time = record.total?.nanoseconds else { return }
        counts[RoundTripBuckets.bounds.firstIndex { time <= $0 } ?? RoundTripBuckets.bounds.count] += 1
        sum &+= time
    }
}
