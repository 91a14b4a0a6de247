import HandshakeRecord

let explanation = FindingCode.synLost.explanation
print(FindingCode.synLost.rawValue, FindingCode.synLost.severity.rawValue, explanation.title)
print(Outcome.allCases.filter(\.isFailure).map(\.rawValue).joined(separator: " "))
