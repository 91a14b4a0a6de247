import PacketWire
import TestSupport
import Testing

@Suite struct FrameBatchTests {
    private func append(_ numbers: Range<UInt32>, to batch: inout FrameBatch) {
        for number in numbers {
            var octets = FrameEncoder(.ethernet).encode(.syn(from: number, seq: 0, mss: nil))
            // Every fifth is ARP, which is no segment.
            if number % 5 == 4 { octets[13] = 6 }
            batch.append(
                octets.span.bytes, wireLength: octets.count, number: UInt64(number), time: Int64(number),
                decoder: FrameDecoder(.ethernet))
        }
    }

    /// Where frames are marked, shard by shard, and last those that are no usual segments.
    private func marks(_ batch: borrowing FrameBatch) -> [UInt64] {
        var marks: [UInt64] = []
        for shard in batch.ofShard.indices { marks.append(batch.ofShard[shard]) }
        return marks + [batch.unusual]
    }

    private func expected(_ batch: borrowing FrameBatch) -> [UInt64] {
        var marks = [UInt64](repeating: 0, count: 17)
        for position in 0..<batch.count {
            let head = batch.heads[position]
            marks[head.isUsual ? Int(head.shard) : 16] |= 1 << UInt64(position)
        }
        return marks
    }

    @Test("Every frame is marked once, under its shard or as unusual")
    func marked() {
        var batch = FrameBatch(seed: 1)
        append(0..<64, to: &batch)
        #expect(batch.count == 64)
        #expect(marks(batch) == expected(batch))
        #expect(marks(batch).reduce(0, |) == .max)
        #expect(batch.unusual != 0)
    }

    @Test("Frames that are taken back are not marked any more, nor are those of a batch that begins again")
    func takenBack() {
        var batch = FrameBatch(seed: 1)
        append(0..<7, to: &batch)
        let (mark, steps, traits) = (batch.mark, batch.steps, batch.traits)
        append(100..<143, to: &batch)
        #expect(batch.steps != steps)
        batch.takeBack(to: mark)
        #expect(batch.count == 7 && batch.first == 1 && batch.steps == steps)
        #expect(batch.traits == traits)
        #expect(marks(batch) == expected(batch))
        append(200..<220, to: &batch)
        #expect(batch.count == 27)
        #expect(marks(batch) == expected(batch))
        batch.removeAll()
        append(300..<303, to: &batch)
        #expect(marks(batch) == expected(batch))
    }

    @Test("Marks go with the frames that batches exchange")
    func exchanged() {
        var batch = FrameBatch(seed: 1)
        var other = FrameBatch(seed: 1)
        append(0..<40, to: &batch)
        append(100..<110, to: &other)
        batch.exchange(&other)
        #expect(batch.count == 10)
        #expect(marks(batch) == expected(batch))
        #expect(marks(other) == expected(other))
    }
}
