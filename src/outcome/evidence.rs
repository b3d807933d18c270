//! What each field of a conversation says of its outcome.

use std::fmt;

use super::meaning::Meaning;
use super::phrase_book::{self, Said};
use super::tags::{self, TagMeaning};
use crate::entry::OutcomeSignals;

/// The field that says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The tag at this position, counted from 1.
    Tag(usize),
    Topic,
    /// The sentence of the summary at this position, counted from 1.
    Summary(usize),
    /// The needed action at this position, counted from 1.
    Action(usize),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(at) => write!(f, "tag {at}"),
            Self::Topic => f.write_str("topic"),
            Self::Summary(at) => write!(f, "summary, sentence {at}"),
            Self::Action(at) => write!(f, "action {at}"),
        }
    }
}

/// One thing that a field says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Evidence {
    pub(super) meaning: Meaning,
    /// Whether that is certain.
    pub(super) is_certain: bool,
    /// Whether the whole field is a known tag, rather than read as a sentence.
    pub(super) is_known_tag: bool,
    /// The name of the rule that found it.
    pub(super) name: &'static str,
    pub(super) source: Source,
}

/// All that a conversation says, by field.
#[derive(Debug, Default)]
pub(super) struct AllEvidence {
    pub(super) summary: Vec<Evidence>,
    pub(super) tags: Vec<Evidence>,
    /// Topic and actions say what a call was about rather than how it ended.
    pub(super) others: Vec<Evidence>,
    /// What a field speaks of without meaning it.
    pub(super) not_meant: Vec<Meaning>,
    /// What words leave to the second opinion, by the names of the rules.
    pub(super) suspected: Vec<(Meaning, &'static str)>,
}

impl AllEvidence {
    /// Reads all fields.
    pub(super) fn gather(signals: &OutcomeSignals) -> Self {
        let mut all = Self::default();
        if let Some(summary) = &signals.summary {
            let said = phrase_book::said(summary);
            all.summary = said_by(&said, Source::Summary);
            all.not_meant = said.not_meant;
            all.suspected = said.suspected;
        }
        for (at, tag) in (1..).zip(&signals.tags) {
            let found = all.short(tag, Source::Tag(at));
            all.tags.extend(found);
        }
        if let Some(topic) = &signals.topic {
            let found = all.short(topic, Source::Topic);
            all.others.extend(found);
        }
        for (at, action) in (1..).zip(&signals.actions) {
            let found = all.short(action, Source::Action(at));
            all.others.extend(found);
        }
        all
    }

    /// Everything that speaks of `meaning`, what people would read first.
    pub(super) fn of(&self, meaning: Meaning) -> impl Iterator<Item = &Evidence> {
        let fields = [&self.summary, &self.tags, &self.others];
        fields.into_iter().flatten().filter(move |evidence| evidence.meaning == meaning)
    }

    /// Whether words leave `meaning` to the second opinion.
    pub(super) fn is_suspected(&self, meaning: Meaning) -> bool {
        self.suspected.iter().any(|(suspected, _)| *suspected == meaning)
    }

    /// What a tag, a topic or an action says: by itself, or as a sentence.
    fn short(&mut self, text: &str, source: Source) -> Vec<Evidence> {
        let by_itself = |meaning: Meaning, is_certain| {
            vec![Evidence { meaning, is_certain, is_known_tag: true, name: meaning.outcome().label(), source }]
        };
        let mut evidence = match tags::meaning(text) {
            TagMeaning::TakenBack => Vec::new(),
            TagMeaning::Says(meaning) => by_itself(meaning, true),
            TagMeaning::MaySay(meaning) => by_itself(meaning, false),
            TagMeaning::Unknown => {
                let said = phrase_book::said(text);
                self.not_meant.extend(&said.not_meant);
                self.suspected.extend(&said.suspected);
                said_by(&said, |_| source)
            }
        };
        if tags::is_hedged(text) {
            for one in evidence.iter_mut().filter(|one| one.meaning.bars_the_number()) {
                one.is_certain = false;
            }
        }
        evidence
    }
}

fn said_by(said: &Said, source: impl Fn(usize) -> Source) -> Vec<Evidence> {
    let evidence = said.findings.iter().map(|found| Evidence {
        meaning: found.meaning,
        is_certain: found.is_certain,
        is_known_tag: false,
        name: found.name,
        source: source(found.sentence),
    });
    evidence.collect()
}
