import Kernel
import Storage

/// Rows to be written, table by table, so that a chunk of customers takes one batch a table.
struct CustomerRows {
    private(set) var parties: [[SQLValue]] = []
    private(set) var customers: [[SQLValue]] = []
    private(set) var contacts: [[SQLValue]] = []
    private(set) var addresses: [[SQLValue]] = []
    private(set) var documents: [[SQLValue]] = []
    private(set) var subscriptions: [[SQLValue]] = []
    private(set) var locators: [[SQLValue]] = []
    private(set) var addons: [[SQLValue]] = []
    private(set) var outcomes: [[SQLValue]] = []
    private(set) var attributes: [[SQLValue]] = []
    private(set) var identifiers: [[SQLValue]] = []
    private(set) var tracedIdentifiers: [[SQLValue]] = []
    var search: [[SQLValue]] = []
    /// Texts of the search index.
    var texts: [[SQLValue]] = []
    var listing: [[SQLValue]] = []

    /// What a party has that is nobody's customer.
    mutating func addParty(_ record: CustomerRecord) {
        let id = SQLValue.id(record.id)
        parties.append(Self.row(id, record.party))
        for contact in record.contacts { contacts.append(Self.row(id, contact)) }
        for address in record.addresses { addresses.append(Self.row(id, address)) }
        for document in record.documents { documents.append(Self.row(id, document)) }
    }

    mutating func add(_ record: CustomerRecord) {
        let id = SQLValue.id(record.id)
        addParty(record)
        customers.append(Self.row(id, record.customer))
        for line in record.subscriptions {
            subscriptions.append(Self.row(id, line))
            locators.append([.id(line.id), id])
            for addon in line.addons { addons.append(Self.row(id, line.id, addon)) }
        }
        if let outcome = record.outcome { outcomes.append(Self.row(id, outcome)) }
        for (attribute, content) in record.attributes { attributes.append(Self.row(id, attribute, content)) }
    }

    /// The parts of `after` that are not in `before`.
    mutating func addChanged(before: CustomerRecord, after: CustomerRecord) {
        let id = SQLValue.id(after.id)
        if before.party != after.party { parties.append(Self.row(id, after.party)) }
        if before.customer != after.customer { customers.append(Self.row(id, after.customer)) }
        for contact in after.contacts where !before.contacts.contains(contact) {
            contacts.append(Self.row(id, contact))
        }
        for address in after.addresses where !before.addresses.contains(address) {
            addresses.append(Self.row(id, address))
        }
        for document in after.documents where !before.documents.contains(document) {
            documents.append(Self.row(id, document))
        }
        for line in after.subscriptions where !before.subscriptions.contains(line) {
            let old = before.subscriptions.first { $0.id == line.id }
            subscriptions.append(Self.row(id, line))
            if old == nil { locators.append([.id(line.id), id]) }
            for addon in line.addons where !(old?.addons.contains(addon) ?? false) {
                addons.append(Self.row(id, line.id, addon))
            }
        }
        if let outcome = after.outcome, outcome != before.outcome { outcomes.append(Self.row(id, outcome)) }
        for (attribute, content) in after.attributes where before.attributes[attribute] != content {
            attributes.append(Self.row(id, attribute, content))
        }
    }

    mutating func claim(_ identifier: Identifier, _ id: CustomerID) { identifiers.append(identifier.row(id)) }
    mutating func trace(_ identifier: Identifier, _ id: CustomerID) { tracedIdentifiers.append(identifier.row(id)) }

    /// Writes everything but the listing, whose statement depends on whether the customers are new.
    func write(_ session: any SQLSession) throws {
        let batches: [(SQL, [[SQLValue]])] = [
            (CustomerSQL.upsertParty, parties), (CustomerSQL.upsertCustomer, customers),
            (CustomerSQL.upsertContact, contacts), (CustomerSQL.upsertAddress, addresses),
            (CustomerSQL.upsertDocument, documents), (CustomerSQL.upsertSubscription, subscriptions),
            (CustomerSQL.insertLocator, locators), (CustomerSQL.upsertAddon, addons),
            (CustomerSQL.upsertOutcome, outcomes), (CustomerSQL.upsertAttributeValue, attributes),
            (CustomerSQL.insertIdentifier, identifiers),
            (CustomerSQL.insertTrace, tracedIdentifiers), (CustomerSQL.insertSearch, search),
        ]
        for (statement, rows) in batches where !rows.isEmpty { try session.executeMany(statement, rows) }
        try SearchIndex.put(texts, session)
    }

    private static func row(_ id: SQLValue, _ party: Party) -> [SQLValue] {
        [
            id, .text(party.kind.rawValue), .text(party.displayName), .text(Folding.fold(party.displayName)),
            .text(party.familyName), .text(party.givenName), .text(party.gender), .date(party.birthDate),
            .bool(party.senior), .text(party.language), .text(party.industry), .text(party.sizeTier?.rawValue),
        ]
    }

    private static func row(_ id: SQLValue, _ customer: Customer) -> [SQLValue] {
        [
            id, .text(customer.reference), .text(customer.status.rawValue), .text(customer.statusReason),
            .text(customer.segment), .text(customer.region), .text(customer.city), .date(customer.since),
            .text(customer.paymentMethod), .bool(customer.paperless), .int(customer.totalCharges),
            .text(customer.currency), .bool(customer.hasLeft), .text(customer.source), .int(customer.revision),
            .time(customer.createdAt), .time(customer.updatedAt), .int(customer.edition),
        ]
    }

    private static func row(_ id: SQLValue, _ contact: ContactMedium) -> [SQLValue] {
        [
            id, .id(contact.id), .text(contact.kind.rawValue), .text(contact.value), .text(Folding.fold(contact.value)),
            .bool(contact.preferred),
        ]
    }

    private static func row(_ id: SQLValue, _ address: Address) -> [SQLValue] {
        [
            id, .id(address.id), .text(address.lines), .text(address.city), .text(address.region),
            .text(address.postcode), .text(address.country), .double(address.latitude), .double(address.longitude),
        ]
    }

    private static func row(_ id: SQLValue, _ document: IdentityDocument) -> [SQLValue] {
        [id, .id(document.id), .text(document.kind.rawValue), .text(document.number)]
    }

    private static func row(_ id: SQLValue, _ line: Subscription) -> [SQLValue] {
        [
            id, .id(line.id), .text(line.service.rawValue), .text(line.technology), .text(line.plan),
            .text(line.msisdn), .int(line.contractTerm.map(Int64.init)), .date(line.contractEnd),
            .date(line.startedOn), .date(line.endedOn), .text(line.status.rawValue), .int(line.monthlyCharge),
            .text(line.currency), .text(line.iccid), .text(line.imsi), .text(line.imei), .text(line.device),
            .text(line.simKind?.rawValue),
        ]
    }

    private static func row(_ id: SQLValue, _ line: SubscriptionID, _ addon: Addon) -> [SQLValue] {
        [id, .id(line), .text(addon.code), .int(addon.monthlyCharge)]
    }

    private static func row(_ id: SQLValue, _ outcome: Outcome) -> [SQLValue] {
        [
            id, .id(outcome.id), .date(outcome.leftOn), .text(outcome.reasonCode), .text(outcome.reasonText),
            .text(outcome.competitor), .date(outcome.recordedOn),
        ]
    }

    private static func row(_ id: SQLValue, _ attribute: AttributeID, _ content: AttributeContent) -> [SQLValue] {
        switch content {
        case .text(let text): [id, .id(attribute), .text(text), .null, .null]
        case .integer(let int): [id, .id(attribute), .null, .int(int), .null]
        case .decimal(let double): [id, .id(attribute), .null, .null, .double(double)]
        }
    }
}

/// Keys of rows that a change leaves without a place.
struct GoneRows {
    private var contacts: [[SQLValue]] = []
    private var addresses: [[SQLValue]] = []
    private var documents: [[SQLValue]] = []
    private var subscriptions: [[SQLValue]] = []
    private var locators: [[SQLValue]] = []
    private var addons: [[SQLValue]] = []
    private var outcomes: [[SQLValue]] = []
    private var attributes: [[SQLValue]] = []
    private var identifiers: [[SQLValue]] = []
    var search: [[SQLValue]] = []

    mutating func note(before: CustomerRecord, after: CustomerRecord) {
        let id = SQLValue.id(after.id)
        for contact in before.contacts where !after.contacts.contains(where: { $0.id == contact.id }) {
            contacts.append([id, .id(contact.id)])
        }
        for address in before.addresses where !after.addresses.contains(where: { $0.id == address.id }) {
            addresses.append([id, .id(address.id)])
        }
        for document in before.documents where !after.documents.contains(where: { $0.id == document.id }) {
            documents.append([id, .id(document.id)])
        }
        for line in before.subscriptions {
            let new = after.subscriptions.first { $0.id == line.id }
            if new == nil {
                subscriptions.append([id, .id(line.id)])
                locators.append([.id(line.id)])
            }
            for addon in line.addons where !(new?.addons.contains { $0.code == addon.code } ?? false) {
                addons.append([id, .id(line.id), .text(addon.code)])
            }
        }
        if let outcome = before.outcome, after.outcome?.id != outcome.id { outcomes.append([id, .id(outcome.id)]) }
        for attribute in before.attributes.keys where after.attributes[attribute] == nil {
            attributes.append([id, .id(attribute)])
        }
    }

    mutating func add(_ identifier: Identifier, _ id: CustomerID) {
        identifiers.append(identifier.row(id))
    }

    func write(_ session: any SQLSession) throws {
        let batches: [(SQL, [[SQLValue]])] = [
            (CustomerSQL.deleteContact, contacts), (CustomerSQL.deleteAddress, addresses),
            (CustomerSQL.deleteDocument, documents), (CustomerSQL.deleteAddon, addons),
            (CustomerSQL.deleteSubscription, subscriptions), (CustomerSQL.deleteLocator, locators),
            (CustomerSQL.deleteOutcome, outcomes), (CustomerSQL.deleteAttributeValue, attributes),
            (CustomerSQL.deleteIdentifier, identifiers), (CustomerSQL.deleteSearch, search),
        ]
        for (statement, rows) in batches where !rows.isEmpty { try session.executeMany(statement, rows) }
    }
}
