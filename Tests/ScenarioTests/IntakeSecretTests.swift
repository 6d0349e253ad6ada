import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

@Suite("Credentials of an address that is asked for files")
struct IntakeSecretTests {
    @Test("they are set, kept and taken away with the form, go to no other host, and are shown, audited and logged nowhere")
    func story() async throws {
        let scenario = try await Scenario.start()
        let admin = try await scenario.user("admin", [.administrator])
        try admin.post("/preferences", [("language", "en")])
        let usual = [("entity", "customer"), ("settle", "60"), ("every", "60")]
        let here = ("url", "https://1.1.1.1/bills.csv")
        let typed = [("auth", "header"), ("auth_name", "X-Api-Key"), ("auth_secret", "zebra-token-1")]
        func stored() async throws -> String? {
            try await scenario.tenant.database.read {
                try $0.first("SELECT secret FROM ingest_intake WHERE source = 'crm'") { $0.optionalText(0) } ?? nil
            }
        }
        func revision() throws -> String {
            let page = try admin.get("/imports/intake").text
            #expect(!page.contains("zebra") && !page.contains("X-Api-Key\""), "nothing of it is on the page")
            return String(try #require(page.firstMatch(of: /name="revision" value="([^"]+)"/)).1)
        }
        func change(_ fields: [(String, String)]) throws -> RawHTTP.Answer {
            try admin.post("/imports/intake/crm", usual + [("revision", try revision())] + fields)
        }
        // Without an address there is nobody to send them to.
        #expect(try admin.post("/imports/intake", [("source", "crm")] + usual + typed).status == 422)
        #expect(try admin.post("/imports/intake", [("source", "crm"), here] + usual + typed).status == 303)
        let first = try #require(try await stored())
        #expect(!first.contains("zebra") && !first.contains("Api"))
        #expect(try admin.get("/imports/intake").text.contains("with credentials"))
        // They stay when nobody says otherwise, at this host only.
        #expect(try change([here, ("auth", "keep")]).status == 303)
        #expect(try await stored() == first)
        let moved = try change([("url", "https://8.8.8.8/bills.csv"), ("auth", "keep")])
        #expect(moved.status == 422 && moved.text.contains("enter them again") && !moved.text.contains("zebra"))
        #expect(try await stored() == first)
        let wrong = try change([here, ("auth", "header"), ("auth_name", "Host"), ("auth_secret", "zebra-token-2")])
        #expect(wrong.status == 422 && !wrong.text.contains("zebra-token-2"), "what was typed is not told back")
        #expect(try change([here, ("auth", "basic"), ("auth_name", "crm"), ("auth_secret", "zebra-token-3")]).status == 303)
        #expect(try await stored() != first)
        #expect(try change([here, ("auth", "none")]).status == 303)
        #expect(try await stored() == nil)
        let trails = try await scenario.tenant.database.read { session in
            try session.query("SELECT facts FROM platform_audit_event") { $0.text(0) }
        }
        #expect(!trails.contains { $0.contains("zebra") } && trails.contains { $0.contains("credentials") })
        #expect(!scenario.log.text.contains("zebra"))
    }
}
