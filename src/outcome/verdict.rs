//! From all that a conversation says to the one outcome that it is taken for.
//!
//! An opt-out and a death are decided first, and asymmetrically: what is certain is taken for it, and what may be one is put
//! to a person. All other outcomes must be said by one field without another field's contradiction. The second opinion
//! abstains below a likelihood; it may put a conversation to a person, and never suppresses anybody.

use super::evidence::{AllEvidence, Evidence};
use super::meaning::Meaning;
use super::opinion::{Model, Opinion};
use crate::entry::{Classification, Doubt, Outcome, OutcomeSignals, RuleName};

/// How sure an opt-out or a death is, and what says so; without a phrase it is the second opinion.
#[derive(Clone, Copy)]
enum Sureness<'e> {
    Certain(&'e Evidence),
    Possible(Option<&'e Evidence>),
    Unsaid,
}

impl Evidence {
    /// How likely the second opinion must find it.
    fn needed(&self) -> f32 {
        if self.is_known_tag { SURE_OF_A_TAG } else { SURE }
    }

    /// How a call ended that ended so for certain.
    fn end(&self) -> Option<End> {
        use Outcome as O;
        self.is_certain.then(|| match self.meaning.outcome() {
            O::LeftVoicemail | O::NoAnswer | O::Busy | O::InvalidNumber => End::Unreached,
            O::Booked | O::Confirmed | O::RescheduleRequested | O::CallbackRequested => End::ContactWanted,
            O::Declined | O::WrongNumber | O::OptOut | O::DeceasedOrMoved | O::ReachedOther | O::Unclassified => {
                End::Other
            }
        })
    }
}

/// How a call ended, as far as an opt-out or a death fits it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Nobody was reached.
    Unreached,
    /// The patient wants further contact.
    ContactWanted,
    Other,
}

/// An opt-out or a death that a phrase says is put to a person if the second opinion finds it less likely than this.
const SURE: f32 = 0.9;
/// The same for a known tag: it is the practice's own word.
const SURE_OF_A_TAG: f32 = 0.1;
/// One that no phrase finds is put to a person if the second opinion finds it at least this likely.
const SPOKEN_OF: f32 = 0.15;
/// The same for one of which words are suspect: "ring", and "never" near it.
const SUSPECTED: f32 = 0.12;
/// The same for one that the phrases explain away: "not before nine".
const SPOKEN_OF_ANYWAY: f32 = 0.2;
/// The same for one that the phrases explain away in one place and that words make suspect in another.
const SUSPECTED_ANYWAY: f32 = 0.15;
/// One that the phrases find possible is none if the second opinion finds it less likely than this.
const UNLIKELY: f32 = 0.03;
/// The same for a death: few words speak of one by chance.
const UNLIKELY_DEATH: f32 = 0.01;
/// An outcome that the second opinion finds less likely than this does not count.
const CONTRADICTED: f32 = 0.3;
/// The second opinion's own outcome counts from this likelihood on.
const CONFIDENT: f32 = 0.55;
/// The same where the fields contradict each other.
const CONFIDENT_IN_CONFLICT: f32 = 0.9;

/// What the built-in rules take a conversation for, with the second opinion of `model`.
pub(super) fn classify(signals: &OutcomeSignals, model: &Model) -> Classification {
    let all = AllEvidence::gather(signals);
    let opinion = Opinion::of(model, signals, &all);
    let opt_out = weighed(&all, Meaning::OPT_OUT, opinion.certain_opt_out, opinion.opt_out);
    let deceased = weighed(&all, Meaning::Deceased, opinion.death, opinion.death);
    match (opt_out, deceased) {
        // The death is the better outcome, and the opt-out must not be lost over it.
        (Sureness::Certain(_), Sureness::Certain(dead)) => taken_for(dead, Some(Doubt::PossibleOptOut)),
        (Sureness::Certain(opt_out), _) => taken_for(opt_out, None),
        (Sureness::Possible(because), Sureness::Certain(_) | Sureness::Possible(_) | Sureness::Unsaid) => {
            doubted(&all, &opinion, Doubt::PossibleOptOut, because)
        }
        (Sureness::Unsaid, Sureness::Certain(dead)) => taken_for(dead, None),
        (Sureness::Unsaid, Sureness::Possible(because)) => doubted(&all, &opinion, Doubt::PossiblyDeceased, because),
        (Sureness::Unsaid, Sureness::Unsaid) => {
            let (outcome, rule) = settled_by_both(&all, &opinion);
            Classification { outcome, is_death: false, doubt: None, rule }
        }
    }
}

/// What a person has to read before a conversation counts as `outcome`, which another rule has named.
pub(super) fn concern(signals: &OutcomeSignals, outcome: Outcome) -> Option<Doubt> {
    let all = AllEvidence::gather(signals);
    let opinion = Opinion::of(Model::built_in(), signals, &all);
    let is_said = |meaning, spoken_of| !matches!(weighed(&all, meaning, spoken_of, spoken_of), Sureness::Unsaid);
    if outcome != Outcome::OptOut && is_said(Meaning::OPT_OUT, opinion.opt_out) {
        Some(Doubt::PossibleOptOut)
    } else {
        (outcome != Outcome::DeceasedOrMoved && is_said(Meaning::Deceased, opinion.death))
            .then_some(Doubt::PossiblyDeceased)
    }
}

/// What the phrases and tags say of `meaning`, with the doubts that the second opinion raises and settles. It never makes
/// anything certain.
fn weighed(all: &AllEvidence, meaning: Meaning, certain: f32, spoken_of: f32) -> Sureness<'_> {
    let enough = match (all.not_meant.contains(&meaning), all.is_suspected(meaning)) {
        (false, true) => SUSPECTED,
        (true, true) => SUSPECTED_ANYWAY,
        (false, false) => SPOKEN_OF,
        (true, false) => SPOKEN_OF_ANYWAY,
    };
    let unlikely = if meaning == Meaning::Deceased { UNLIKELY_DEATH } else { UNLIKELY };
    let is_said = all.of(meaning).any(|evidence| evidence.is_certain);
    match sureness(all, meaning) {
        Sureness::Certain(evidence) if certain < evidence.needed() => Sureness::Possible(Some(evidence)),
        // What a field says for certain stays at least possible: nobody is called again because a model thinks otherwise.
        Sureness::Possible(_) if spoken_of < unlikely && !is_said => Sureness::Unsaid,
        Sureness::Unsaid if spoken_of >= enough => Sureness::Possible(None),
        unchanged @ (Sureness::Certain(_) | Sureness::Possible(_) | Sureness::Unsaid) => unchanged,
    }
}

/// The summary is what a person would believe: where it speaks of the matter without meaning it, or of another end of the
/// call, no tag makes it certain; nor does a tag next to one that says that nobody was reached.
fn sureness(all: &AllEvidence, meaning: Meaning) -> Sureness<'_> {
    let in_summary = all.summary.iter().any(|evidence| evidence.meaning == meaning);
    let other_end = all.summary.iter().filter_map(Evidence::end).any(|end| end != End::Other);
    let is_unreached = all.tags.iter().any(|tag| tag.end() == Some(End::Unreached));
    let is_contradicted = in_summary || other_end || is_unreached || all.not_meant.contains(&meaning);
    let summary_certain = all.summary.iter().find(|evidence| evidence.meaning == meaning && evidence.is_certain);
    let elsewhere_certain = all.of(meaning).find(|evidence| evidence.is_certain).filter(|_| !is_contradicted);
    match (summary_certain.or(elsewhere_certain), all.of(meaning).next()) {
        (Some(certain), _) => Sureness::Certain(certain),
        (None, Some(possible)) => Sureness::Possible(Some(possible)),
        (None, None) => Sureness::Unsaid,
    }
}

fn taken_for(evidence: &Evidence, doubt: Option<Doubt>) -> Classification {
    let is_death = evidence.meaning == Meaning::Deceased;
    Classification { outcome: evidence.meaning.outcome(), is_death, doubt, rule: Some(rule_name(evidence)) }
}

/// The outcome that is not in doubt, with the doubt and what raised it.
fn doubted(all: &AllEvidence, opinion: &Opinion, doubt: Doubt, because: Option<&Evidence>) -> Classification {
    let (outcome, rule) = settled_by_both(all, opinion);
    if outcome == Outcome::DeceasedOrMoved && doubt == Doubt::PossiblyDeceased {
        return Classification { outcome, is_death: false, doubt: None, rule };
    }
    let because = because.map_or_else(|| by_opinion(doubt.label()), rule_name);
    Classification { outcome, is_death: false, doubt: Some(doubt), rule: Some(because) }
}

/// What the fields agree on, if the second opinion does not contradict; or else the second opinion, if it is confident.
fn settled_by_both(all: &AllEvidence, opinion: &Opinion) -> (Outcome, Option<RuleName>) {
    let reading = settled(all);
    let enough = if matches!(reading, Reading::Conflict) { CONFIDENT_IN_CONFLICT } else { CONFIDENT };
    if let Reading::One(evidence) = reading
        && opinion.likelihood(evidence.meaning.outcome()) >= CONTRADICTED
    {
        return (evidence.meaning.outcome(), Some(rule_name(evidence)));
    }
    let (likeliest, likelihood) = opinion.likeliest();
    // "Did not book" is no booking, however often the word is.
    let is_taken_back = all.not_meant.contains(&Meaning::Outcome(likeliest));
    if likelihood >= enough && !is_taken_back && likeliest != Outcome::Unclassified {
        (likeliest, Some(by_opinion(likeliest.label())))
    } else {
        (Outcome::Unclassified, None)
    }
}

fn by_opinion(words: &str) -> RuleName {
    RuleName::new(format!("built-in: {words} (second opinion: the words taken together)"))
}

fn rule_name(evidence: &Evidence) -> RuleName {
    RuleName::new(format!("built-in: {} ({})", evidence.name, evidence.source))
}

/// What the fields agree on, apart from opt-outs and deaths.
fn settled(all: &AllEvidence) -> Reading<'_> {
    let [summary, tags, others] = [&all.summary, &all.tags, &all.others].map(|field| plain(field));
    match (resolved(&summary), resolved(&tags)) {
        (Reading::Nothing, Reading::Nothing) => resolved(&others),
        (Reading::One(one), Reading::Nothing) | (Reading::Nothing, Reading::One(one)) => Reading::One(one),
        (Reading::One(said), Reading::One(tagged)) => Reading::agreed(both(&summary, &tags, said, tagged)),
        // A field that contradicts itself is settled by the other one, if that names one of its outcomes.
        (Reading::Conflict, Reading::One(one)) => {
            Reading::agreed(summary.into_iter().find(|said| said.meaning == one.meaning))
        }
        (Reading::One(one), Reading::Conflict) => {
            Reading::agreed(tags.into_iter().find(|tagged| tagged.meaning == one.meaning))
        }
        (Reading::Conflict, _) | (_, Reading::Conflict) => Reading::Conflict,
    }
}

fn plain(field: &[Evidence]) -> Vec<&Evidence> {
    let is_plain = |evidence: &&Evidence| {
        evidence.is_certain && evidence.meaning != Meaning::OPT_OUT && evidence.meaning != Meaning::Deceased
    };
    field.iter().filter(is_plain).collect()
}

/// What a field says on the whole.
enum Reading<'e> {
    Nothing,
    One(&'e Evidence),
    Conflict,
}

impl<'e> Reading<'e> {
    /// What fields that both say something agree on.
    fn agreed(evidence: Option<&'e Evidence>) -> Self {
        evidence.map_or(Self::Conflict, Self::One)
    }
}

fn resolved<'e>(field: &[&'e Evidence]) -> Reading<'e> {
    field.iter().fold(Reading::Nothing, |reading, &next| match reading {
        Reading::Nothing => Reading::One(next),
        Reading::One(one) => stronger(one, next).map_or(Reading::Conflict, Reading::One),
        Reading::Conflict => Reading::Conflict,
    })
}

/// The summary and the tags each name one outcome.
fn both<'e>(
    summary: &[&'e Evidence],
    tags: &[&'e Evidence],
    said: &'e Evidence,
    tagged: &'e Evidence,
) -> Option<&'e Evidence> {
    let names = |field: &[&'e Evidence], wanted: &Evidence| field.iter().any(|one| one.meaning == wanted.meaning);
    match (names(summary, tagged), names(tags, said)) {
        (_, true) => Some(said),
        (true, false) => Some(tagged),
        (false, false) => stronger(said, tagged),
    }
}

/// Of two outcomes, the first said before the second, the one that a person would write down; `None`: they contradict
/// each other.
fn stronger<'e>(first: &'e Evidence, second: &'e Evidence) -> Option<&'e Evidence> {
    let (one, other) = (first.meaning.outcome(), second.meaning.outcome());
    if one == other || outranks(one, other) {
        Some(first)
    } else if outranks(other, one) || comes_later(one, other) {
        Some(second)
    } else {
        None
    }
}

/// Whether `one` says more of the same call than `other`.
fn outranks(one: Outcome, other: Outcome) -> bool {
    use Outcome as O;
    let lesser: &[Outcome] = match one {
        O::Booked | O::Confirmed => &[O::CallbackRequested, O::ReachedOther],
        O::RescheduleRequested => &[O::CallbackRequested, O::ReachedOther, O::Declined, O::Confirmed],
        O::CallbackRequested => &[O::Declined, O::Busy],
        O::Declined => &[O::ReachedOther],
        O::WrongNumber => &[O::ReachedOther, O::NoAnswer, O::Declined],
        O::DeceasedOrMoved => &[O::WrongNumber, O::ReachedOther, O::Declined, O::InvalidNumber],
        O::ReachedOther => &[O::CallbackRequested, O::NoAnswer],
        O::LeftVoicemail => &[O::NoAnswer, O::CallbackRequested],
        O::InvalidNumber => &[O::NoAnswer],
        O::NoAnswer | O::Busy | O::OptOut | O::Unclassified => &[],
    };
    lesser.contains(&other)
}

/// Whether a patient may well have gone from `first` to `then` in one call.
fn comes_later(first: Outcome, then: Outcome) -> bool {
    use Outcome as O;
    matches!((first, then), (O::Declined | O::RescheduleRequested, O::Booked) | (O::RescheduleRequested, O::Confirmed))
}
