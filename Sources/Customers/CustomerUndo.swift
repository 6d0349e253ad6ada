import Kernel
import Storage

/// Everything that an import changed in one customer, fact by fact, under keys of our own: `line/17/plan`,
/// `party/0/full_name`, `source/billing`, `attr/5`; `line/17` alone tells that the line came or went. Setters of fields
/// reach far (leaving ends lines), so fields cannot take back what they did: facts can, exactly.
struct CustomerUndo {
    static let revision = "revision"
    static let updatedAt = "updated_at"
    /// A number that came from somebody whose line had ended: the one who is found by it again.
    static let holder = "holder"
    /// What the customer had without being found by it: somebody else had it first.
    static let unfound = "unfound"
    /// A row of the status history that the import wrote.
    static let history = "history"
    private static let source = "source"
    private static let attribute = "attr"

    // MARK: What changed

    static func changes(from before: CustomerRecord, to after: CustomerRecord) -> [ImportChange] {
        var list: [ImportChange] = [
            ImportChange(
                field: revision, before: .int(before.customer.revision), after: .int(after.customer.revision)),
            ImportChange(
                field: updatedAt, before: .time(before.customer.updatedAt), after: .time(after.customer.updatedAt)),
        ]
        add("party", Party.facts, before.party, after.party, &list)
        add("customer", Customer.facts, before.customer, after.customer, &list)
        add(before.contacts, after.contacts, &list)
        add(before.addresses, after.addresses, &list)
        add(before.documents, after.documents, &list)
        add(before.subscriptions, after.subscriptions, &list)
        add(before.outcome.map { [$0] } ?? [], after.outcome.map { [$0] } ?? [], &list)
        if before.sourceIDs != after.sourceIDs {
            for name in Set(before.sourceIDs.keys).union(after.sourceIDs.keys).sorted() {
                note("\(source)/\(name)", .text(before.sourceIDs[name]), .text(after.sourceIDs[name]), &list)
            }
        }
        if before.attributes != after.attributes {
            for id in Set(before.attributes.keys).union(after.attributes.keys).sorted(by: { $0.rawValue < $1.rawValue })
            {
                note("\(attribute)/\(id)", value(before.attributes[id]), value(after.attributes[id]), &list)
            }
        }
        return list
    }

    static func tookOver(_ number: Identifier, from holder: CustomerID) -> ImportChange {
        ImportChange(field: "\(Self.holder)/\(number.value)", before: .id(holder), after: .null)
    }

    static func wrote(_ change: SubscriptionChange) -> ImportChange {
        ImportChange(field: "\(history)/\(change.id)", before: .null, after: .id(change.subscription))
    }

    static func wasUnfound(_ identifier: Identifier) -> ImportChange {
        ImportChange(field: unfound, before: .text(identifier.value), after: .text(identifier.kind))
    }

    /// What the customer is not found by, though it is given back.
    static func unfound(_ changes: [ImportChange]) -> [Identifier] {
        changes.compactMap { change in
            guard change.field == unfound, let kind = change.after.asText, let value = change.before.asText else {
                return nil
            }
            return Identifier(kind: kind, value: value)
        }
    }

    /// Numbers that were taken over, with those who are found by them again.
    static func holders(_ changes: [ImportChange]) -> [(Identifier, CustomerID)] {
        changes.compactMap { change in
            guard change.field.hasPrefix(holder + "/"), let id = change.before.asInt else { return nil }
            return (.msisdn(String(change.field.dropFirst(holder.count + 1))), CustomerID(id))
        }
    }

    private static func note(
        _ key: @autoclosure () -> String, _ before: SQLValue, _ after: SQLValue, _ list: inout [ImportChange]
    ) {
        if before != after { list.append(ImportChange(field: key(), before: before, after: after)) }
    }

    private static func add<Part: Equatable>(
        _ kind: String, _ facts: [Fact<Part>], _ before: Part, _ after: Part, _ list: inout [ImportChange]
    ) {
        guard before != after else { return }
        for fact in facts { note("\(kind)/0/\(fact.name)", fact.get(before), fact.get(after), &list) }
    }

    private static func add<Part: CustomerPart>(_ before: [Part], _ after: [Part], _ list: inout [ImportChange]) {
        guard before != after else { return }
        for old in before {
            let new = after.first { $0.partID == old.partID }
            guard new != old else { continue }
            let key = "\(Part.kind)/\(old.partID)"
            let (had, has) = (old.values(), new?.values() ?? [])
            if new == nil { list.append(ImportChange(field: key, before: .bool(true), after: .null)) }
            for (place, (name, value)) in had.enumerated() {
                // The facts stand in one order; only what some parts have beside them (add-ons) is to be looked for.
                let isThere = has.indices.contains(place) && has[place].name == name
                let now = isThere ? has[place].value : has.first { $0.name == name }?.value
                note("\(key)/\(name)", value, now ?? .null, &list)
            }
            for (name, value) in has.dropFirst(Part.facts.count) where !had.contains(where: { $0.name == name }) {
                note("\(key)/\(name)", .null, value, &list)
            }
        }
        for new in after where !before.contains(where: { $0.partID == new.partID }) {
            let key = "\(Part.kind)/\(new.partID)"
            list.append(ImportChange(field: key, before: .null, after: .bool(true)))
            for (name, value) in new.values() { note("\(key)/\(name)", .null, value, &list) }
        }
    }

    /// As the journal keeps it: typed, without knowing the attribute.
    static func text(_ value: SQLValue) -> String? { value.asText }

    static func value(_ content: AttributeContent?) -> SQLValue {
        switch content {
        case nil: .null
        case .text(let text)?: .text(text)
        case .integer(let int)?: .int(int)
        case .decimal(let double)?: .double(double)
        }
    }

    private static func content(_ value: SQLValue) -> AttributeContent? {
        switch value {
        case .text(let text): .text(text)
        case .int(let int): .integer(int)
        case .double(let double): .decimal(double)
        default: nil
        }
    }

    // MARK: Taking it back

    /// What a customer becomes when an import is taken back.
    struct Result {
        var record: CustomerRecord
        /// Fields whose values were changed since, or are somebody else's by now, and stay.
        var kept: [String] = []
        /// Rows of the status history that go.
        var history: [Int64] = []
    }

    private struct Key {
        let kind: String
        let number: Int64
        /// Empty: the part as a whole.
        let name: String

        /// - Returns: `nil` for a key of no part (`source/x`).
        init?(_ text: String) {
            let pieces = text.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
            guard pieces.count >= 2, let number = Int64(pieces[1]) else { return nil }
            kind = String(pieces[0])
            self.number = number
            name = pieces.count == 3 ? String(pieces[2]) : ""
        }
        var part: String { "\(kind)/\(number)" }
    }

    private let changes: [ImportChange]
    private let current: CustomerRecord
    private let attributes: [CustomAttribute]
    private let taken: Set<Identifier>
    private var result: Result
    /// Keys that are not given back.
    private var held: Set<String> = []

    /// - Parameters:
    ///   - attributes: those that are defined.
    ///   - taken: what others claim by now.
    static func undo(
        _ changes: [ImportChange], on current: CustomerRecord, _ attributes: [CustomAttribute],
        taken: Set<Identifier>, at now: Instant
    ) -> Result {
        var undo = CustomerUndo(changes, current, attributes, taken)
        return undo.run(at: now)
    }

    private init(
        _ changes: [ImportChange], _ current: CustomerRecord, _ attributes: [CustomAttribute], _ taken: Set<Identifier>
    ) {
        self.changes = changes
        self.current = current
        self.attributes = attributes
        self.taken = taken
        result = Result(record: current)
    }

    private mutating func run(at now: Instant) -> Result {
        holdTogether()
        facts("party", Party.facts, \.party)
        facts("customer", Customer.facts, \.customer)
        parts(\.contacts)
        parts(\.addresses)
        parts(\.documents)
        parts(\.subscriptions)
        var outcomes = current.outcome.map { [$0] } ?? []
        parts(current.outcome.map { [$0] } ?? [], &outcomes)
        result.record.outcome = outcomes.last
        sources()
        givenAttributes()
        holdTaken()
        finish(at: now)
        return result
    }

    private mutating func keep(_ field: String) {
        if !result.kept.contains(field) { result.kept.append(field) }
    }

    /// Leaving is one fact in many places, and so is the state of a line: all of it goes back, or none.
    private mutating func holdTogether() {
        let keyed = changes.compactMap { change in Key(change.field).map { (key: $0, change: change) } }
        let whole = Set(keyed.filter { $0.key.name.isEmpty }.map(\.key.part))
        let isLeaving = keyed.contains { $0.key.kind == "customer" && $0.key.name == "left" }
        var groups: [String: [(key: Key, change: ImportChange)]] = [:]
        for item in keyed {
            let isState = item.key.name == "subscription_status" || item.key.name == "ended_on"
            if item.key.kind == Subscription.kind, isState, !whole.contains(item.key.part) {
                groups[isLeaving ? "left" : item.key.part, default: []].append(item)
            } else if isLeaving,
                item.key.kind == Outcome.kind
                    || item.key.kind == "customer" && ["left", "status"].contains(item.key.name)
            {
                groups["left", default: []].append(item)
            }
        }
        for (name, group) in groups where !group.allSatisfy({ stands($0.key, $0.change) }) {
            held.formUnion(group.map(\.change.field))
            keep(name == "left" ? "left" : "subscription_status")
        }
    }

    /// Whether a customer still holds what the import left.
    private func stands(_ key: Key, _ change: ImportChange) -> Bool {
        switch key.kind {
        case "customer": Customer.facts.first { $0.name == key.name }?.get(current.customer) == change.after
        case Outcome.kind: stands(current.outcome.map { [$0] } ?? [], key, change)
        case Subscription.kind: stands(current.subscriptions, key, change)
        default: false
        }
    }

    private func stands<Part: CustomerPart>(_ parts: [Part], _ key: Key, _ change: ImportChange) -> Bool {
        let part = parts.first { $0.partID == key.number }
        if key.name.isEmpty { return (part == nil) == (change.after == .null) }
        return (part?.value(key.name) ?? .null) == change.after
    }

    private mutating func facts<Part>(
        _ kind: String, _ facts: [Fact<Part>], _ path: WritableKeyPath<CustomerRecord, Part>
    ) {
        for change in changes where change.field.hasPrefix(kind + "/") && !held.contains(change.field) {
            guard let name = Key(change.field)?.name, let fact = facts.first(where: { $0.name == name }) else {
                continue
            }
            if fact.get(current[keyPath: path]) == change.after {
                fact.set(&result.record[keyPath: path], change.before)
            } else {
                keep(name)
            }
        }
    }

    private mutating func parts<Part: CustomerPart>(_ path: WritableKeyPath<CustomerRecord, [Part]>) {
        var list = result.record[keyPath: path]
        parts(current[keyPath: path], &list)
        result.record[keyPath: path] = list
    }

    private mutating func parts<Part: CustomerPart>(_ now: [Part], _ list: inout [Part]) {
        let mine = changes.compactMap { change in
            Key(change.field).flatMap { $0.kind == Part.kind ? (key: $0, change: change) : nil }
        }
        guard !mine.isEmpty else { return }
        var order: [Int64] = []
        for item in mine where !order.contains(item.key.number) { order.append(item.key.number) }
        for number in order {
            let group = mine.filter { $0.key.number == number && !held.contains($0.change.field) }
            part(number, group, now.first { $0.partID == number }, &list)
        }
        list.sort { $0.partID < $1.partID }
    }

    private mutating func part<Part: CustomerPart>(
        _ number: Int64, _ group: [(key: Key, change: ImportChange)], _ now: Part?, _ list: inout [Part]
    ) {
        let place = list.firstIndex { $0.partID == number }
        if let whole = group.first(where: { $0.key.name.isEmpty })?.change {
            if whole.after != .null {
                // The import made it: it goes while it is as the import left it.
                guard let now, let place else { return }
                var made = Part(blank: number)
                for item in group where !item.key.name.isEmpty { made.give(item.key.name, item.change.after) }
                guard made == now else {
                    let names = now.values().filter { made.value($0.name) != $0.value }.map(\.name)
                    for name in names { keep(field(name, now)) }
                    if names.isEmpty { keep(Part.kind) }
                    return
                }
                list.remove(at: place)
            } else if now == nil {
                var old = Part(blank: number)
                for item in group where !item.key.name.isEmpty { old.give(item.key.name, item.change.before) }
                list.append(old)
            }
            return
        }
        for item in group {
            guard let now, let place, now.value(item.key.name) == item.change.after else {
                keep(now.map { field(item.key.name, $0) } ?? item.key.name)
                continue
            }
            list[place].give(item.key.name, item.change.before)
        }
    }

    /// The field by which people know a fact.
    private func field(_ name: String, _ part: some CustomerPart) -> String {
        if let contact = part as? ContactMedium { return contact.kind.rawValue }
        return name == "ended_on" ? "subscription_status" : name
    }

    private mutating func sources() {
        for change in changes where change.field.hasPrefix(Self.source + "/") {
            let name = String(change.field.dropFirst(Self.source.count + 1))
            guard SQLValue.text(current.sourceIDs[name]) == change.after else {
                keep("source_id")
                continue
            }
            if let number = change.before.asText, taken.contains(.source(name, number)) {
                keep("source_id")
            } else {
                result.record.sourceIDs[name] = change.before.asText
            }
        }
    }

    private mutating func givenAttributes() {
        for change in changes where change.field.hasPrefix(Self.attribute + "/") {
            guard let number = Key(change.field)?.number else { continue }
            let id = AttributeID(number)
            guard let attribute = attributes.first(where: { $0.id == id }),
                Self.value(current.attributes[id]) == change.after
            else {
                keep(attributes.first { $0.id == id }?.fieldKey ?? change.field)
                continue
            }
            result.record.attributes[attribute.id] = Self.content(change.before)
        }
    }

    /// A number that is somebody else's by now does not come back: its line stays as it is.
    private mutating func holdTaken() {
        guard !taken.isEmpty else { return }
        for place in result.record.subscriptions.indices {
            let line = result.record.subscriptions[place]
            guard let number = line.msisdn, line.status != .terminated, taken.contains(.msisdn(number)) else {
                continue
            }
            let now = current.subscriptions.first { $0.id == line.id }
            result.record.subscriptions[place].msisdn = now?.msisdn
            if let now {
                result.record.subscriptions[place].status = now.status
                result.record.subscriptions[place].endedOn = now.endedOn
            }
            keep("msisdn")
        }
    }

    private mutating func finish(at now: Instant) {
        for change in changes where change.field.hasPrefix(Self.history + "/") {
            guard let id = Key(change.field)?.number, let number = change.after.asInt else { continue }
            let line = result.record.subscriptions.first { $0.id.rawValue == number }
            let before = current.subscriptions.first { $0.id.rawValue == number }
            if line?.status != before?.status || result.kept.isEmpty { result.history.append(id) }
        }
        guard result.record != current || !result.history.isEmpty else { return }
        let revision = changes.first { $0.field == Self.revision }
        if result.kept.isEmpty, let revision, revision.after == .int(current.customer.revision),
            let earlier = revision.before.asInt
        {
            // Nobody else wrote meanwhile: an earlier import can be taken back after this one.
            result.record.customer.revision = earlier
            if let time = changes.first(where: { $0.field == Self.updatedAt })?.before.asInt {
                result.record.customer.updatedAt = Instant(milliseconds: time)
            }
        } else {
            result.record.customer.revision += 1
            result.record.customer.updatedAt = now
        }
    }
}
