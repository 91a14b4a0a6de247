import ArgumentParser
import CLinux
import Glibc
import HandshakeAnalysis
import HandshakeExpectation
import HandshakeReport
import PacketCapture
import PacketWire

/// Which attempts are shown, or judged.
struct SelectionOptions: ParsableArguments {
    @Option(
        name: .customShort("Y"),
        help: ArgumentHelp(
            "Only attempts of which this holds, as: hs.outcome != established and tcp.dstport == 443 (synscope fields; docs/expressions.md). Of several all must hold.",
            valueName: "expression"),
        completion: .custom { _, _, typed in ExpressionCompletion.continuations(of: typed, isAssertion: false) })
    var expressions: [String] = []

    /// - Parameter reference: what a duration that `frame.time` is compared with is counted from.
    func predicate(relativeTo reference: TimeReference = .captureStart) throws(CommandFailure) -> Predicate? {
        var predicates: [Predicate] = []
        for expression in expressions {
            do throws(ExpressionError) {
                predicates.append(try Predicate(expression, relativeTo: reference))
            } catch {
                throw CommandFailure(status: .wrongUsage, message: "-Y:\(error)")
            }
        }
        return Predicate.all(predicates)
    }
}
