import CLibPQ
import Dispatch
import Synchronization

/// Tells a server that has gone silent from one that is at a long statement: whoever waits for an answer has it asked, on a
/// connection of its own, whether it still accepts connections.
///
/// A machine that is frozen, or a server whose processes are stopped, keeps its sockets open: without this the answer would be
/// waited for as long as that of the longest statement.
final class PostgresVigil: Sendable {
    /// Where one connection leads.
    struct Place: Hashable, Sendable {
        let host: String
        let address: String
        let port: String
    }
    private struct State {
        var isAsking = false
        var lastEnd: ContinuousClock.Instant?
        /// When the first of the questions without an answer was asked, and how many there were since.
        var silentSince: ContinuousClock.Instant?
        var silences = 0
    }

    private let url: String
    private let places = Mutex<[Place: State]>([:])
    private static let asking = DispatchQueue(label: "switchboard.postgres.vigil", attributes: .concurrent)
    /// Waits shorter than this are nobody's concern.
    static let slice = Duration.seconds(1)
    /// So many questions in a row, over so long, without an answer: a server that is merely slow answers one of them.
    private static let silencesMin = 2
    private static let silenceMin = Duration.seconds(3)
    private static let pause = Duration.milliseconds(500)
    /// libpq takes no less.
    private static let questionSeconds = 2

    init(_ settings: PostgresSettings) { url = settings.url }

    /// Whether the server there does not answer anybody. Has it asked when nobody did just now.
    func isSilent(_ place: Place) -> Bool {
        let now = ContinuousClock.now
        let (isSilent, asks) = places.withLock { places in
            var state = places[place] ?? State()
            let isFresh = state.lastEnd.map { now - $0 < .seconds(5) } ?? false
            // What was found before anybody waited this time says nothing of now.
            if !isFresh, !state.isAsking { (state.silentSince, state.silences) = (nil, 0) }
            let isSilent =
                state.silences >= Self.silencesMin && state.silentSince.map { now - $0 >= Self.silenceMin } ?? false
            let isDue = !state.isAsking && state.lastEnd.map { now - $0 >= Self.pause } ?? true
            if isDue { state.isAsking = true }
            places[place] = state
            return (isSilent, isDue)
        }
        if asks { Self.asking.async { [self] in ask(place) } }
        return isSilent
    }

    private func ask(_ place: Place) {
        let began = ContinuousClock.now
        let answers = PostgresConnection.answers(url, at: place, seconds: Self.questionSeconds)
        places.withLock { places in
            var state = places[place] ?? State()
            (state.isAsking, state.lastEnd) = (false, .now)
            if answers {
                (state.silentSince, state.silences) = (nil, 0)
            } else {
                state.silentSince = state.silentSince ?? began
                state.silences += 1
            }
            places[place] = state
        }
    }
}
