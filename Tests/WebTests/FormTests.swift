import HTTPTypes
import Kernel
import TestSupport
import Testing

@testable import Web

@Suite("Forms, cookies, local addresses")
struct FormTests {
    @Test("names and values are read in order, with + and percent escapes")
    func parse() throws {
        let form = try Form.parse("name=%E7%8E%8B+%E5%B0%8F%E6%98%8E&tag=a&tag=b&empty=&flag&x=a%3Db%26c&&=v")
        #expect(form["name"] == "王 小明")
        #expect(form.all("tag") == ["a", "b"])
        #expect(form["tag"] == "a")
        #expect(form["empty"] == "" && form["flag"] == "" && form[""] == "v")
        #expect(form["x"] == "a=b&c")
        #expect(form["missing"] == nil)
        #expect(form.fields.count == 7)
        #expect(try Form.parse("").fields.isEmpty)
    }

    @Test(
        "broken escapes, bad UTF-8 and NUL are refused with 400",
        arguments: ["a=%", "a=%4", "a=%zz", "a=%+1", "%=1", "a=%FF", "a=%C0%AF", "a=%ED%A0%80", "a=%00", "a%00=1"])
    func broken(text: String) {
        let error = #expect(throws: CRMError.self) { try Form.parse(text) }
        #expect(error?.status == 400)
    }

    @Test("what is encoded is read back, whatever it holds")
    func roundTrip() throws {
        var random = SeededGenerator(seed: 31)
        let pool = Array("aZ0 +%&=;/?#é王🙂\r\n\t\u{1}\"'<>~-._".unicodeScalars)
        for _ in 0..<1_000 {
            let fields = (0..<Int.random(in: 1...5, using: &random)).map { _ in
                func text() -> String {
                    var result = String.UnicodeScalarView()
                    for _ in 0..<Int.random(in: 0...8, using: &random) {
                        result.append(pool[Int.random(in: 0..<pool.count, using: &random)])
                    }
                    return String(result)
                }
                return (name: text(), value: text())
            }
            let encoded = Form(fields).encoded
            #expect(encoded.utf8.allSatisfy { $0 > 32 && $0 < 127 })
            let back = try Form.parse(encoded)
            #expect(back.fields.map(\.name) == fields.map(\.name))
            #expect(back.fields.map(\.value) == fields.map(\.value))
        }
        #expect(Form.encode("a b/王~") == "a%20b%2F%E7%8E%8B~")
        #expect(Form.encode("\n") == "%0A")
    }

    @Test("fields are trimmed, required or not, and bounded in characters")
    func text() throws {
        let form = Form([
            ("name", " \t王小明\u{3000}"), ("blank", " \u{A0} "), ("long", String(repeating: "好", count: 11)),
        ])
        #expect(try form.text("name") == "王小明")
        #expect(try form.optionalText("blank") == nil)
        #expect(try form.optionalText("missing") == nil)
        #expect(try form.text("long", max: 11).count == 11)
        for (name, max, code) in [("blank", 10, "required"), ("missing", 10, "required"), ("long", 10, "too_long")] {
            let error = #expect(throws: CRMError.self) { try form.text(name, max: max) }
            #expect(error?.status == 422 && error?.code == code && error?.fields.map(\.field) == [name])
        }
    }

    @Test("the length of a field is counted in code points: a flag of joined signs is no way round it")
    func textLength() {
        let family = "👨‍👩‍👧‍👦"
        #expect(family.count == 1)
        #expect(throws: CRMError.self) { try Form([("x", family)]).text("x", max: 3) }
        #expect(throws: CRMError.self) { try Form([("x", "e" + String(repeating: "\u{301}", count: 5_000))]).text("x") }
    }

    @Test("a cookie is found by its whole name among others")
    func cookies() {
        var headers = HTTPFields()
        headers[values: .cookie] = ["a=1; __Host-switchboard=tok=en==; x", "  b = 2 ;__Host-language=zh"]
        #expect(WebCookie.value("__Host-switchboard", in: headers) == "tok=en==")
        #expect(WebCookie.value("__Host-language", in: headers) == "zh")
        #expect(WebCookie.value("b", in: headers) == "2")
        #expect(WebCookie.value("Host-switchboard", in: headers) == nil)
        #expect(WebCookie.value("switchboard", in: headers) == nil)
        #expect(WebCookie.value("x", in: headers) == nil)
        #expect(WebCookie.value("a", in: HTTPFields()) == nil)
    }

    @Test("cookies are locked to this host, the encrypted way, scripts and other sites kept out")
    func settingCookies() {
        let answer = WebResponse.text("x").settingCookie(WebCookie.session, "v", maxAgeSeconds: 60)
        #expect(
            answer.headers[.setCookie] == "__Host-switchboard=v; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=60")
        for name in [WebCookie.session, WebCookie.language, WebCookie.theme, WebCookie.flash] {
            #expect(name.hasPrefix("__Host-"))
        }
    }

    private var request: WebRequest {
        WebRequest(
            method: .get, path: "/", query: Form([]), headers: [:], parameters: ["id": "17", "bad": "x"],
            tenant: "default",
            requestID: "r", address: "a", language: .en, theme: "auto", session: nil, csrfToken: "", cookieToken: "",
            nonce: "", purpose: .service, body: .none)
    }

    @Test(
        "a return address leads nowhere else",
        arguments: [
            "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example",
            "/\n/evil.example",
            " /customers", "javascript:alert(1)", "customers", "", "/a\u{0}b", "/王", "/a b",
            "/" + String(repeating: "a", count: 2_000),
            "/%0d%0aSet-Cookie:x\r\n", "///evil.example", "http:/evil.example", "/\\/evil.example",
        ])
    func openRedirect(text: String) {
        #expect(request.localReturn(text, fallback: "/home") == "/home")
    }

    @Test(
        "a local return address is kept",
        arguments: ["/", "/customers", "/customers?page=2&x=%E7%8E%8B", "/a//b", "/@x", "/%2F/x"])
    func localReturn(text: String) {
        #expect(request.localReturn(text, fallback: "/home") == text)
        #expect(request.localReturn(nil, fallback: "/home") == "/home")
    }

    @Test("what is no id in a path is not found; who is not logged in is asked to")
    func requestHelpers() throws {
        #expect(try request.id("id", PartyKind.self) == PartyID(17))
        for name in ["bad", "missing"] {
            let error = #expect(throws: CRMError.self) { try request.id(name, PartyKind.self) }
            #expect(error?.status == 404)
        }
        #expect(throws: CRMError.self) { try request.principal() }
        #expect(throws: CRMError.self) { try request.jsonObject() }
        #expect(request.form.fields.isEmpty)
    }
}
