import Kernel

/// What the name of a survey tells of its scale. Only that of the net promoter score is one everywhere: satisfaction (CSAT) is asked
/// on five, seven, ten or a hundred points, effort (CES) on five or seven.
enum SurveyScale {
    static let npsMax = 10

    /// `NPS`, `NPS 2026Q4`, `rNPS`, `净推荐值`; not a word that has the letters in it.
    static func isNPS(_ survey: String) -> Bool {
        let name = Folding.fold(survey)
        if ["净推荐", "淨推薦", "net promoter"].contains(where: name.contains) { return true }
        // Chinese words stand beside Latin ones without a blank.
        return name.split { !($0.isASCII && $0.isLetter) }.contains { ["nps", "tnps", "rnps", "enps"].contains($0) }
    }
}
