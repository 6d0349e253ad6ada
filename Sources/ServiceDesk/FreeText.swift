import Platform

/// What people said in their own words (G25). It may name anybody, so it is for those who see names; long numbers in it are
/// for those who see contacts.
enum FreeText {
    /// From so many digits on, a number may be somebody's.
    static let digitsMin = 7

    /// - Returns: `nil` where nothing of it may be seen.
    static func shown(_ text: String?, _ masking: Masking) -> String? {
        guard let text, masking.shows(.name) else { return nil }
        return masking.shows(.phone) ? text : withoutNumbers(text)
    }

    /// Long numbers with their blanks and dashes become stars but for the last two digits.
    static func withoutNumbers(_ text: String) -> String {
        var result = ""
        var run = ""
        func close() {
            let digits = run.count(where: \.isNumber)
            var seen = 0
            for character in run {
                if character.isNumber { seen += 1 }
                let isHidden = digits >= digitsMin && character.isNumber && seen <= digits - 2
                result.append(isHidden ? "*" : character)
            }
            run = ""
        }
        for character in text {
            if character.isNumber || (!run.isEmpty && (character == " " || character == "-")) {
                run.append(character)
            } else {
                close()
                result.append(character)
            }
        }
        close()
        return result
    }

    /// The beginning, on one line.
    static func excerpt(_ text: String?, max: Int = 120) -> String? {
        guard let text else { return nil }
        let line = text.replacing("\n", with: " ")
        return line.count > max ? line.prefix(max) + "…" : line
    }
}
