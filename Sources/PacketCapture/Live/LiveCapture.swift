import CLinux
import Glibc
package import PacketWire

/// Captures on one or several interfaces, in the order of time. Used by one thread, but for `wake`.
package final class LiveCapture {
    /// Milliseconds after which the kernel hands over a block that is not full.
    static let blockMilliseconds: Int32 = 100
    /// Nanoseconds after which a frame has come out of every interface's block.
    package static let latency: Int64 = 150_000_000
    /// Frames taken at a time from one interface: their octets stay in the processor's cache.
    private static let maximumFrames = 1024
    /// Octets that are held back at most to bring several interfaces' frames into the order of time.
    private static let maximumHeld = 16 << 20

    private enum Place {
        case open(LiveInterface)
        /// It went away, at this reading of the steady clock. What the kernel still holds of it is taken: for
        /// `latency`, and until there is no more.
        case closing(LiveInterface, CaptureError, since: Int64)
        case gone

        var interface: LiveInterface? {
            switch self {
            case .open(let interface), .closing(let interface, _, _): interface
            case .gone: nil
            }
        }
    }

    private let names: [String]
    private let options: LiveOptions
    private var places: [Place]
    /// Counts of interfaces before they went and came back.
    private var earlier: [LiveStatistics]
    private var held = CapturedFrames()
    private var nextAttempt: Int64 = 0

    /// - Throws: `CaptureError`, for the first interface that cannot be captured on.
    package init(interfaces names: [String], _ options: LiveOptions) throws(CaptureError) {
        self.names = names
        self.options = options
        places = []
        earlier = names.map { _ in LiveStatistics() }
        for (position, name) in names.enumerated() {
            do throws(CaptureError) {
                places.append(.open(try LiveInterface(name, options, position: position)))
            } catch {
                guard options.waits, error.kind == .noInterface else { throw error }
                places.append(.gone)
            }
        }
    }

    /// The interfaces that are there.
    package var interfaces: [LiveInterface] { places.compactMap(\.interface) }

    /// The names of those that are not.
    package var missing: [String] { zip(names, places).filter { $1.interface == nil }.map(\.0) }

    /// The link type of each position.
    package var linkTypes: [LinkType] { places.map { $0.interface?.linkType ?? .ethernet } }

    /// Waits until there are frames, `descriptor` is readable, or the time is over.
    package func wait(milliseconds: Int32, or descriptor: Int32) {
        var waiting = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
        waiting += interfaces.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        unsafe poll(&waiting, nfds_t(waiting.count), milliseconds)
    }

    /// Takes frames without waiting.
    /// - Parameters:
    ///   - frames: what is in it is replaced. Frames of several interfaces that are younger than `latency` are held
    ///     back, since
    ///     an earlier one may still come.
    ///   - isLast: nothing is held back.
    /// - Returns: the interfaces that went away, and why.
    package func read(into frames: inout CapturedFrames, isLast: Bool = false) -> [CaptureError] {
        frames.removeAll()
        var failures: [CaptureError] = []
        for position in places.indices {
            guard let interface = places[position].interface else { continue }
            let before = places.count == 1 ? 0 : held.count
            do throws(CaptureError) {
                if places.count == 1 {
                    try interface.read(into: &frames, maximum: LiveCapture.maximumFrames)
                } else {
                    try interface.read(into: &held, maximum: LiveCapture.maximumFrames)
                }
            } catch {
                lose(position, interface, error)
            }
            let isEmpty = (places.count == 1 ? frames.count : held.count) == before
            // The frames that are left would be neither analysed nor counted as dropped.
            if isEmpty, case .closing(_, let error, let since) = places[position],
                isLast || Clock.steady >= since + LiveCapture.latency
            {
                failures.append(error)
                earlier[position] = earlier[position] + interface.statistics()
                places[position] = .gone
            }
        }
        if places.count > 1 {
            held.sortByTime()
            let isFull = held.size > LiveCapture.maximumHeld
            held.move(before: isLast || isFull ? .max : Clock.wall - LiveCapture.latency, to: &frames)
        }
        return failures
    }

    /// Looks whether interfaces went down: libpcap would wait on them without a word.
    package func checkInterfaces() {
        for position in places.indices {
            guard case .open(let interface) = places[position], !interface.isUp else { continue }
            lose(position, interface, CaptureError(.noInterface, interface.name, "the interface went down"))
        }
    }

    private func lose(_ position: Int, _ interface: LiveInterface, _ error: CaptureError) {
        guard case .open = places[position] else { return }
        // It may come back before all is taken, and would have no end.
        interface.close()
        places[position] = .closing(interface, error, since: Clock.steady)
    }

    /// Tries to open interfaces that went away, twice a second.
    /// - Returns: the names of those that are back.
    package func reopen() -> [String] {
        guard !missing.isEmpty, Clock.steady >= nextAttempt else { return [] }
        nextAttempt = Clock.steady + 500_000_000
        var back: [String] = []
        for position in places.indices {
            guard case .gone = places[position],
                let interface = try? LiveInterface(names[position], options, position: position), interface.isUp
            else { continue }
            places[position] = .open(interface)
            back.append(names[position])
        }
        return back
    }

    /// Stops the kernel from taking more for this capture; what it holds can still be taken, for `latency`.
    package func close() { for interface in interfaces { interface.close() } }

    /// Closes, and hands out what the kernel still holds until that has come for sure.
    /// - Parameter each: gets frames and the interfaces that went away; false ends it early.
    package func drain(into frames: inout CapturedFrames, _ each: (borrowing CapturedFrames, [CaptureError]) -> Bool) {
        close()
        let end = Clock.steady + LiveCapture.latency
        var isLast = false
        while !isLast {
            isLast = Clock.steady >= end
            let failures = read(into: &frames, isLast: isLast)
            guard each(frames, failures) else { return }
            if frames.count > 0 { isLast = false } else if !isLast { wait(milliseconds: 10, or: -1) }
        }
    }

    /// The kernel's counts from the start, of all interfaces.
    package func statistics() -> LiveStatistics {
        (earlier + interfaces.map { $0.statistics() }).reduce(LiveStatistics(), +)
    }
}
