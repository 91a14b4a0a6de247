package import HandshakeRecord
import HandshakeDiagnosis
import HandshakeReport
import PacketWire
import Synchronization

/// The state of a live run for whoever asks: the screen, the service, a signal. The capture's thread tells
/// it, others read; nobody waits long, since nothing is rendered under its lock.
package final class Monitor: Sendable {
    /// The last report of the thread of -w.
    package struct Savefile: Sendable {
        /// Whether the file cannot be written, or the next one not begun.
        package var isFailing = false
        /// How often that began.
        package var failures: UInt64 = 0
        /// Frames that were not written for it.
        package var framesLost: UInt64 = 0
        package init() {}
    }

    /// A consistent picture of all that is kept.
    package struct Snapshot: Sendable {
        package var standing: LiveStanding
        package var savefile: Savefile
        package var started: Int64
        /// The time of the snapshot, nanoseconds since the epoch.
        package var now: Int64
        /// Oldest first, one a second.
        package var seconds: [Second]
        package var servers: [Party]
        package var clients: [Party]
        /// Newest first.
        package var failures: [AttemptRecord]
        package var roundTrips: RoundTripBuckets
        /// Situations that last.
        package var situations: [SituationCourse.Entry]
    }

    private struct State {
        var standing = LiveStanding()
        var now: Int64 = 0
        var savefile = Savefile()
        var series = Series()
        var servers = Parties<Endpoint>()
        var clients = Parties<IPAddress>()
        var recent = RecentBuffer<AttemptRecord>(capacity: Monitor.recentCount)
        var failures = RecentBuffer<AttemptRecord>(capacity: Monitor.failureCount)
        var roundTrips = RoundTripBuckets()
        var listeners: [Listener] = []
        var observed = ObservationLog(maximum: Monitor.observedCount)
        var course = SituationCourse()
    }

    /// Attempts that are kept, of all and of those that failed.
    package static let recentCount = 1000
    package static let failureCount = 200
    /// Attempts that situations are found among, and for how long: nanoseconds.
    package static let observedCount = 1 << 17
    package static let observedTime: Int64 = 900_000_000_000
    /// Seconds of history.
    package static let historyLength = 600
    /// Servers and clients in a snapshot.
    package static let partyCount = 20

    /// The interfaces.
    package let capture: CaptureDescription
    /// Nanoseconds since the epoch.
    package let started: Int64
    private let state = Mutex(State())

    package init(_ capture: CaptureDescription, started: Int64) {
        self.capture = capture
        self.started = started
    }

    /// Takes what was decided since the last call.
    /// - Parameter now: nanoseconds since the epoch.
    package func take(_ records: [AttemptRecord], _ standing: LiveStanding, now: Int64) {
        let listeners = state.withLock { state in
            state.series.advance(to: now)
            for record in records {
                state.recent.add(record)
                state.observed.add(record)
                if record.copyOf != nil { continue }
                state.series.count(record)
                state.roundTrips.count(record)
                state.servers.count(record.server, record)
                state.clients.count(record.client.address, record)
                if record.outcome.isFailure { state.failures.add(record) }
            }
            state.series.count(frames: standing.summary.frames.read &- state.standing.summary.frames.read)
            state.standing = standing
            state.now = now
            state.listeners.removeAll { $0.isOver }
            return state.listeners
        }
        for listener in listeners { listener.offer(records) }
    }

    package func snapshot() -> Snapshot {
        state.withLock { state in
            Snapshot(
                standing: state.standing, savefile: state.savefile, started: started, now: state.now,
                seconds: state.series.seconds,
                servers: state.servers.worst(Monitor.partyCount) { $0.description },
                clients: state.clients.worst(Monitor.partyCount) { $0.description },
                failures: state.failures.newestFirst, roundTrips: state.roundTrips, situations: state.course.lasting)
        }
    }

    /// Looks for situations among the attempts of the last quarter of an hour. Takes its time, and not under the lock:
    /// one thread calls it now and then.
    /// - Parameter now: nanoseconds since the epoch.
    /// - Returns: those that begin or end.
    package func diagnose(now: Int64) -> [SituationCourse.Event] {
        let observed = state.withLock { state in
            state.observed.forget(before: now &- Monitor.observedTime)
            return state.observed
        }
        let situations = Diagnosis(observed).situations
        return state.withLock { $0.course.take(situations, now: now) }
    }

    /// Situations that last.
    package var situations: [SituationCourse.Entry] { state.withLock { $0.course.lasting } }

    package var standing: LiveStanding { state.withLock { $0.standing } }
    package var savefile: Savefile {
        get { state.withLock { $0.savefile } }
        set { state.withLock { $0.savefile = newValue } }
    }

    /// The latest attempts, newest first.
    package var recent: [AttemptRecord] { state.withLock { $0.recent.newestFirst } }

    /// An attempt that is still kept.
    package func attempt(_ id: UInt64) -> AttemptRecord? {
        state.withLock { state in
            state.recent.newestFirst.first { $0.id == id } ?? state.failures.newestFirst.first { $0.id == id }
        }
    }

    /// Hands each attempt on as it is decided.
    package func listen() -> Listener {
        let listener = Listener()
        state.withLock { $0.listeners.append(listener) }
        return listener
    }
}

/// Attempts on their way to one reader, a bounded number: what a slow one does not take in time is let go, and counted.
package final class Listener: Sendable {
    private struct State {
        var waiting: [AttemptRecord] = []
        var missed = 0
        var isOver = false
    }

    private let state = Mutex(State())
    /// The most that wait.
    package static let maximumWaiting = 512

    fileprivate func offer(_ records: [AttemptRecord]) {
        state.withLock { state in
            let room = Listener.maximumWaiting - state.waiting.count
            state.waiting += records.prefix(room)
            state.missed += max(0, records.count - room)
        }
    }

    /// What came since the last call, and how many were let go since then.
    package func take() -> (records: [AttemptRecord], missed: Int) {
        state.withLock { state in
            defer {
                state.waiting = []
                state.missed = 0
            }
            return (state.waiting, state.missed)
        }
    }

    package func end() { state.withLock { $0.isOver = true } }
    fileprivate var isOver: Bool { state.withLock { $0.isOver } }
}

/// The last so many elements.
struct RecentBuffer<Element: Sendable>: Sendable {
    private var elements: [Element] = []
    private var next = 0
    let capacity: Int

    init(capacity: Int) { self.capacity = capacity }

    mutating func add(_ element: Element) {
        if elements.count < capacity {
            elements.append(element)
        } else {
            elements[next] = element
        }
        next = (next + 1) % capacity
    }

    var newestFirst: [Element] {
        elements.count < capacity ? elements.reversed() : (elements[next...] + elements[..<next]).reversed()
    }
}
