import HTTPTypes
import Kernel
import Testing

@testable import Web

@Suite("Answers")
struct ResponseTests {
    private let hostile = "x\r\nSet-Cookie: evil=1\r\n\r\n<html>"

    @Test("no text of a person's making can start a new header line")
    func headerInjection() {
        let answers = [
            WebResponse.redirect("/a" + hostile), WebResponse.download(.init(), name: hostile, type: "text/csv"),
            WebResponse.text("x").flash(hostile), WebResponse.text("x").settingCookie("a", hostile, maxAgeSeconds: nil),
            WebResponse.text("x", type: hostile),
        ]
        for answer in answers {
            for field in answer.headers {
                #expect(
                    !field.value.contains("\r") && !field.value.contains("\n")
                        && !field.value.unicodeScalars.contains("\u{0}"))
            }
        }
    }

    @Test("a file is offered with a plain name and the whole one encoded")
    func download() {
        let answer = WebResponse.download(.init(), name: "客户 \"a\"/b.csv", type: "text/csv")
        #expect(
            answer.headers[.contentDisposition]
                == "attachment; filename=\"____a__b.csv\"; filename*=UTF-8''%E5%AE%A2%E6%88%B7%20%22a%22%2Fb.csv")
    }

    @Test("answers have the types and states they are named after")
    func kinds() {
        #expect(WebResponse.html("x").headers[.contentType] == "text/html; charset=utf-8")
        #expect(WebResponse.json(.null).headers[.contentType] == "application/json; charset=utf-8")
        #expect(WebResponse.redirect("/x").status == .seeOther)
        #expect(WebResponse.redirect("/x").headers[.location] == "/x")
        #expect(WebResponse.text("x", status: .notFound).status == .notFound)
    }

    @Test("random texts are of their length, from the right alphabet, and differ")
    func randomTexts() {
        let tokens = (0..<200).map { _ in RandomText.token() }
        #expect(Set(tokens).count == 200)
        #expect(
            tokens.allSatisfy {
                $0.utf8.count == 43 && $0.allSatisfy { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }
            })
        let hex = RandomText.hex(8)
        #expect(hex.count == 16 && hex.allSatisfy(\.isHexDigit))
    }
}
