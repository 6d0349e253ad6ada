import Contracts
import Kernel
import Storage
import Web

/// A domain as the composition root sees it. App's array of modules is the only list to edit when a domain is born.
package protocol Module: Sendable {
    /// The target's name: its folder under `share/`, and in lower case the prefix of its tables and permissions.
    var name: String { get }
    /// The rights this domain knows, in words, with the roles that have them in a new installation.
    var permissions: [PermissionGrant] { get }
    /// What tokens may be given for routes of this domain.
    var scopes: [APIScope] { get }
    /// A label for every column of every table of this domain (G31).
    var labels: [TableLabels] { get }
    /// Where each table of this domain lies on PostgreSQL: its distribution key, its months.
    var layouts: [TableLayout] { get }
    /// Pages and API routes.
    func endpoints(_ site: SiteInfo) -> [Endpoint]
    /// A tenant was opened, in whichever process.
    func opened(_ tenant: Tenant)
    func eventHandlers(_ tenant: Tenant) -> [EventHandler]
    func jobs(_ tenant: Tenant) -> [JobHandler]
    var schedules: [Schedule] { get }
    /// What goes on beside events and jobs.
    func background(_ tenant: Tenant) -> [BackgroundWork]
    var navigation: [NavigationEntry] { get }
    /// Its parts of the customer page.
    func panels(_ tenant: Tenant) -> [CustomerPanel]
    /// Its parts of the home page.
    func dashboard(_ tenant: Tenant) -> [DashboardCard]
    func search(_ tenant: Tenant) -> [SearchSource]
    /// Fills a new tenant with demonstration data.
    func seed(_ seed: SeedRequest, _ tenant: Tenant) async throws
}

extension Module {
    package var permissions: [PermissionGrant] { [] }
    package var scopes: [APIScope] { [] }
    package var labels: [TableLabels] { [] }
    package var layouts: [TableLayout] { [] }
    package func endpoints(_ site: SiteInfo) -> [Endpoint] { [] }
    package func opened(_ tenant: Tenant) {}
    package func eventHandlers(_ tenant: Tenant) -> [EventHandler] { [] }
    package func jobs(_ tenant: Tenant) -> [JobHandler] { [] }
    package var schedules: [Schedule] { [] }
    package func background(_ tenant: Tenant) -> [BackgroundWork] { [] }
    package var navigation: [NavigationEntry] { [] }
    package func panels(_ tenant: Tenant) -> [CustomerPanel] { [] }
    package func dashboard(_ tenant: Tenant) -> [DashboardCard] { [] }
    package func search(_ tenant: Tenant) -> [SearchSource] { [] }
    package func seed(_ seed: SeedRequest, _ tenant: Tenant) async throws {}
}

/// A right, in words, and who has it from the start.
package struct PermissionGrant: Sendable {
    package let permission: Permission
    package let words: Words
    package let roles: [Role]
    package init(_ permission: Permission, _ words: Words, roles: [Role]) {
        self.permission = permission
        self.words = words
        self.roles = roles
    }
}

/// What a token can be given: some routes of programs, and the rights they need.
package struct APIScope: Sendable {
    /// `tmf629:read`: what it is about in lower-case letters and digits, a colon, `read` or `write`.
    package let name: String
    package let words: Words
    /// The rights that come with it. The first is what it is about: a person is offered the scope who has that one. A
    /// client has all of them; a person's own token those that the person has.
    package let permissions: [Permission]

    /// - Precondition: at least one permission, and a name of that form.
    package init(_ name: String, _ words: Words, permissions: [Permission]) {
        precondition(!permissions.isEmpty, "a scope without rights opens nothing")
        precondition(Self.isName(name), "scopes are named api:read or api:write")
        self.name = name
        self.words = words
        self.permissions = permissions
    }

    private static func isName(_ name: String) -> Bool {
        let parts = name.split(separator: ":", omittingEmptySubsequences: false)
        return parts.count == 2 && !parts[0].isEmpty && ["read", "write"].contains(parts[1])
            && parts[0].utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) }
    }
}

/// A job that is queued once a period, however many processes run.
package struct Schedule: Sendable {
    package let name: String
    package let jobKind: String
    package let everySeconds: Int64
    package init(name: String, jobKind: String, everySeconds: Int64) {
        self.name = name
        self.jobKind = jobKind
        self.everySeconds = everySeconds
    }
}

/// Work that goes on beside events and jobs for as long as a process with workers runs: calls of others, who may be slow, and
/// would hold up a worker for as long.
package struct BackgroundWork: Sendable {
    package let name: String
    /// Goes on until its task is cancelled, looks by itself every so many milliseconds, and tells of what went wrong.
    package let run: @Sendable (_ pollMilliseconds: Int, _ failed: @escaping @Sendable (any Error) -> Void) async -> Void
    /// Does what is due now, for commands and tests; whether anything was.
    package let drain: @Sendable () async throws -> Bool
    package init(
        name: String,
        run: @escaping @Sendable (_ pollMilliseconds: Int, _ failed: @escaping @Sendable (any Error) -> Void) async -> Void,
        drain: @escaping @Sendable () async throws -> Bool
    ) {
        self.name = name
        self.run = run
        self.drain = drain
    }
}

/// An entry of the left-hand navigation.
package struct NavigationEntry: Sendable {
    package let key: String
    /// Name of a symbol in `icons.svg`.
    package let icon: String
    package let path: String
    package let permission: Permission
    /// Lower comes first: home 0, customers 10, risk 20, import 30, models 40, jobs 50, users 60, audit 70.
    package let order: Int
    package init(key: String, icon: String, path: String, permission: Permission, order: Int) {
        self.key = key
        self.icon = icon
        self.path = path
        self.permission = permission
        self.order = order
    }
}

/// What a panel of the customer page is asked for. A set of ids, because a merge is a link (A6): a customer that was
/// linked from several records is shown as one.
package struct PanelRequest: Sendable {
    package let customers: [CustomerID]
    package let principal: Principal
    package let masking: Masking
    package let language: Language
    package let now: Instant
    package let assets: String
    package init(
        customers: [CustomerID], principal: Principal, masking: Masking, language: Language, now: Instant,
        assets: String
    ) {
        self.customers = customers
        self.principal = principal
        self.masking = masking
        self.language = language
        self.now = now
        self.assets = assets
    }
}

/// A filled template.
package struct PanelContent: Sendable {
    package let template: String
    package let view: View
    /// Names of fields that were shown without a mask; kept in the audit of the view.
    package let unmasked: [String]
    /// Other customers it tells of; they are subjects of the view in the audit too.
    package let others: [CustomerID]
    package init(template: String, view: View, unmasked: [String] = [], others: [CustomerID] = []) {
        self.template = template
        self.view = view
        self.unmasked = unmasked
        self.others = others
    }
}

/// One domain's part of the customer page; loaded on the page's one snapshot.
package struct CustomerPanel: Sendable {
    package enum Place: String, Sendable { case main, side }
    package let name: String
    /// Text key of its title.
    package let title: String
    package let place: Place
    package let order: Int
    /// Nobody without it sees the panel.
    package let permission: Permission
    /// Asks for what it shows first; the panels of a page go on in turn and share their round trips.
    package let begin: @Sendable (PanelRequest, any SQLSession) throws -> Staged<PanelContent?>

    package init(
        name: String, title: String, place: Place, order: Int, permission: Permission,
        begin: @escaping @Sendable (PanelRequest, any SQLSession) throws -> Staged<PanelContent?>
    ) {
        self.name = name
        self.title = title
        self.place = place
        self.order = order
        self.permission = permission
        self.begin = begin
    }

    /// The panel by itself.
    package func load(_ request: PanelRequest, _ session: any SQLSession) throws -> PanelContent? {
        try begin(request, session).finished()
    }
}

/// One domain's part of the home page.
package struct DashboardCard: Sendable {
    package let name: String
    package let title: String
    package let order: Int
    /// `wide` spans two columns.
    package let wide: Bool
    package let permission: Permission
    package let load: @Sendable (PanelRequest, any SQLSession) throws -> PanelContent?
    package init(
        name: String, title: String, order: Int, wide: Bool = false, permission: Permission,
        load: @escaping @Sendable (PanelRequest, any SQLSession) throws -> PanelContent?
    ) {
        self.name = name
        self.title = title
        self.order = order
        self.wide = wide
        self.permission = permission
        self.load = load
    }
}

/// A hit of the search box; already masked.
package struct SearchHit: Sendable {
    package let title: String
    package let subtitle: String
    package let path: String
    /// Text key of its group.
    package let group: String
    package let icon: String
    package let subject: AuditSubject?
    package init(title: String, subtitle: String, path: String, group: String, icon: String, subject: AuditSubject?) {
        self.title = title
        self.subtitle = subtitle
        self.path = path
        self.group = group
        self.icon = icon
        self.subject = subject
    }
}

/// Where the search box looks.
package struct SearchSource: Sendable {
    package let permission: Permission
    package let find: @Sendable (_ query: String, _ limit: Int, PanelRequest, any SQLSession) throws -> [SearchHit]
    /// Why nothing can be found by what was typed, when the caller may not look for such a thing.
    package let refusal: @Sendable (_ query: String, Principal) -> Words?
    package init(
        permission: Permission, refusal: @escaping @Sendable (_ query: String, Principal) -> Words? = { _, _ in nil },
        find: @escaping @Sendable (_ query: String, _ limit: Int, PanelRequest, any SQLSession) throws -> [SearchHit]
    ) {
        self.permission = permission
        self.refusal = refusal
        self.find = find
    }
}

/// What another domain has of customers, counted: shown before two of them are joined.
package struct CustomerCount: Sendable {
    package let words: Words
    package let permission: Permission
    package let count: @Sendable ([CustomerID], any SQLSession) throws -> Int
    package init(
        _ words: Words, permission: Permission, count: @escaping @Sendable ([CustomerID], any SQLSession) throws -> Int
    ) {
        self.words = words
        self.permission = permission
        self.count = count
    }
}

/// What another domain has of customers and would lose with them: whoever has any is not removed by taking an import back.
package struct CustomerHold: Sendable {
    /// In the plural: `cases or contacts`.
    package let words: Words
    /// Those of these customers who have any.
    package let holders: @Sendable ([CustomerID], any SQLSession) throws -> Set<CustomerID>
    package init(_ words: Words, holders: @escaping @Sendable ([CustomerID], any SQLSession) throws -> Set<CustomerID>) {
        self.words = words
        self.holders = holders
    }
}
