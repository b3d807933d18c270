//! Patient names: split into parts, cleaned, and converted from all capitals to natural case.

/// A patient's names, each cut to the vendor's limit.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct PatientNames {
    /// The legal first name.
    pub(super) first: String,
    /// The last name with its suffix; may be empty.
    pub(super) last: String,
    /// The name by which the call addresses the patient; by default the first name.
    pub(super) preferred: String,
}

/// The name cells of a row; empty if the list has no such column.
#[derive(Clone, Copy, Default)]
pub(super) struct NameCells<'a> {
    pub(super) first: &'a str,
    pub(super) last: &'a str,
    pub(super) preferred: &'a str,
    pub(super) full: &'a str,
}

impl PatientNames {
    /// Reads the cells. Separate columns win over the full name. Each name keeps its first `max_chars` characters.
    pub(super) fn from_cells(cells: NameCells<'_>, max_chars: usize) -> Self {
        let mut parts =
            if cells.first.trim().is_empty() { split_full(clean(cells.full)) } else { NameParts::default() };
        if !cells.first.trim().is_empty() {
            (parts.first, parts.nickname) = split_nickname(clean(cells.first));
        }
        if !cells.last.trim().is_empty() {
            parts.last = clean(cells.last);
        }
        if !cells.preferred.trim().is_empty() {
            parts.nickname = clean(cells.preferred);
        }
        parts.into_names(max_chars)
    }
}

#[derive(Default)]
struct NameParts {
    first: String,
    last: String,
    nickname: String,
}

impl NameParts {
    fn into_names(self, max_chars: usize) -> PatientNames {
        let is_capitals = is_all_capitals(&self.first) && (self.last.is_empty() || is_all_capitals(&self.last));
        let finish =
            |name: String, is_capitals: bool| truncate(if is_capitals { natural_case(&name) } else { name }, max_chars);
        let first = finish(self.first, is_capitals);
        let preferred = if self.nickname.is_empty() {
            first.clone()
        } else {
            let is_capitals = is_capitals && is_all_capitals(&self.nickname);
            finish(self.nickname, is_capitals)
        };
        PatientNames { first, last: finish(self.last, is_capitals), preferred }
    }
}

/// Splits `Last, First (Nick) M.`, `Last Jr, First` or `First M. Last Jr.`.
fn split_full(full: String) -> NameParts {
    let (name, nickname) = split_nickname(full);
    if let Some((last, rest)) = name.split_once(',') {
        let (given, suffix) = match rest.split_once(',') {
            Some((given, suffix)) => (given, suffix.trim()),
            None => (rest, ""),
        };
        let last = format!("{} {suffix}", last.trim());
        return NameParts { first: without_initial(given.trim()), last: last.trim().to_owned(), nickname };
    }
    let words: Vec<&str> = name.split(' ').collect();
    let suffixes = words.iter().skip(2).rev().take_while(|word| is_suffix(word)).count();
    let family = (words.len() - suffixes).saturating_sub(1).max(1);
    let (given, last) = words.split_at(family.min(words.len()));
    NameParts { first: without_initial(&given.join(" ")), last: last.join(" "), nickname }
}

/// Splits off a nickname in parentheses or quotes.
fn split_nickname(name: String) -> (String, String) {
    for (open, close) in [('(', ')'), ('"', '"'), ('“', '”')] {
        let Some((before, rest)) = name.split_once(open) else { continue };
        let Some((nickname, after)) = rest.split_once(close) else { continue };
        return (clean(&format!("{before} {after}")), clean(nickname));
    }
    (name, String::new())
}

/// Removes a middle initial: `John M.` becomes `John`; `Mary Ann` stays.
fn without_initial(given: &str) -> String {
    match given.rsplit_once(' ') {
        Some((name, last)) if last.trim_end_matches('.').chars().count() == 1 => name.to_owned(),
        _ => given.to_owned(),
    }
}

fn is_suffix(word: &str) -> bool {
    matches!(word.trim_end_matches('.').to_ascii_lowercase().as_str(), "jr" | "sr" | "ii" | "iii" | "iv")
}

/// Replaces control characters by spaces, collapses runs of spaces, and trims.
fn clean(cell: &str) -> String {
    let visible: String = cell.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_all_capitals(name: &str) -> bool {
    let mut letters = name.chars().filter(|c| c.is_alphabetic()).peekable();
    letters.peek().is_some() && letters.all(|c| !c.is_lowercase()) && name.chars().any(char::is_uppercase)
}

/// Converts `MARY-KATE O'BRIEN III` to `Mary-Kate O'Brien III`.
fn natural_case(name: &str) -> String {
    name.split(' ').map(natural_word).collect::<Vec<_>>().join(" ")
}

fn natural_word(word: &str) -> String {
    if is_suffix(word) && word.to_ascii_lowercase().starts_with('i') {
        return word.to_owned();
    }
    let mut natural = String::with_capacity(word.len());
    let mut at_start = true;
    for c in word.chars() {
        if at_start {
            natural.push(c);
        } else {
            natural.extend(c.to_lowercase());
        }
        at_start = !c.is_alphabetic() || (natural == "Mc");
    }
    natural
}

/// The first characters.
fn truncate(name: String, max_chars: usize) -> String {
    if name.len() <= max_chars {
        return name;
    }
    match name.char_indices().nth(max_chars) {
        Some((at, _)) => name[..at].trim_end().to_owned(),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_name_is_split() {
        for (full, first, last, preferred) in [
            ("O'Brien, Mary-Kate (Katie)", "Mary-Kate", "O'Brien", "Katie"),
            ("SMITH JR, JOHN", "John", "Smith Jr", "John"),
            ("Smith, John M.", "John", "Smith", "John"),
            ("Smith, John (Jack) M.", "John", "Smith", "Jack"),
            ("Smith, John, Jr.", "John", "Smith Jr.", "John"),
            ("John M. Smith", "John", "Smith", "John"),
            ("Mary Ann Smith Jr.", "Mary Ann", "Smith Jr.", "Mary Ann"),
            ("José  Núñez ", "José", "Núñez", "José"),
            ("Cher", "Cher", "", "Cher"),
            ("", "", "", ""),
            (",", "", "", ""),
            ("Smith, ", "", "Smith", ""),
        ] {
            let names = PatientNames::from_cells(NameCells { full, ..NameCells::default() }, 100);
            assert_eq!((&*names.first, &*names.last, &*names.preferred), (first, last, preferred), "{full}");
        }
    }

    #[test]
    fn only_names_in_all_capitals_get_natural_case() {
        for (first, last, expected) in [
            ("MARY-KATE", "O'BRIEN", "Mary-Kate O'Brien"),
            ("JOHN", "MCDONALD III", "John McDonald III"),
            ("JOSÉ", "NÚÑEZ", "José Núñez"),
            ("AJ", "Smith", "AJ Smith"),
            ("Vincent", "van Gogh", "Vincent van Gogh"),
            ("李", "王", "李 王"),
        ] {
            let names = PatientNames::from_cells(NameCells { first, last, ..NameCells::default() }, 100);
            assert_eq!(format!("{} {}", names.first, names.last), expected);
        }
    }

    #[test]
    fn the_preferred_name_does_not_replace_the_legal_one() {
        let cells = NameCells { first: "Margaret", last: "Hale", preferred: "Peg", full: "ignored, too" };
        let names = PatientNames::from_cells(cells, 100);
        assert_eq!((&*names.first, &*names.preferred), ("Margaret", "Peg"));
        let names =
            PatientNames::from_cells(NameCells { first: "Margaret (Peg)", last: "Hale", ..NameCells::default() }, 100);
        assert_eq!((&*names.first, &*names.preferred), ("Margaret", "Peg"));
    }

    #[test]
    fn a_long_name_is_truncated_between_characters() {
        let first = "é".repeat(150);
        let names = PatientNames::from_cells(NameCells { first: &first, ..NameCells::default() }, 100);
        assert_eq!(names.first.chars().count(), 100);
    }
}
