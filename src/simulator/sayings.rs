//! How bots sum up calls: summaries in many phrasings and three languages, from the files in `sayings/`.
//!
//! A file is in sections, and `[declined, opt_out may be]` says what its lines mean: the outcome, then `may be` or `not` for an
//! opt-out or a death that is only possible or only sounds like one. In a line, `{a|b}` is a choice, and `{name}` one of the
//! list that a line `name = a|b` defines. The lines of `[any]` go with any outcome.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use super::seeded_rng::SeededRng;

static SAYINGS: LazyLock<Vec<Saying>> = LazyLock::new(|| {
    let files = [
        ("en", include_str!("sayings/en.txt")),
        ("es", include_str!("sayings/es.txt")),
        ("fr", include_str!("sayings/fr.txt")),
    ];
    files.into_iter().flat_map(|(language, file)| read(language, file)).collect()
});

type Lists = HashMap<&'static str, Vec<&'static str>>;

/// One way to sum up a call.
#[derive(Debug)]
pub struct Saying {
    /// `en`, `es` or `fr`.
    pub language: &'static str,
    /// The machine word of the outcome; `any` for a sentence that goes with any.
    pub outcome: &'static str,
    /// Whether the person opts out: `certain`, `possible` or `no`.
    pub opt_out: &'static str,
    /// Whether the patient has died: `certain`, `possible` or `no`.
    pub deceased: &'static str,
    line: &'static str,
    lists: Arc<Lists>,
}

/// All of them.
#[must_use]
pub fn sayings() -> &'static [Saying] {
    &SAYINGS
}

impl Saying {
    /// Its words, with each choice made by the seed.
    #[must_use]
    pub fn words(&self, seed: u64) -> String {
        chosen(self.line, &self.lists, &mut SeededRng::new(seed))
    }
}

fn read(language: &'static str, file: &'static str) -> Vec<Saying> {
    let mut lists = Lists::new();
    let mut lines = Vec::new();
    let mut section = "";
    for line in file.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_end_matches(']');
        } else if let Some((name, choices)) = line.split_once(" = ") {
            lists.insert(name, choices.split('|').collect());
        } else {
            lines.push((section, line));
        }
    }
    let lists = Arc::new(lists);
    lines.into_iter().map(|(section, line)| Saying::of_section(language, section, line, lists.clone())).collect()
}

impl Saying {
    fn of_section(language: &'static str, section: &'static str, line: &'static str, lists: Arc<Lists>) -> Self {
        let (outcome, more) = section.split_once(", ").unwrap_or((section, ""));
        let sureness = |of: &str| match more.strip_prefix(of) {
            Some("") => "certain",
            Some(" may be") => "possible",
            _ => "no",
        };
        let opt_out = if outcome == "opt_out" { "certain" } else { sureness("opt_out") };
        Self { language, outcome, opt_out, deceased: sureness("deceased"), line, lists }
    }
}

/// Makes the first choice of `line`, and then those of what was chosen and of the rest.
fn chosen(line: &str, lists: &Lists, rng: &mut SeededRng) -> String {
    let Some((before, inside, after)) = first_choice(line) else { return line.to_owned() };
    let choices = match alternatives(inside).as_slice() {
        [name] => lists.get(name).cloned().unwrap_or_else(|| vec![*name]),
        several => several.to_vec(),
    };
    let choice = choices[rng.below(choices.len() as u64) as usize];
    format!("{before}{}{}", chosen(choice, lists, rng), chosen(after, lists, rng))
}

/// What is before, in and after the first pair of braces.
fn first_choice(line: &str) -> Option<(&str, &str, &str)> {
    let open = line.find('{')?;
    let mut depth = 0_usize;
    for (at, letter) in line.char_indices().skip_while(|(at, _)| *at < open) {
        match letter {
            '{' => depth += 1,
            '}' if depth == 1 => return Some((&line[..open], &line[open + 1..at], &line[at + 1..])),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The parts between the bars that are in no further braces.
fn alternatives(inside: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let is_bar = |letter: char| {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        depth == 0 && letter == '|'
    };
    inside.split(is_bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_is_made() {
        for saying in sayings() {
            for seed in 0..20 {
                let words = saying.words(seed);
                assert!(!words.contains(['{', '}', '|']), "{}: {words}", saying.line);
            }
        }
    }

    #[test]
    fn a_choice_may_be_in_a_choice() {
        assert_eq!(first_choice("a {b {c|d}|e} f"), Some(("a ", "b {c|d}|e", " f")));
        assert_eq!(alternatives("b {c|d}|e|"), ["b {c|d}", "e", ""]);
    }

    #[test]
    fn each_language_has_each_outcome_and_doubt() {
        for language in ["en", "es", "fr"] {
            let has = |outcome: &str, opt_out: &str, deceased: &str| {
                sayings().iter().any(|saying| {
                    (saying.language, saying.outcome, saying.opt_out, saying.deceased)
                        == (language, outcome, opt_out, deceased)
                })
            };
            for (outcome, opt_out, deceased) in [
                ("opt_out", "certain", "no"),
                ("unclassified", "possible", "no"),
                ("deceased_or_moved", "no", "certain"),
                ("reached_other", "no", "possible"),
                ("any", "no", "no"),
            ] {
                assert!(has(outcome, opt_out, deceased), "{language}: {outcome}");
            }
        }
    }
}
