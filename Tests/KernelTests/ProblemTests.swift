import Kernel
import Testing

@Suite struct ProblemTests {
    @Test func `a problem carries its facts and is its own conversion`() {
        let problem = Problem(
            422,
            "invalid_amount",
            "The amount has too many decimals.",
            faults: [Problem.Fault("/amount", "too_many_decimals")],
            retryAfterSeconds: 3
        )
        #expect(problem.problem == problem)
        #expect(problem.faults.first?.pointer == "/amount")
        #expect(problem.faults.first?.code == "too_many_decimals")
        #expect((problem.status, problem.code, problem.retryAfterSeconds ?? 0) == (422, "invalid_amount", 3))
        #expect(Problem(404, "not_found", "").retryAfterSeconds == nil)
    }
}
