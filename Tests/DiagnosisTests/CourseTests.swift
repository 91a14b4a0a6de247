import HandshakeAnalysis
@testable import HandshakeDiagnosis
import PacketWire
@testable import Simulation
import TestSupport
import Testing

@Suite("Situations of connections that are written down")
struct CourseTests {
    private static let epoch: Int64 = 1_767_225_600_000_000_000
    private let clients = [IPAddress(v4: 0x0a14_010b), IPAddress(v4: 0x0a14_010c), IPAddress(v4: 0x0a15_010b)]
    private let first = IPAddress(v4: 0x0a01_010a)
    private let second = IPAddress(v4: 0x0a01_010b)

    /// A connection each 300 ms.
    private struct Capture {
        var frames: [(octets: [UInt8], time: Int64)] = []
        var times: [Int64] = []
        private var draw = Draw(seed: 1)

        mutating func add(
            _ course: Course, _ client: IPAddress, _ server: Endpoint, leg: Int64 = 1_000_000,
            back: Int64 = 1_000_000
        ) {
            let time = CourseTests.epoch + Int64(times.count) * 300_000_000
            let client = Endpoint(client, UInt16(40_000 + times.count))
            var wire = Wire(.init(time: time, client: client, server: server), &draw)
            (wire.serverLeg, wire.clientLeg) = (leg, back)
            wire.run(course, &draw)
            frames += wire.frames
            times.append(time)
        }

        func diagnosed() -> [Situation] {
            var tracker = HandshakeTracker(.init())
            var log = ObservationLog()
            inBatches(frames.sorted { $0.time < $1.time }, tracker.makeBatch()) { batch in
                tracker.receive(batch)
                for record in tracker.drain() { log.add(record) }
            }
            for record in tracker.finish() { log.add(record) }
            return Diagnosis(log).situations
        }
    }

    @Test("SYNs that a full accept queue drops before it drops an ACK are of its time")
    func acceptQueueBegins() throws {
        var capture = Capture()
        for number in 0..<60 {
            // One SYN is let in now and then: the application still accepts.
            let isLate = number >= 20 && number % 5 != 2
            capture.add(isLate ? number > 50 ? .ackLost : .silent : .well, clients[number % 3], Endpoint(first, 80))
            capture.add(.well, clients[number % 3], Endpoint(second, 80))
        }
        let situation = try #require(capture.diagnosed().first)
        #expect(situation.code == .acceptQueueFull)
        #expect(situation.window.lowerBound == capture.times[40])
        #expect(capture.diagnosed().count == 1)
    }

    @Test("Tuples that are met again happen to some of the attempts")
    func collisions() throws {
        var capture = Capture()
        for number in 0..<60 {
            capture.add(number % 3 == 0 ? .challenged : .well, clients[number % 3], Endpoint(first, 80))
        }
        for number in 0..<60 { capture.add(number % 2 == 0 ? .challenged : .well, clients[0], Endpoint(first, 443)) }
        let situations = capture.diagnosed()
        #expect(situations.map(\.code) == [.portReuseCollision])
        #expect(situations.first?.share != nil)
    }

    @Test("A filter at some clients is one situation for all servers that they try, and none for those beside")
    func pathsOfClients() {
        for isSpared in [false, true] {
            var capture = Capture()
            for number in 0..<90 {
                let client = clients[number % 3]
                let server = [first, second, IPAddress(v4: 0x0a01_010c)][number / 3 % 3]
                let isLost = client.low & 0xff_0000 == 0x14_0000 && !(isSpared && server.low & 0xff == 0x0c)
                capture.add(isLost ? .answerUnheard : .well, client, Endpoint(server, 80))
            }
            let situations = capture.diagnosed()
            #expect(Set(situations.map(\.code)) == [.answersLost])
            #expect(situations.map { $0.scope.servers == nil } == (isSpared ? [false, false] : [true]))
        }
    }

    @Test("A spell that takes half of the time begins where it does, whatever is usual for each end")
    func slowForHalf() {
        var capture = Capture()
        for number in 0..<160 {
            // Of some clients more attempts are slow, of others more are fast.
            let isSlow = number >= 80
            let client = clients[number % 5 < 3 ? (isSlow ? 0 : 1) : (isSlow ? 1 : 0)]
            let distance: Int64 = client == clients[0] ? 1_000_000 : 4_000_000
            capture.add(.well, client, Endpoint(first, 80), leg: 1_000_000, back: distance + (isSlow ? 60_000_000 : 0))
        }
        let situations = capture.diagnosed()
        #expect(situations.map(\.code) == [.clientSlow])
        #expect(situations.first?.window.lowerBound == capture.times[80])
    }

    @Test("A router that sends ICMP errors for some SYNs only says it for the others too")
    func limitedErrors() {
        var capture = Capture()
        for number in 0..<90 {
            let isDown = number >= 30
            let course: Course = !isDown ? .well : number % 3 == 1 ? .silent : .unreachable
            capture.add(course, clients[number / 2 % 3], Endpoint(first, number % 2 == 0 ? 80 : 443))
            capture.add(.well, clients[number % 3], Endpoint(second, 80))
        }
        let situations = capture.diagnosed()
        #expect(situations.map(\.code) == [.hostUnreachable])
        // The last SYN without answer is too young.
        #expect(situations.first?.affected == 59)
    }

    @Test("A host of two ports that both become slow is one situation")
    func slowHost() {
        var capture = Capture()
        for number in 0..<120 {
            let leg: Int64 = number > 60 ? 40_000_000 : 2_000_000
            capture.add(.well, clients[number % 3], Endpoint(first, number % 2 == 0 ? 80 : 443), leg: leg)
            capture.add(.well, clients[number % 3], Endpoint(second, 80))
        }
        let situations = capture.diagnosed()
        #expect(situations.map(\.code) == [.serverSlow])
        #expect(situations.first?.scope.servers == .host(first))
    }
}
