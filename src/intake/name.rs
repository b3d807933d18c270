//! Names: told apart, tidied, and put into natural case where a system has put the whole name into capitals.

/// The vendor's limit for a first and for a last name, in characters (`annie-api.md`, POST /calls).
const LONGEST_NAME: usize = 100;

/// A patient's names.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct Names {
    /// The legal first name, at most 100 characters.
    pub(super) first: String,
    /// The last name with its suffix, at most 100 characters; may be empty.
    pub(super) last: String,
    /// The name to speak to, at most 100 characters: the first name where no other is given.
    pub(super) preferred: String,
}

/// What the list has of a name; empty where it has nothing.
#[derive(Clone, Copy, Default)]
pub(super) struct NameCells<'a> {
    pub(super) first: &'a str,
    pub(super) last: &'a str,
    pub(super) preferred: &'a str,
    pub(super) full: &'a str,
}

impl Names {
    /// Reads the cells. Columns of their own win over the full name.
    pub(super) fn of(cells: NameCells<'_>) -> Self {
        let mut parts = if cells.first.trim().is_empty() { split_full(tidy(cells.full)) } else { Parts::default() };
        if !cells.first.trim().is_empty() {
            (parts.first, parts.nick) = split_nick(tidy(cells.first));
        }
        if !cells.last.trim().is_empty() {
            parts.last = tidy(cells.last);
        }
        if !cells.preferred.trim().is_empty() {
            parts.nick = tidy(cells.preferred);
        }
        parts.into_names()
    }
}

#[derive(Default)]
struct Parts {
    first: String,
    last: String,
    nick: String,
}

impl Parts {
    fn into_names(self) -> Names {
        let shouted = is_shouted(&self.first) && (self.last.is_empty() || is_shouted(&self.last));
        let natural = |name: String, shouted: bool| cut(if shouted { natural_case(&name) } else { name });
        let first = natural(self.first, shouted);
        let preferred = if self.nick.is_empty() {
            first.clone()
        } else {
            let shouted = shouted && is_shouted(&self.nick);
            natural(self.nick, shouted)
        };
        Names { first, last: natural(self.last, shouted), preferred }
    }
}

/// `Last, First (Nick) M.`, `Last Jr, First`, `First M. Last Jr.`
fn split_full(full: String) -> Parts {
    let (name, nick) = split_nick(full);
    if let Some((last, rest)) = name.split_once(',') {
        let (given, suffix) = match rest.split_once(',') {
            Some((given, suffix)) => (given, suffix.trim()),
            None => (rest, ""),
        };
        let last = format!("{} {suffix}", last.trim());
        return Parts { first: without_initial(given.trim()), last: last.trim().to_owned(), nick };
    }
    let words: Vec<&str> = name.split(' ').collect();
    let suffixes = words.iter().skip(2).rev().take_while(|word| is_suffix(word)).count();
    let family = (words.len() - suffixes).saturating_sub(1).max(1);
    let (given, last) = words.split_at(family.min(words.len()));
    Parts { first: without_initial(&given.join(" ")), last: last.join(" "), nick }
}

/// The name without what stands in parentheses or quotes, and that.
fn split_nick(name: String) -> (String, String) {
    for (open, close) in [('(', ')'), ('"', '"'), ('“', '”')] {
        let Some((before, rest)) = name.split_once(open) else { continue };
        let Some((nick, after)) = rest.split_once(close) else { continue };
        return (tidy(&format!("{before} {after}")), tidy(nick));
    }
    (name, String::new())
}

/// `John M.` is called John; `Mary Ann` is called Mary Ann.
fn without_initial(given: &str) -> String {
    match given.rsplit_once(' ') {
        Some((rest, last)) if last.trim_end_matches('.').chars().count() == 1 => rest.to_owned(),
        _ => given.to_owned(),
    }
}

fn is_suffix(word: &str) -> bool {
    matches!(word.trim_end_matches('.').to_ascii_lowercase().as_str(), "jr" | "sr" | "ii" | "iii" | "iv")
}

/// Single spaces, no control characters, no space around.
fn tidy(cell: &str) -> String {
    let visible: String = cell.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_shouted(name: &str) -> bool {
    let mut letters = name.chars().filter(|c| c.is_alphabetic()).peekable();
    letters.peek().is_some() && letters.all(|c| !c.is_lowercase()) && name.chars().any(char::is_uppercase)
}

/// `MARY-KATE O'BRIEN III` as `Mary-Kate O'Brien III`.
fn natural_case(name: &str) -> String {
    name.split(' ').map(natural_word).collect::<Vec<_>>().join(" ")
}

fn natural_word(word: &str) -> String {
    if is_suffix(word) && word.to_ascii_lowercase().starts_with('i') {
        return word.to_owned();
    }
    let mut natural = String::with_capacity(word.len());
    let mut starts = true;
    for c in word.chars() {
        if starts {
            natural.push(c);
        } else {
            natural.extend(c.to_lowercase());
        }
        starts = !c.is_alphabetic() || (natural == "Mc");
    }
    natural
}

/// At most 100 characters, whole ones.
fn cut(name: String) -> String {
    if name.len() <= LONGEST_NAME {
        return name;
    }
    match name.char_indices().nth(LONGEST_NAME) {
        Some((at, _)) => name[..at].trim_end().to_owned(),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_name_is_told_apart() {
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
            let names = Names::of(NameCells { full, ..NameCells::default() });
            assert_eq!((&*names.first, &*names.last, &*names.preferred), (first, last, preferred), "{full}");
        }
    }

    #[test]
    fn capitals_are_softened_only_where_the_whole_name_is_capitals() {
        for (first, last, expected) in [
            ("MARY-KATE", "O'BRIEN", "Mary-Kate O'Brien"),
            ("JOHN", "MCDONALD III", "John McDonald III"),
            ("JOSÉ", "NÚÑEZ", "José Núñez"),
            ("AJ", "Smith", "AJ Smith"),
            ("Vincent", "van Gogh", "Vincent van Gogh"),
            ("李", "王", "李 王"),
        ] {
            let names = Names::of(NameCells { first, last, ..NameCells::default() });
            assert_eq!(format!("{} {}", names.first, names.last), expected);
        }
    }

    #[test]
    fn the_preferred_name_is_spoken_and_the_legal_one_identifies() {
        let cells = NameCells { first: "Margaret", last: "Hale", preferred: "Peg", full: "ignored, too" };
        let names = Names::of(cells);
        assert_eq!((&*names.first, &*names.preferred), ("Margaret", "Peg"));
        let names = Names::of(NameCells { first: "Margaret (Peg)", last: "Hale", ..NameCells::default() });
        assert_eq!((&*names.first, &*names.preferred), ("Margaret", "Peg"));
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        let first = "é".repeat(150);
        let names = Names::of(NameCells { first: &first, ..NameCells::default() });
        assert_eq!(names.first.chars().count(), LONGEST_NAME);
    }
}
