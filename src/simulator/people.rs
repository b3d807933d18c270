//! People: how they take a call, by weights and a seed or by a script.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::bounded;
use crate::phone::E164;
use crate::visible::DisplayPath;

use super::seeded_rng::SeededRng;

macro_rules! behaviours {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $shortest:literal..=$longest:literal);* $(;)?) => {
        /// How the called person, or the line, takes a call.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub enum Behaviour {
            $($(#[$doc])* #[serde(rename = $word)] $name,)*
        }

        impl Behaviour {
            /// Every behaviour.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its machine word in people files and in the call log.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The shortest and the longest duration of such a call, in seconds.
            #[must_use]
            pub fn seconds(self) -> (u32, u32) {
                match self { $(Self::$name => ($shortest, $longest),)* }
            }
        }
    };
}

behaviours! {
    /// Answers and books an appointment.
    Books = "books", 90..=240;
    /// Answers and confirms the appointment.
    Confirms = "confirms", 35..=110;
    /// Answers and asks for another time.
    Reschedules = "reschedules", 60..=180;
    /// Answers and wants no appointment.
    Declines = "declines", 30..=120;
    /// Answers and asks for a call by a person.
    AsksCallback = "asks-callback", 30..=100;
    /// Answers and opts out of such calls.
    OptsOut = "opts-out", 15..=60;
    /// Voicemail takes a message.
    Voicemail = "voicemail", 25..=60;
    /// It rings and nobody answers.
    NoAnswer = "no-answer", 20..=40;
    /// The line is busy.
    Busy = "busy", 15..=20;
    /// The number belongs to somebody else.
    WrongNumber = "wrong-number", 15..=50;
    /// The patient has died or moved away.
    DeceasedOrMoved = "deceased-or-moved", 20..=80;
    /// The number is out of service.
    InvalidNumber = "invalid-number", 15..=20;
    /// Somebody else of the household answers.
    ReachedOther = "reached-other", 20..=70;
    /// A conversation that no tag describes.
    Unclassifiable = "unclassifiable", 15..=90;
}

impl Behaviour {
    /// The behaviour with this machine word.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|behaviour| behaviour.name() == name)
    }

    /// Whether the call reaches a person or leaves a message.
    #[must_use]
    pub fn is_contact(self) -> bool {
        match self {
            Self::Books
            | Self::Confirms
            | Self::Reschedules
            | Self::Declines
            | Self::AsksCallback
            | Self::OptsOut
            | Self::Voicemail
            | Self::WrongNumber
            | Self::DeceasedOrMoved
            | Self::ReachedOther => true,
            Self::NoAnswer | Self::Busy | Self::InvalidNumber | Self::Unclassifiable => false,
        }
    }

    /// The behaviour in a text conversation, which has no busy line and no voicemail: no reply.
    pub(super) fn in_text(self) -> Self {
        if matches!(self, Self::Voicemail | Self::Busy) { Self::NoAnswer } else { self }
    }

    /// A random duration within [`Behaviour::seconds`].
    pub(super) fn draw_seconds(self, rng: &mut SeededRng) -> u32 {
        let (shortest, longest) = self.seconds();
        shortest + rng.below(u64::from(longest - shortest) + 1) as u32
    }
}

impl<'de> Deserialize<'de> for Behaviour {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Self::from_name(&word).ok_or_else(unknown_behaviour)
    }
}

fn unknown_behaviour<E: de::Error>() -> E {
    let known: Vec<_> = Behaviour::ALL.iter().map(|behaviour| behaviour.name()).collect();
    E::custom(format_args!("unknown behaviour; known are {}", known.join(", ")))
}

/// The relative weight of each behaviour. A behaviour that is not listed never happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weights {
    /// For calls without an appointment.
    pub recall: Vec<(Behaviour, u32)>,
    /// For calls about an appointment.
    pub reminder: Vec<(Behaviour, u32)>,
}

impl Default for Weights {
    fn default() -> Self {
        use Behaviour as B;
        let common = [
            (B::Voicemail, 24),
            (B::NoAnswer, 16),
            (B::Busy, 4),
            (B::AsksCallback, 5),
            (B::WrongNumber, 2),
            (B::ReachedOther, 3),
            (B::DeceasedOrMoved, 1),
            (B::InvalidNumber, 1),
            (B::Unclassifiable, 2),
        ];
        let with = |special: &[(Behaviour, u32)]| special.iter().chain(&common).copied().collect();
        Self {
            recall: with(&[(B::Books, 28), (B::Declines, 12), (B::OptsOut, 2)]),
            reminder: with(&[(B::Confirms, 34), (B::Reschedules, 7), (B::OptsOut, 1)]),
        }
    }
}

impl Weights {
    /// Weights under which everybody behaves the same on every call.
    #[must_use]
    pub fn always(behaviour: Behaviour) -> Self {
        Self { recall: vec![(behaviour, 1)], reminder: vec![(behaviour, 1)] }
    }

    fn draw(&self, has_appointment: bool, rng: &mut SeededRng) -> Behaviour {
        let table = if has_appointment { &self.reminder } else { &self.recall };
        let mut remaining = rng.below(table.iter().map(|(_, weight)| u64::from(*weight)).sum());
        for (behaviour, weight) in table {
            match remaining.checked_sub(u64::from(*weight)) {
                Some(rest) => remaining = rest,
                None => return *behaviour,
            }
        }
        Behaviour::NoAnswer
    }
}

/// How one call goes, by the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scripted {
    /// How the person takes the call.
    pub behaviour: Behaviour,
    /// The duration in seconds; drawn if not given.
    pub seconds: Option<u32>,
}

/// Scripts: the behaviour on the first, second, … call to a number; the last entry repeats. Numbers without a script
/// follow the weights.
///
/// A file is a TOML or JSON map from a number to a list. An item is a behaviour's word or a table:
///
/// ```toml
/// "+13125550101" = ["no-answer", { behaviour = "books", seconds = 95 }]
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct People(HashMap<E164, Vec<Scripted>>);

impl fmt::Debug for People {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "People({} scripted)", self.0.len())
    }
}

/// Why a people file is rejected. Never repeats the file's content.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// The file cannot be read.
    #[error("people file {}: {source}", path.shown())]
    File {
        /// The file's path.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The content is not a valid people file.
    #[error("people file, line {line}: {what}")]
    Content {
        /// The line number, counted from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
}

impl People {
    /// Reads a file: JSON if its name ends in `.json`, else TOML.
    pub fn read(path: &Path) -> Result<Self, PeopleError> {
        let text = bounded::read_text(path).map_err(|source| PeopleError::File { path: path.to_path_buf(), source })?;
        let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        if is_json { Self::from_json(&text) } else { Self::from_toml(&text) }
    }

    /// Reads TOML.
    pub fn from_toml(text: &str) -> Result<Self, PeopleError> {
        toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let line = text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1;
            PeopleError::Content { line, what: error.message().to_string() }
        })
    }

    /// Reads JSON.
    pub fn from_json(text: &str) -> Result<Self, PeopleError> {
        serde_json::from_str(text)
            .map_err(|error| PeopleError::Content { line: error.line(), what: without_position(&error.to_string()) })
    }

    /// Sets the script of `number`, and replaces any earlier one.
    pub fn set_script(&mut self, number: E164, calls: Vec<Scripted>) {
        self.0.insert(number, calls);
    }

    /// The script's entry for the call after `earlier` ones.
    fn scripted(&self, number: E164, earlier: u64) -> Option<Scripted> {
        let calls = self.0.get(&number)?;
        let index = usize::try_from(earlier).unwrap_or(usize::MAX);
        calls.get(index).or_else(|| calls.last()).copied()
    }

    /// How `number` takes the call after `earlier` ones, and its duration in seconds. Depends only on the number and
    /// the count, not on calls to other numbers.
    pub(super) fn next_behaviour(
        &self,
        weights: &Weights,
        seed: &SeededRng,
        number: E164,
        earlier: u64,
        has_appointment: bool,
    ) -> (Behaviour, u32) {
        let mut rng = seed.derive_text(&number.expose()).derive(earlier);
        let drawn = weights.draw(has_appointment, &mut rng);
        let script = self.scripted(number, earlier);
        let behaviour = script.map_or(drawn, |script| script.behaviour);
        let seconds = script.and_then(|script| script.seconds).unwrap_or_else(|| behaviour.draw_seconds(&mut rng));
        (behaviour, seconds)
    }
}

/// Removes the line and column at the end of `serde_json`'s messages, since [`PeopleError::Content`] has the line.
fn without_position(message: &str) -> String {
    message.rsplit_once(" at line ").map_or(message, |(what, _)| what).to_string()
}

impl<'de> Deserialize<'de> for People {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PeopleVisitor)
    }
}

struct PeopleVisitor;

impl<'de> Visitor<'de> for PeopleVisitor {
    type Value = People;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map from numbers to lists of behaviours")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<People, A::Error> {
        let mut people = People::default();
        while let Some((number, calls)) = map.next_entry::<String, Vec<Scripted>>()? {
            let number = E164::parse(&number).map_err(de::Error::custom)?;
            people.set_script(number, calls);
        }
        Ok(people)
    }
}

impl<'de> Deserialize<'de> for Scripted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScriptedVisitor)
    }
}

struct ScriptedVisitor;

impl<'de> Visitor<'de> for ScriptedVisitor {
    type Value = Scripted;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a behaviour, or a table with behaviour and seconds")
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<Scripted, E> {
        let behaviour = Behaviour::from_name(word).ok_or_else(unknown_behaviour)?;
        Ok(Scripted { behaviour, seconds: None })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Scripted, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct ScriptTable {
            behaviour: Behaviour,
            seconds: Option<u32>,
        }
        let table = ScriptTable::deserialize(de::value::MapAccessDeserializer::new(map))?;
        Ok(Scripted { behaviour: table.behaviour, seconds: table.seconds })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number() -> E164 {
        E164::parse("+13125550101").expect("a good number")
    }

    #[test]
    fn a_script_decides_each_call_and_its_last_entry_repeats() {
        let toml = "# people\n\"+13125550101\" = [\"no-answer\", { behaviour = \"books\", seconds = 95 }]\n";
        let json = r#"{"+13125550101": ["no-answer", {"behaviour": "books", "seconds": 95}]}"#;
        for people in [People::from_toml(toml), People::from_json(json)] {
            let people = people.expect("a good file");
            let take = |earlier| {
                people.next_behaviour(&Weights::always(Behaviour::Busy), &SeededRng::new(1), number(), earlier, false)
            };
            assert_eq!(take(0).0, Behaviour::NoAnswer);
            assert_eq!(take(1), (Behaviour::Books, 95));
            assert_eq!(take(7), (Behaviour::Books, 95));
        }
    }

    #[test]
    fn a_bad_people_file_says_where_and_never_which_number() {
        let cases = [
            ("\n\"3125550101\" = [\"books\"]", "people file, line 1: not a number in the form +13125550142"),
            ("\n\"+13125550101\" = [\"bokos\"]", "people file, line 2: unknown behaviour; known are books, confirms"),
            ("\"+13125550101\" = [{ behaviour = \"books\", length = 3 }]", "people file, line 1: unknown field"),
        ];
        for (text, expected) in cases {
            let error = People::from_toml(text).expect_err(text).to_string();
            assert!(error.starts_with(expected), "{error}");
            assert!(!error.contains("5550101"), "{error}");
        }
        let error = People::from_json("{\n\"+13125550101\": [\"bokos\"]}").expect_err("a bad file").to_string();
        assert!(error.starts_with("people file, line 2: unknown behaviour"), "{error}");
    }

    #[test]
    fn behaviours_follow_their_weights_in_the_long_run() {
        let weights = Weights {
            recall: vec![(Behaviour::Books, 3), (Behaviour::NoAnswer, 1)],
            reminder: vec![(Behaviour::Confirms, 1)],
        };
        let seed = SeededRng::new(5);
        let take =
            |earlier, appointment| People::default().next_behaviour(&weights, &seed, number(), earlier, appointment).0;
        let booked = (0..4_000).filter(|earlier| take(*earlier, false) == Behaviour::Books).count();
        assert!((2_850..3_150).contains(&booked), "{booked} of 4,000");
        assert_eq!(take(0, true), Behaviour::Confirms);
    }

    #[test]
    fn an_appointment_is_confirmed_and_not_booked() {
        let weights = Weights::default();
        assert!(weights.reminder.iter().all(|(behaviour, _)| *behaviour != Behaviour::Books));
        assert!(weights.recall.iter().all(|(behaviour, _)| *behaviour != Behaviour::Confirms));
    }

    #[test]
    fn call_durations_are_plausible() {
        let mut rng = SeededRng::new(9);
        for behaviour in Behaviour::ALL {
            let (shortest, longest) = behaviour.seconds();
            assert!((15..=240).contains(&shortest) && (15..=240).contains(&longest), "{behaviour:?}");
            assert!(
                (0..100).all(|_| (shortest..=longest).contains(&behaviour.draw_seconds(&mut rng))),
                "{behaviour:?}"
            );
            assert_eq!(Behaviour::from_name(behaviour.name()), Some(*behaviour));
        }
    }
}
