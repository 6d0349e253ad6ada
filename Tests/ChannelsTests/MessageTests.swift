import Contracts
import Foundation
import Kernel
import Platform
import Storage
import Synchronization
import TMF
import TestSupport
import Testing
import Web

@testable import Channels

/// Customers who agreed to marketing by text message, until they do not any more.
final class Agreed: ConsentReading, Sendable {
    let customers = Mutex<Set<CustomerID>>([CustomerID(1), CustomerID(2)])

    func consents(
        of customers: [CustomerID], to purpose: ConsentPurpose, on topic: ConsentTopic, at: Instant, _ session: any SQLSession
    ) throws -> [CustomerID: ConsentAnswer] {
        var result: [CustomerID: ConsentAnswer] = [:]
        for customer in customers {
            let has = self.customers.withLock { $0.contains(customer) } && topic.code == "sms"
            result[customer] = ConsentAnswer(!purpose.needsConsent ? .notNeeded : has ? .given : .withdrawn)
        }
        return result
    }
}

/// Counts what it is given; fails or dies as it is told.
final class Recorder: ChannelAdapter, Sendable {
    struct State {
        var sent: [String] = []
        var repeated: [String] = []
        var failures: [ChannelFailure] = []
    }
    let state = Mutex(State())
    let memory: String
    /// Called before anything is noted: what it throws is an accident.
    let before: @Sendable () throws -> Void

    init(memory: String = "recorder", before: @escaping @Sendable () throws -> Void = {}) {
        self.memory = memory
        self.before = before
    }

    func send(_ message: OutgoingMessage, isRepeated: Bool) async throws -> ChannelOutcome {
        try before()
        return try state.withLock { state in
            if !state.failures.isEmpty { throw state.failures.removeFirst() }
            if isRepeated { state.repeated.append(message.key) }
            state.sent.append(message.key)
            return .sent
        }
    }
    var sent: [String] { state.withLock { $0.sent } }
}

struct ChannelRig {
    let test: TestTenant
    let consents = Agreed()
    let module: ChannelsModule
    let messages: TestResource
    let adapter: any ChannelAdapter

    init(_ adapter: any ChannelAdapter = Recorder()) async throws {
        test = try await TestTenant(["Channels"])
        self.adapter = adapter
        module = try ChannelsModule(
            customers: NumberedCustomers(), consents: consents, schemas: TMFSchemas(share: Checkout.share), adapter: { _ in adapter })
        messages = TestResource(try #require(module.resources.first), test)
    }

    var recorder: Recorder { adapter as? Recorder ?? Recorder() }

    static func sms(_ customers: [Int] = [1], marketing: Bool = false, more: String = "") -> String {
        let receivers = customers.map { #"{"phoneNumber":"+86139000\#($0)","party":{"id":"\#($0)","@referredType":"Customer"}}"# }
        let purpose = marketing ? #","characteristic":[{"name":"purpose","value":"marketing"}]"# : ""
        return """
            {"messageType":"SMS","content":"Hello","sender":{"id":"op"},"receiver":[\(receivers.joined(separator: ","))]\(purpose)\(more)}
            """
    }

    /// Runs what is due, and what becomes due within so many seconds.
    func work(seconds: Int64 = 0) async throws {
        try await test.drain(jobs: module.jobs(test.tenant))
        if seconds > 0 {
            test.clock.advance(seconds: seconds)
            try await test.drain(jobs: module.jobs(test.tenant))
        }
    }

    func deliveries(_ message: JSONObject) async throws -> [String] {
        try await messages.read(message)["delivery"]?.array?.compactMap { $0["state"]?.string } ?? []
    }
}

@Suite("Messages")
struct MessageTests {
    @Test("a message waits for its time, is handed over once, and says so")
    func sent() async throws {
        let rig = try await ChannelRig()
        let at = rig.test.clock.now().adding(seconds: 3_600)
        let message = try await rig.messages.create(ChannelRig.sms([1, 2], more: #","scheduledSendTime":"\#(at.iso8601)""#))
        #expect(message["state"] == "initial" && message["sendTime"] == nil)
        try await rig.work()
        #expect(rig.recorder.sent.isEmpty)
        try await rig.work(seconds: 3_600)
        #expect(rig.recorder.sent.count == 2 && Set(rig.recorder.sent).count == 2)
        try await rig.work(seconds: 86_400)
        #expect(rig.recorder.sent.count == 2)
        let after = try await rig.messages.read(message)
        #expect(after["state"] == "completed" && after["sendTime"] == .string(at.iso8601) && after["sendTimeComplete"] == .string(at.iso8601))
        #expect(try await rig.deliveries(message) == ["sent", "sent"])
        let told = try await rig.test.tenant.database.read { session in
            try session.query("SELECT payload FROM storage_outbox_event WHERE type = 'tmf.resource.changed' ORDER BY id") { $0.text(0) }
        }
        // Made; begun; the first has it; all have it.
        #expect(told.count == 4 && told.map { $0.contains("stateChanged") } == [false, true, false, true])
        #expect(await TestResource.refusal { try await rig.messages.change(message, #"{"content":"Other"}"#) } == "already_sent")
        #expect(await TestResource.refusal { try await rig.messages.change(message, #"{"state":"cancelled"}"#) } == "illegal_transition")
    }

    @Test("a marketing message goes to nobody who has not agreed; a service message needs no consent")
    func consent() async throws {
        let rig = try await ChannelRig()
        #expect(await TestResource.refusal { try await rig.messages.create(ChannelRig.sms([1, 3], marketing: true)) } == "no_consent")
        #expect(await TestResource.refusal { try await rig.messages.create(ChannelRig.sms([500], marketing: true)) } == "no_consent")
        let typed = ChannelRig.sms([3]).replacing(#""SMS""#, with: #""Marketing SMS""#)
        #expect(await TestResource.refusal { try await rig.messages.create(typed) } == "no_consent")
        #expect(try await rig.messages.list([]).isEmpty)
        try await rig.messages.create(ChannelRig.sms([3]))
        try await rig.messages.create(ChannelRig.sms([1, 2], marketing: true))
        try await rig.work()
        #expect(rig.recorder.sent.count == 3)
    }

    @Test("consent that is withdrawn after the message was made is heeded before it is sent, and that is audited")
    func withdrawn() async throws {
        let rig = try await ChannelRig()
        let at = rig.test.clock.now().adding(seconds: 60).iso8601
        let both = try await rig.messages.create(ChannelRig.sms([1, 2], marketing: true, more: #","scheduledSendTime":"\#(at)""#))
        let one = try await rig.messages.create(ChannelRig.sms([1], marketing: true, more: #","scheduledSendTime":"\#(at)""#))
        rig.consents.customers.withLock { $0 = [CustomerID(2)] }
        try await rig.work(seconds: 60)
        #expect(try await rig.deliveries(both) == ["refused", "sent"])
        #expect(rig.recorder.sent == [(both["id"]?.string ?? "") + "-1"])
        let (whole, refused) = (try await rig.messages.read(both), try await rig.messages.read(one))
        #expect(whole["state"] == "completed" && refused["state"] == "failed" && refused["stateReason"] == "no_consent: withdrawn")
        #expect(try await rig.test.auditCount("channels.message.refuse") == 2)
        // Had it been given again meanwhile, it could be sent again.
        #expect(await TestResource.refusal { try await rig.messages.change(one, #"{"state":"initial"}"#) } == "no_consent")
        rig.consents.customers.withLock { $0 = [CustomerID(1)] }
        try await rig.messages.change(one, #"{"state":"initial"}"#)
        try await rig.work()
        #expect(try await rig.messages.read(one)["state"] == "completed")
    }

    @Test("what fails is tried again later and later, then failed with its reason; a final no is not repeated")
    func retries() async throws {
        let rig = try await ChannelRig()
        rig.recorder.state.withLock { $0.failures = [ChannelFailure("busy", isFinal: false), ChannelFailure("busy", isFinal: false)] }
        let message = try await rig.messages.create(ChannelRig.sms(more: #","tryTimes":2"#))
        try await rig.work()
        let waiting = try await rig.messages.read(message)
        #expect(waiting["state"] == "inProgress" && waiting["stateReason"] == "busy")
        try await rig.work(seconds: 20)
        #expect(try await rig.deliveries(message) == ["queued"])
        try await rig.work(seconds: 20)
        try await rig.work(seconds: 40)
        #expect(try await rig.deliveries(message) == ["queued"])
        try await rig.work(seconds: 40)
        let sent = try await rig.messages.read(message)
        #expect(sent["state"] == "completed" && sent["stateReason"] == nil && sent["delivery"]?.array?.first?["tries"] == .int(3))
        rig.recorder.state.withLock { $0.failures = (0..<9).map { _ in ChannelFailure("busy", isFinal: false) } }
        let bad = try await rig.messages.create(ChannelRig.sms(more: #","tryTimes":1"#))
        try await rig.work(seconds: 100)
        try await rig.work(seconds: 10_000)
        let failed = try await rig.messages.read(bad)
        #expect(failed["state"] == "failed" && failed["stateReason"] == "busy")
        #expect(rig.recorder.state.withLock { $0.failures.count } == 7)
        rig.recorder.state.withLock { $0.failures = [ChannelFailure("no such number", isFinal: true)] }
        let wrong = try await rig.messages.create(ChannelRig.sms())
        try await rig.work()
        #expect(try await rig.messages.read(wrong)["stateReason"] == "no such number")
        try await rig.messages.change(wrong, #"{"state":"initial"}"#)
        try await rig.work()
        #expect(try await rig.messages.read(wrong)["state"] == "completed")
    }

    @Test("what is given up between two tries is not tried again")
    func givenUp() async throws {
        let rig = try await ChannelRig()
        rig.recorder.state.withLock { $0.failures = [ChannelFailure("busy", isFinal: false)] }
        let message = try await rig.messages.create(ChannelRig.sms())
        try await rig.work()
        #expect(try await rig.messages.change(message, #"{"state":"cancelled"}"#)["state"] == "cancelled")
        // As when the try came back after the client's word.
        try await rig.test.tenant.database.write { session in
            _ = try session.execute("UPDATE channels_delivery SET state = 'queued'")
        }
        try await rig.work(seconds: 3_600)
        #expect(rig.recorder.sent.isEmpty)
        #expect(try await rig.deliveries(message) == ["cancelled"])
        #expect(try await rig.messages.read(message)["state"] == "cancelled")
    }

    @Test("what is cancelled before its time is not sent; before its time it may also be changed")
    func cancelled() async throws {
        let rig = try await ChannelRig()
        let at = rig.test.clock.now().adding(seconds: 60).iso8601
        let message = try await rig.messages.create(ChannelRig.sms(more: #","scheduledSendTime":"\#(at)""#))
        let other = try await rig.messages.create(ChannelRig.sms(more: #","scheduledSendTime":"\#(at)""#))
        let changed = try await rig.messages.change(
            other, #"{"content":"New","receiver":[{"phoneNumber":"1","party":{"id":"2","@referredType":"Customer"}},{"phoneNumber":"2"}]}"#)
        #expect(changed["delivery"]?.array?.count == 2)
        #expect(try await rig.messages.change(message, #"{"state":"cancelled"}"#)["state"] == "cancelled")
        try await rig.work(seconds: 120)
        #expect(rig.recorder.sent.count == 2)
        #expect(try await rig.deliveries(message) == ["cancelled"])
        #expect(await TestResource.refusal { try await rig.messages.change(message, #"{"state":"initial"}"#) } == "illegal_transition")
        try await rig.messages.remove(other)
        let left = try await rig.test.tenant.database.read { try $0.count("SELECT COUNT(*) FROM channels_delivery") }
        #expect(left == 1)
    }

    @Test("a process that dies after handing over does not have it handed over twice where the channel knows; else it is left and said")
    func death() async throws {
        struct Death: Error {}
        for (memory, expected) in [("recorder", "completed"), ("elsewhere", "failed")] {
            let rig = try await ChannelRig(Recorder(before: { throw CancellationError() }))
            let message = try await rig.messages.create(ChannelRig.sms())
            // The claim is made, the process ends before anything is written of it.
            await #expect(throws: CancellationError.self) { _ = try await rig.module.sending(rig.test.tenant).run() }
            #expect(try await rig.deliveries(message) == ["sending"])
            let next = Recorder(memory: memory)
            let module = try ChannelsModule(
                customers: NumberedCustomers(), consents: rig.consents, schemas: TMFSchemas(share: Checkout.share), adapter: { _ in next })
            _ = try await module.sending(rig.test.tenant).run()
            #expect(next.sent.isEmpty, "the other may still be at it")
            rig.test.clock.advance(seconds: ChannelJobs.leaseSeconds)
            _ = try await module.sending(rig.test.tenant).run()
            let after = try await rig.messages.read(message)
            #expect(after["state"]?.string == expected)
            #expect(next.state.withLock { $0.repeated.count } == (memory == "recorder" ? 1 : 0))
            if expected == "failed" { #expect(after["stateReason"] == "outcome_unknown") }
        }
    }

    @Test("two who look at the same time send each message once")
    func together() async throws {
        let rig = try await ChannelRig()
        for _ in 0..<20 { try await rig.messages.create(ChannelRig.sms([1, 2])) }
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<4 { group.addTask { try await rig.module.sending(rig.test.tenant).run() } }
            try await group.waitForAll()
        }
        #expect(rig.recorder.sent.count == 40 && Set(rig.recorder.sent).count == 40)
    }

    @Test("the ways a message goes by a client's hand")
    func states() async throws {
        let rig = try await ChannelRig()
        let moves = try await rig.messages.allowedMoves(
            "state", ["initial", "cancelled"], sample: ChannelRig.sms())
        #expect(moves == ["initial>cancelled"])
        let message = try await rig.messages.create(ChannelRig.sms())
        for state in ["inProgress", "completed", "failed"] {
            #expect(await TestResource.refusal { try await rig.messages.change(message, #"{"state":"\#(state)"}"#) } == "illegal_transition")
        }
        #expect(await TestResource.refusal { try await rig.messages.create(ChannelRig.sms(more: #","state":"completed""#)) } == "illegal_transition")
    }

    @Test("what was sent comes back whole, and lists by each column are what the documents say")
    func whole() async throws {
        let rig = try await ChannelRig()
        let sample = """
            {"messageType":"Email","subject":"Bill","content":"Dear <b>","description":"d","priority":"1","logFlag":true,"tryTimes":3,
            "scheduledSendTime":"2099-01-01T08:00:00+08:00","sender":{"id":"op","name":"Op","email":"a@op.cn","phoneNumber":"10086","party":{"id":"p","@referredType":"Organization"}},
            "receiver":[{"id":"r1","name":"Ann","email":"ann@x.cn","ip":"10.0.0.1","party":{"id":"1","role":"customer","name":"Ann","@referredType":"Customer"}},{"email":"b@x.cn","appUserId":"u"}],
            "characteristic":[{"id":"1","name":"lang","valueType":"string","value":"zh"},{"name":"deep","value":{"a":[1,null]}}],
            "attachment":[{"id":"a","name":"bill.pdf","mimeType":"application/pdf","url":"https://x/y","size":{"amount":1,"units":"MB"}}],"mine":{"x":1},"@type":"BillMessage"}
            """
        let made = try await rig.messages.create(sample)
        for (name, value) in try TestResource.object(sample) { #expect(made[name] == value, "\(name): \(String(describing: made[name]))") }
        #expect(try await rig.messages.read(made) == made)
        for number in 1...5 {
            rig.test.clock.advance(seconds: 60)
            try await rig.messages.create(ChannelRig.sms([number, 3]))
            if number == 3 { try await rig.work() }
        }
        // Sending changes a message and leaves what its client sent.
        try await rig.work()
        #expect(try await rig.messages.read(made)["mine"] == made["mine"])
        let (compared, wrong) = try await rig.messages.disagreements()
        #expect(wrong == [] && compared > 20, "\(compared)")
    }

    @Test("who cannot be reached that way, or lies out of reach, is refused")
    func refused() async throws {
        let rig = try await ChannelRig()
        for name in ["content", "messageType", "receiver", "sender"] {
            var sent = try TestResource.object(ChannelRig.sms())
            sent[name] = nil
            let body = JSONValue.object(sent).encoded()
            #expect(await TestResource.refusal { try await rig.messages.create(body) } == "missing", "\(name)")
        }
        let mail = ChannelRig.sms().replacing(#""SMS""#, with: #""Email""#)
        #expect(await TestResource.refusal { try await rig.messages.create(mail) } == "no_address")
        let scoped = TestResource(
            rig.messages.resource, rig.test, Masking.lifted(TestTenant.principal([ChannelsPermissions.edit], regions: ["north"])))
        #expect(await TestResource.refusal { try await scoped.create(ChannelRig.sms([70])) } == "out_of_reach")
    }

    @Test("each receiver has the message in their timeline; who may not see names reads no text of it", arguments: [1, 2, 3, 50])
    func timeline(limit: Int) async throws {
        let rig = try await ChannelRig()
        for number in 0..<3 {
            rig.test.clock.advance(seconds: number == 1 ? 0 : 60)
            try await rig.messages.create(ChannelRig.sms([1, 2]))
        }
        try await rig.work()
        let source = rig.module.timeline
        let names = Masking.lifted(TestTenant.principal([ChannelsPermissions.view]))
        var all: [TimelineEntry] = []
        while all.count < 20 {
            let place = all.last?.place
            let page = try await rig.test.tenant.database.read {
                try source.entries([CustomerID(1), CustomerID(2)], behind: place, limit: limit, for: names, $0)
            }
            if page.isEmpty { break }
            all += page
        }
        #expect(all.count == 6 && Set(all.map(\.key)).count == 6 && all.map(\.at) == all.map(\.at).sorted(by: >))
        #expect(all.allSatisfy { $0.note.en == "Hello" && $0.title.en == "Text message, sent" && $0.unmasked == ["content"] })
        for (principal, count) in [(TestTenant.principal([ChannelsPermissions.view]), 3), (TestTenant.principal([]), 0)] {
            let seen = try await rig.test.tenant.database.read {
                try source.entries([CustomerID(1)], behind: nil, limit: 10, for: principal, $0)
            }
            #expect(seen.count == count && seen.allSatisfy { $0.note.en.isEmpty && $0.unmasked.isEmpty })
        }
    }

    @Test("a removed customer's messages go, and what another was to get of them is given up")
    func forgotten() async throws {
        let rig = try await ChannelRig()
        let at = rig.test.clock.now().adding(seconds: 60).iso8601
        try await rig.messages.create(ChannelRig.sms([1, 2], more: #","scheduledSendTime":"\#(at)","mine":1"#))
        try await rig.messages.create(ChannelRig.sms([2], more: #","scheduledSendTime":"\#(at)""#))
        try await rig.test.tenant.database.write { session in
            try rig.test.tenant.outbox.append(CustomersChanged(ids: [CustomerID(1)], fields: [], kind: .removed), session)
        }
        try await rig.test.drain(handlers: rig.module.eventHandlers(rig.test.tenant))
        try await rig.work(seconds: 60)
        #expect(rig.recorder.sent.count == 1)
        #expect(try await rig.messages.list([]).count == 1)
    }
}

@Suite("The folder that messages are laid into")
struct SpoolTests {
    private func folder() -> String { NSTemporaryDirectory() + "switchboard-spool-" + UUID().uuidString }
    private let message = OutgoingMessage(key: "5-0", tenant: "default", channel: "sms", content: .object(["content": "Hi"]))

    private func files(_ path: String) -> [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }

    @Test("a message lies there whole and once, also when it is handed over again after it was taken on")
    func once() async throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let spool = SpoolAdapter(folder: folder)
        #expect(try await spool.send(message, isRepeated: false) == .sent)
        #expect(files(folder + "/sms") == ["5-0.json"])
        #expect(try String(contentsOfFile: folder + "/sms/5-0.json", encoding: .utf8) == #"{"content":"Hi"}"#)
        try FileManager.default.removeItem(atPath: folder + "/sms/5-0.json")
        #expect(try await spool.send(message, isRepeated: true) == .sent)
        #expect(files(folder + "/sms").isEmpty)
        await spool.forget(before: Instant(milliseconds: 0))
        #expect(files(folder + "/.work") == ["5-0.begun"])
        await spool.forget(before: Instant(milliseconds: 9_000_000_000_000))
        #expect(files(folder + "/.work").isEmpty)
    }

    @Test("whatever step a process died at, the next one brings the message there once", arguments: ["nothing", "part", "whole", "begun"])
    func death(step: String) async throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder + "/.work", withIntermediateDirectories: true)
        func lay(_ name: String, _ text: String) { FileManager.default.createFile(atPath: folder + "/.work/" + name, contents: Data(text.utf8)) }
        if step == "part" { lay("5-0.json.ab12", "{\"con") }
        if step == "whole" || step == "begun" { lay("5-0.json", #"{"content":"Hi"}"#) }
        if step == "begun" { lay("5-0.begun", "") }
        #expect(try await SpoolAdapter(folder: folder).send(message, isRepeated: true) == .sent)
        #expect(try String(contentsOfFile: folder + "/sms/5-0.json", encoding: .utf8) == #"{"content":"Hi"}"#)
        #expect(!files(folder + "/.work").contains("5-0.json"))
    }

    @Test("a folder keeps its name over a restart, and another folder has another")
    func memory() throws {
        let (first, second) = (folder(), folder())
        defer { for path in [first, second] { try? FileManager.default.removeItem(atPath: path) } }
        let name = try SpoolAdapter(folder: first).memory
        #expect(try SpoolAdapter(folder: first).memory == name && SpoolAdapter(folder: second).memory != name)
    }

    @Test("a message goes through the folder and over a restart once; a folder that cannot be written is tried again")
    func story() async throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let rig = try await ChannelRig(SpoolAdapter(folder: folder))
        let message = try await rig.messages.create(ChannelRig.sms([1]))
        // Somebody put a file where the folder belongs.
        FileManager.default.createFile(atPath: folder, contents: Data())
        await #expect(throws: ChannelFailure.self) { _ = try await rig.module.sending(rig.test.tenant).run() }
        #expect(try await rig.deliveries(message) == ["queued"])
        try FileManager.default.removeItem(atPath: folder)
        try await rig.work()
        let id = try #require(message["id"]?.string)
        #expect(files(folder + "/sms") == ["\(id)-0.json"])
        let sent = try JSONValue.parse([UInt8](Data(contentsOf: URL(fileURLWithPath: folder + "/sms/\(id)-0.json"))))
        #expect(sent["address"] == "+861390001" && sent["content"] == "Hello" && sent["key"]?.string == "\(id)-0")
        #expect(files(folder + "/.work") == ["folder-id"], "nothing is remembered of what is settled")
        // A process dies after the file has left and before that is written down; meanwhile somebody takes the file on.
        let other = try await rig.messages.create(ChannelRig.sms([2]))
        let dying = try ChannelsModule(
            customers: NumberedCustomers(), consents: rig.consents, schemas: TMFSchemas(share: Checkout.share),
            adapter: { _ in Dying(base: SpoolAdapter(folder: folder)) })
        await #expect(throws: CancellationError.self) { _ = try await dying.sending(rig.test.tenant).run() }
        let file = folder + "/sms/\(other["id"]?.string ?? "")-0.json"
        try FileManager.default.removeItem(atPath: file)
        rig.test.clock.advance(seconds: ChannelJobs.leaseSeconds)
        _ = try await rig.module.sending(rig.test.tenant).run()
        #expect(!FileManager.default.fileExists(atPath: file))
        #expect(try await rig.messages.read(other)["state"] == "completed")
    }

    /// Hands over, and is gone.
    private struct Dying: ChannelAdapter {
        let base: SpoolAdapter
        var memory: String { get throws { try base.memory } }
        func send(_ message: OutgoingMessage, isRepeated: Bool) async throws -> ChannelOutcome {
            _ = try await base.send(message, isRepeated: isRepeated)
            throw CancellationError()
        }
    }
}
