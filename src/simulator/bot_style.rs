//! The style in which a bot sums up its calls: tags as practices set them up, and summaries in many phrasings.

use std::str::FromStr;

use super::call_transcript::transcript;
use super::people::Behaviour;
use super::sayings::{Saying, sayings};
use super::seeded_rng::SeededRng;

macro_rules! bot_styles {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
        /// The style of a bot's tags.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum BotStyle {
            $($(#[$doc])* $name,)*
        }

        impl BotStyle {
            /// Every style.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its word on the command line and in campaign files.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }
    };
}

bot_styles! {
    /// `appointment-booked`.
    Kebab = "kebab";
    /// `appointment_booked`.
    Snake = "snake";
    /// `Appointment Booked`.
    Title = "title";
    /// `appointmentBooked`.
    Camel = "camel";
    /// `outcome:appointment_booked`.
    Prefixed = "prefixed";
    /// `BKD`.
    Codes = "codes";
    /// `The patient booked an appointment`.
    Sentences = "sentences";
    /// No tags.
    None = "none";
}

/// The text is no style.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a style of bots; known are kebab, snake, title, camel, prefixed, codes, sentences, none")]
pub struct BotStyleParseError;

impl FromStr for BotStyle {
    type Err = BotStyleParseError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|style| style.name() == word).ok_or(BotStyleParseError)
    }
}

impl BotStyle {
    /// The tags of a call that was taken so.
    #[must_use]
    pub fn tags(self, behaviour: Behaviour) -> Vec<String> {
        let told = transcript(behaviour);
        let tags = told.tags.iter();
        match self {
            Self::Kebab => tags.map(ToString::to_string).collect(),
            Self::Snake => tags.map(|tag| tag.replace('-', "_")).collect(),
            Self::Title => tags.map(|tag| tag.split('-').map(capitalised).collect::<Vec<_>>().join(" ")).collect(),
            Self::Camel => tags.map(|tag| camel(tag)).collect(),
            Self::Prefixed => tags.map(|tag| format!("outcome:{}", tag.replace('-', "_"))).collect(),
            Self::Codes => vec![code(behaviour).to_owned()],
            Self::Sentences => vec![told.summary.trim_end_matches('.').to_owned()],
            Self::None => Vec::new(),
        }
    }
}

/// A summary of a call that was taken so, as the seed chooses it. Some of those who opt out do not say it clearly.
pub(super) fn summary(behaviour: Behaviour, rng: &mut SeededRng) -> String {
    let fits = |saying: &&Saying| {
        let is_unclear = saying.opt_out == "possible" && saying.outcome == "unclassified";
        if behaviour == Behaviour::OptsOut && is_unclear {
            true
        } else {
            saying.outcome == outcome(behaviour) && !is_unclear
        }
    };
    let fitting: Vec<_> = sayings().iter().filter(fits).collect();
    let chosen = fitting.get(rng.below(fitting.len() as u64) as usize);
    chosen.map_or_else(String::new, |saying| saying.words(rng.next_u64()))
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn camel(tag: &str) -> String {
    let mut words = tag.split('-');
    let first = words.next().unwrap_or_default().to_owned();
    words.map(capitalised).fold(first, |all, word| all + &word)
}

/// The outcome that the sayings have for it.
fn outcome(behaviour: Behaviour) -> &'static str {
    match behaviour {
        Behaviour::Books => "booked",
        Behaviour::Confirms => "confirmed",
        Behaviour::Reschedules => "reschedule_requested",
        Behaviour::Declines => "declined",
        Behaviour::AsksCallback => "callback_requested",
        Behaviour::OptsOut => "opt_out",
        Behaviour::Voicemail => "left_voicemail",
        Behaviour::NoAnswer => "no_answer",
        Behaviour::Busy => "busy",
        Behaviour::WrongNumber => "wrong_number",
        Behaviour::DeceasedOrMoved => "deceased_or_moved",
        Behaviour::InvalidNumber => "invalid_number",
        Behaviour::ReachedOther => "reached_other",
        Behaviour::Unclassifiable => "unclassified",
    }
}

/// A call centre's code.
fn code(behaviour: Behaviour) -> &'static str {
    match behaviour {
        Behaviour::Books => "BKD",
        Behaviour::Confirms => "CONF",
        Behaviour::Reschedules => "RSCH",
        Behaviour::Declines => "NI",
        Behaviour::AsksCallback => "CBR",
        Behaviour::OptsOut => "DNC",
        Behaviour::Voicemail => "LVM",
        Behaviour::NoAnswer => "RNA",
        Behaviour::Busy => "BZ",
        Behaviour::WrongNumber => "WN",
        Behaviour::DeceasedOrMoved => "MVD",
        Behaviour::InvalidNumber => "NIS",
        Behaviour::ReachedOther => "TPC",
        Behaviour::Unclassifiable => "GEN",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_style_has_its_tags() {
        let tags: Vec<_> = BotStyle::ALL.iter().map(|style| style.tags(Behaviour::Books).concat()).collect();
        let expected = [
            "appointment-booked",
            "appointment_booked",
            "Appointment Booked",
            "appointmentBooked",
            "outcome:appointment_booked",
            "BKD",
            "The patient booked an appointment",
            "",
        ];
        assert_eq!(tags, expected);
        assert_eq!("title".parse(), Ok(BotStyle::Title));
        assert_eq!("shouting".parse::<BotStyle>(), Err(BotStyleParseError));
    }

    #[test]
    fn every_behaviour_is_summed_up_in_many_ways() {
        for behaviour in Behaviour::ALL {
            let told: std::collections::HashSet<_> =
                (0..60).map(|seed| summary(*behaviour, &mut SeededRng::new(seed))).collect();
            assert!(told.len() > 8, "{behaviour:?}: {told:?}");
            assert!(!told.contains(""), "{behaviour:?}");
        }
    }
}
