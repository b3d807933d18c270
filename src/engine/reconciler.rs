//! Rule R: how a lost answer is settled.
//!
//! An attempt whose answer was lost may have become a conversation. Found on the vendor's list (our number, the number
//! dialled, started no earlier than the intent, and no other attempt's), it is adopted. Only after two complete scans,
//! both begun at least S after the last moment at which the request could have been accepted, is it absent. At most one
//! unresolved attempt per number exists, so that number and time identify it.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};

use super::call_media::{CallMedia, IsCall};
use super::{ASKED_BEYOND, CLOCK_SLACK};
use crate::annie::{Conversation, Nameless};
use crate::ids::{AttemptId, ConversationId, EntryId};
use crate::phone::E164;

/// Scans that must not show the conversation.
const PROOFS: u8 = 2;

/// Conversations kept of those that came near.
const KEPT: usize = 3;

/// Unclear conversations that are asked for by their ids in one scan.
const ASKED_AT_MOST: usize = 20;

/// For how long a lost answer is looked for once S has passed, counting only time in which the list could be read. What no
/// scan could settle by then is for a person.
const LOOKED_FOR: TimeDelta = TimeDelta::hours(2);

/// What a conversation on the vendor's list is to an attempt whose answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// Its own, unless the ledger knows it as another attempt's.
    Fits,
    /// It lacks a number, its start or what would tell that it is a call, as it may while the call is under way
    /// (`annie-api.md`): it may be its own.
    MayFit,
}

/// A conversation of the same two numbers that is not the lost call, kept as evidence for who must decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Near {
    /// `None`: a row without an id.
    conversation: Option<ConversationId>,
    why_not: WhyNot,
}

/// Why a conversation that came near is not the lost call, the nearest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum WhyNot {
    /// It lacks an id, a number, its start or what would tell that it is a call, so that it may be.
    Unclear,
    /// Another attempt has it.
    Taken,
    /// It started so long before the intent.
    Before(TimeDelta),
}

impl fmt::Display for Near {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.conversation {
            Some(id) => write!(f, "conversation {id}, which ")?,
            None => f.write_str("a row without an id, which ")?,
        }
        match self.why_not {
            WhyNot::Unclear => f.write_str("lacks a number, its start or its kind and may be it"),
            WhyNot::Taken => f.write_str("is another attempt's"),
            WhyNot::Before(span) if span < TimeDelta::hours(2) => {
                write!(f, "started {} min before the intent", span.num_minutes())
            }
            WhyNot::Before(span) => write!(f, "started {} h before the intent", span.num_hours()),
        }
    }
}

/// An attempt whose answer was lost.
#[derive(Debug, Clone)]
pub struct Unresolved {
    /// The attempt.
    pub attempt: AttemptId,
    /// Whose.
    pub entry: EntryId,
    /// The number that called.
    pub from: E164,
    /// The number dialled.
    pub to: E164,
    /// Which call to its entry it is, if it was placed.
    pub number: u32,
    /// When its intent was committed.
    pub intent_at: DateTime<Utc>,
    /// The last moment at which its request could have been accepted.
    pub lost_at: DateTime<Utc>,
    /// For how long the vendor could be read, in all, when this run began to look for it.
    pub sought_from: TimeDelta,
    /// Complete scans, begun late enough, that did not show it.
    pub proofs: u8,
    /// What came near without being the call, the nearest first: in the scan under way, and in the last complete one.
    pub near: Evidence,
}

/// What came near to being a lost call.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    under_way: Vec<Near>,
    complete: Vec<Near>,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let near: Vec<_> = self.complete.iter().map(ToString::to_string).collect();
        let near = if near.is_empty() { "no conversation of the two numbers".into() } else { near.join("; ") };
        write!(f, "near it: {near}")
    }
}

/// What a complete scan proved.
#[derive(Debug)]
pub struct Proved {
    /// The attempts for which it counts.
    pub counted: Vec<Unresolved>,
    /// Those of them that are now known to be absent.
    pub absent: Vec<Unresolved>,
}

impl Unresolved {
    /// The scan under way shows a conversation that may be its own.
    fn is_doubted(&self) -> bool {
        self.near.under_way.iter().any(|near| near.why_not == WhyNot::Unclear)
    }

    fn came_near(&mut self, conversation: Option<&ConversationId>, why_not: WhyNot) {
        // Pages overlap: what is shown twice came near once.
        let near = &mut self.near.under_way;
        if near.iter().all(|near| near.conversation.as_ref() != conversation) {
            near.push(Near { conversation: conversation.cloned(), why_not });
            near.sort_by_key(|near| near.why_not);
            near.truncate(KEPT);
        }
    }

    /// Whether a row may be its call, as far as the row's numbers and start go.
    fn fits(&self, from: Option<E164>, to: Option<E164>, started: Option<DateTime<Utc>>, ahead: TimeDelta) -> bool {
        let late_enough = started.is_none_or(|started| started >= self.intent_at + ahead - CLOCK_SLACK);
        late_enough && from.is_none_or(|from| from == self.from) && to.is_none_or(|to| to == self.to)
    }
}

/// The attempts of a run whose answers were lost.
#[derive(Debug)]
pub struct Reconciler {
    settle: TimeDelta,
    unresolved: Vec<Unresolved>,
    /// What the scan under way shows that may be one of them, and whether it has been asked for by its id.
    unclear: BTreeMap<ConversationId, (Conversation, bool)>,
}

impl Reconciler {
    /// With S = `settle`.
    #[must_use]
    pub fn new(settle: TimeDelta) -> Self {
        Self { settle, unresolved: Vec::new(), unclear: BTreeMap::new() }
    }

    /// Our clock shows so much more than has passed: the vendor has had no more time for it to show a call. Less is waited
    /// out.
    pub fn clock_jumped(&mut self, by: TimeDelta) {
        for one in &mut self.unresolved {
            one.lost_at += by.max(TimeDelta::zero());
        }
    }

    /// Takes an attempt on.
    pub fn add(&mut self, unresolved: Unresolved) {
        self.unresolved.push(unresolved);
    }

    /// Whether every lost answer is settled.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.unresolved.is_empty()
    }

    /// How far back a scan is asked to reach for the attempts that are not settled, by the vendor's clock, which is `ahead` of
    /// ours.
    #[must_use]
    pub fn back_to(&self, ahead: TimeDelta) -> Option<DateTime<Utc>> {
        self.unresolved.iter().map(|one| one.intent_at + ahead - CLOCK_SLACK - ASKED_BEYOND).min()
    }

    /// When a scan that begins then can next prove something.
    #[must_use]
    pub fn next_proof_at(&self) -> Option<DateTime<Utc>> {
        self.unresolved.iter().map(|one| one.lost_at + self.settle).min()
    }

    /// The attempts that this conversation may belong to, unless another attempt has it: the caller asks the ledger.
    pub fn claimants<'a>(
        &'a self,
        conversation: &Conversation,
        media: &CallMedia,
        ahead: TimeDelta,
    ) -> impl Iterator<Item = (&'a Unresolved, Likeness)> + use<'a> {
        let Conversation { from, to, started, .. } = *conversation;
        let is_call = media.judge(&conversation.medium, conversation.has_ended());
        let complete = from.is_some() && to.is_some() && started.is_some() && is_call == IsCall::Yes;
        let likeness = if complete { Likeness::Fits } else { Likeness::MayFit };
        let may_be = move |one: &&Unresolved| is_call != IsCall::No && one.fits(from, to, started, ahead);
        self.unresolved.iter().filter(may_be).map(move |one| (one, likeness))
    }

    /// The scan under way shows a conversation that may be one of them: about that one it proves nothing.
    pub fn doubt(&mut self, conversation: &Conversation) {
        self.unclear.entry(conversation.id.clone()).or_insert_with(|| (conversation.clone(), false));
    }

    /// The scan under way shows a row without an id.
    pub fn doubt_nameless(&mut self, row: &Nameless, media: &CallMedia, ahead: TimeDelta) {
        if media.judge(&row.medium, false) == IsCall::No {
            return;
        }
        for one in self.unresolved.iter_mut().filter(|one| one.fits(row.from, row.to, row.started, ahead)) {
            one.came_near(None, WhyNot::Unclear);
        }
    }

    /// A conversation was asked for by its id: what was unclear about it is as it shows now.
    pub fn shown(&mut self, conversation: &Conversation) {
        if let Some((unclear, _)) = self.unclear.get_mut(&conversation.id) {
            *unclear = conversation.clone();
        }
    }

    /// The unclear conversations that are to be asked for by their ids before the scan under way can tell.
    pub fn to_be_asked(&mut self) -> Vec<ConversationId> {
        let left = ASKED_AT_MOST.saturating_sub(self.unclear.values().filter(|(_, asked)| *asked).count());
        let unasked = self.unclear.iter_mut().filter(|(_, (_, asked))| !asked).take(left);
        unasked
            .map(|(id, (_, asked))| {
                *asked = true;
                id.clone()
            })
            .collect()
    }

    /// The scan under way shows a conversation that would be this attempt's if it were not another's.
    pub fn is_anothers(&mut self, attempt: AttemptId, conversation: &ConversationId) {
        self.note(attempt, conversation, WhyNot::Taken);
    }

    fn note(&mut self, attempt: AttemptId, conversation: &ConversationId, why_not: WhyNot) {
        for one in self.unresolved.iter_mut().filter(|one| one.attempt == attempt) {
            one.came_near(Some(conversation), why_not);
        }
    }

    /// Keeps the conversation as evidence for the attempts for whose numbers it started too early.
    pub fn note_the_early(&mut self, conversation: &Conversation, ahead: TimeDelta) {
        let Conversation { id, from, to, started: Some(started), .. } = conversation else { return };
        let between = |one: &&mut Unresolved| *from == Some(one.from) && *to == Some(one.to);
        for one in self.unresolved.iter_mut().filter(between) {
            let before = one.intent_at + ahead - *started;
            if before > CLOCK_SLACK {
                one.came_near(Some(id), WhyNot::Before(before));
            }
        }
    }

    /// The attempt is settled: its conversation was found.
    pub fn settle(&mut self, attempt: AttemptId) -> Option<Unresolved> {
        let at = self.unresolved.iter().position(|one| one.attempt == attempt)?;
        Some(self.unresolved.remove(at))
    }

    /// A complete scan that began at `started` and reached back to `back_to` (by the vendor's clock) showed none of the
    /// attempts still here: counts it for those about which it proves something.
    pub fn prove_absence(
        &mut self,
        started: DateTime<Utc>,
        back_to: DateTime<Utc>,
        media: &CallMedia,
        ahead: TimeDelta,
    ) -> Proved {
        for (id, (conversation, _)) in std::mem::take(&mut self.unclear) {
            let doubted: Vec<_> = self.claimants(&conversation, media, ahead).map(|(one, _)| one.attempt).collect();
            for attempt in doubted {
                self.note(attempt, &id, WhyNot::Unclear);
            }
        }
        let settle = self.settle;
        let mut counted = Vec::new();
        for one in &mut self.unresolved {
            let late_enough = started >= one.lost_at + settle;
            let far_enough = back_to <= one.intent_at + ahead - CLOCK_SLACK;
            let proves = late_enough && far_enough && !one.is_doubted();
            one.near.complete = std::mem::take(&mut one.near.under_way);
            if proves {
                one.proofs += 1;
                counted.push(one.clone());
            }
        }
        let absent = self.unresolved.extract_if(.., |one| one.proofs >= PROOFS).collect();
        Proved { counted, absent }
    }

    /// The scan under way has come to nothing: the next one shows everything anew.
    pub fn forget_rows(&mut self) {
        self.unclear.clear();
        self.unresolved.iter_mut().for_each(|one| one.near.under_way.clear());
    }

    /// Stops looking for the attempts that no scan could settle, the vendor having been readable for `readable` in all.
    pub fn give_up(&mut self, now: DateTime<Utc>, readable: TimeDelta) -> Vec<Unresolved> {
        let settle = self.settle;
        let is_over =
            |one: &Unresolved| now >= one.lost_at + settle && readable - one.sought_from >= settle + LOOKED_FOR;
        self.unresolved.extract_if(.., |one| is_over(one)).collect()
    }

    /// The attempts that are not settled.
    pub fn iter(&self) -> impl Iterator<Item = &Unresolved> {
        self.unresolved.iter()
    }
}

#[cfg(test)]
mod tests;
