import Testing

@testable import Web

@Suite("Views")
struct ViewTests {
    private func text(_ view: View, _ name: String) -> String? {
        if case .text(let text) = view[name] { text } else { nil }
    }

    @Test("what is set later counts; what is taken away is gone altogether")
    func later() {
        var view: View = ["a": "1", "b": "2", "a": "3"]
        #expect(text(view, "a") == "3")
        view["a"] = "4"
        #expect(text(view, "a") == "4")
        #expect(text(view, "b") == "2")
        view["a"] = nil
        #expect(view["a"] == nil)
        #expect(view["none"] == nil)
    }

    @Test("merged fields stand over those of the other")
    func merged() {
        let view = (["a": "mine", "b": "mine"] as View).merging(["b": "other", "c": "other"])
        #expect(text(view, "a") == "mine")
        #expect(text(view, "b") == "mine")
        #expect(text(view, "c") == "other")
    }
}
