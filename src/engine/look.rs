//! The look before a run's first call: does the ledger hold every call that our number has placed?
//!
//! One complete scan of the vendor's list, back to the last moment at which it did, tells. A call from our number to a
//! number of the ledger's entries that the ledger does not know means that this is an older copy, and that a call might be
//! made twice. A row that may be such a call and lacks what would tell is asked for by its id; if that does not help, or
//! the list proves nothing, the look cannot tell, and is repeated a few times.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::call_media::{CallMedia, IsCall};
use super::scan::Flaw;
use super::{ASKED_BEYOND, CLOCK_SLACK};
use crate::annie::{Conversation, Nameless, Page, Status};
use crate::ids::ConversationId;
use crate::ledger::{InStep, Sighting, Unnamed};
use crate::phone::E164;

/// Scans that may prove nothing, one after the other, before the look is given up.
pub const SCANS: u32 = 5;

/// Before the second scan; each further one waits twice as long.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(15);

/// The same where a call under way has to end first: a quarter of an hour in all.
const FIRST_PAUSE_FOR_A_CALL: TimeDelta = TimeDelta::minutes(1);

/// A look that is not over after so long, when the window closes, takes too long.
const TOO_LONG: TimeDelta = TimeDelta::minutes(30);

/// Rows that are asked for by their ids in one look.
const ASKED_AT_MOST: usize = 20;

/// The same once the ledger was adopted: what nobody has asked for, nobody vouches for.
const ASKED_ONCE_ADOPTED: usize = 300;

/// No call is under way any more so long after its start.
const OVER_AFTER: TimeDelta = TimeDelta::hours(1);

/// A look that is not over.
#[derive(Debug)]
pub struct Look {
    /// Our numbers, and until when the ledger holds every call of each.
    lines: Vec<(E164, InStep)>,
    state: State,
    /// What the scan under way shows of our numbers, but for what the ledger knows.
    unrecorded: BTreeMap<ConversationId, Conversation>,
    /// Whether it shows rows without an id that may be calls of ours which the ledger does not know.
    shows_nameless: bool,
    /// One of them may still be under way, so that it may show its id yet.
    shows_nameless_open: bool,
    asked: BTreeSet<ConversationId>,
    failed_scans: u32,
    /// For how long the list could be read before a call began to wait.
    wanted_at: TimeDelta,
    not_before: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nobody is to be called yet.
    NotWanted,
    /// A call waits for it.
    Wanted,
    /// A scan has seen everything; the ledger is asked which numbers are its entries'.
    AsksTheLedger,
}

/// What a look came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Seen {
    /// The ledger holds every call of each number but these, which are to be taken over.
    InStep(Vec<(E164, Vec<Sighting>)>),
    /// It lacks so many, the first of which began then.
    Behind {
        /// How many.
        calls: usize,
        /// When the first of them began.
        since: DateTime<Utc>,
    },
}

impl Look {
    /// At the calls of these numbers, all of which the ledger holds until `InStep::at`. Calls that another ledger placed
    /// until this one was adopted are on the list after `settle` at the latest (S of rule R).
    #[must_use]
    pub fn new(lines: Vec<(E164, InStep)>, settle: TimeDelta) -> Self {
        let adopted =
            lines.iter().filter(|(_, in_step)| in_step.takes_over).filter_map(|(_, in_step)| in_step.adopted_at);
        let not_before = adopted.max().map_or(DateTime::UNIX_EPOCH, |at| at + settle);
        Self {
            lines,
            state: State::NotWanted,
            unrecorded: BTreeMap::new(),
            shows_nameless: false,
            shows_nameless_open: false,
            asked: BTreeSet::new(),
            failed_scans: 0,
            wanted_at: TimeDelta::zero(),
            not_before,
        }
    }

    /// A call waits for it. The list could be read for `readable` by now.
    pub fn want(&mut self, readable: TimeDelta) {
        if self.state == State::NotWanted {
            self.state = State::Wanted;
            self.wanted_at = readable;
        }
    }

    /// Whether a call has waited for it for so long a time in which the list could be read, `readable` by now in all, that
    /// waiting longer on another day is no help.
    #[must_use]
    pub fn takes_too_long(&self, readable: TimeDelta) -> bool {
        self.is_wanted() && readable - self.wanted_at >= TOO_LONG
    }

    /// Whether a call waits for it.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.state != State::NotWanted
    }

    /// A scan has seen everything; the ledger is asked about what it does not know.
    pub fn ask_the_ledger(&mut self) {
        self.state = State::AsksTheLedger;
    }

    /// When its next scan may begin, if it wants one.
    #[must_use]
    pub fn next_scan_at(&self) -> Option<DateTime<Utc>> {
        (self.state == State::Wanted).then_some(self.not_before)
    }

    /// How far back a scan is asked to reach, by the vendor's clock, which is `ahead` of ours.
    #[must_use]
    pub fn back_to(&self, ahead: TimeDelta) -> DateTime<Utc> {
        self.must_reach(ahead) - ASKED_BEYOND
    }

    /// A demonstration's clock stands still between two runs and the vendor's does not: that it is ahead now says nothing
    /// about then.
    fn must_reach(&self, ahead: TimeDelta) -> DateTime<Utc> {
        let earliest = self.lines.iter().map(|(_, in_step)| in_step.at).min().unwrap_or(DateTime::UNIX_EPOCH);
        reach(earliest, ahead)
    }

    /// Takes in what a page shows of our numbers, or may: the ledger is to be asked which of it it knows.
    pub fn take(&mut self, rows: &[Conversation], ahead: TimeDelta) -> Vec<ConversationId> {
        let mut ids = Vec::new();
        for row in rows {
            if self.may_be_ours(row.from, row.to, row.started, ahead) {
                self.unrecorded.insert(row.id.clone(), row.clone());
                ids.push(row.id.clone());
            } else {
                // Asked for by its id, it may turn out to be nothing of ours.
                self.unrecorded.remove(&row.id);
            }
        }
        ids
    }

    /// Takes in the rows of a page that have no id. Those whose numbers and start are there may be calls that the ledger
    /// knows: it is to be asked.
    pub fn take_nameless(
        &mut self,
        page: &Page,
        media: &CallMedia,
        ahead: TimeDelta,
        now: DateTime<Utc>,
    ) -> Vec<Unnamed> {
        let may_be_call = |row: &&Nameless| media.judge(&row.medium, false) != IsCall::No;
        let ours = page.nameless.iter().filter(may_be_call);
        let ours: Vec<_> = ours.filter(|row| self.may_be_ours(row.from, row.to, row.started, ahead)).collect();
        let whole_of = |row: &Nameless| Some(Unnamed { from: row.from?, to: row.to?, started: row.started? - ahead });
        let whole: Vec<_> = ours.iter().filter_map(|row| whole_of(row)).collect();
        for row in ours.iter().filter(|row| whole_of(row).is_none()) {
            self.cannot_be_told(row.started.map(|started| started - ahead), now);
        }
        whole
    }

    /// The ledger does not know these.
    pub fn are_unexplained(&mut self, rows: &[Unnamed], now: DateTime<Utc>) {
        for row in rows {
            self.cannot_be_told(Some(row.started), now);
        }
    }

    fn cannot_be_told(&mut self, started: Option<DateTime<Utc>>, now: DateTime<Utc>) {
        self.shows_nameless = true;
        self.shows_nameless_open |= started.is_some_and(|started| started > now - OVER_AFTER);
    }

    /// Whether a row may be a call of one of our numbers since the ledger was in step. What calls us is none.
    fn may_be_ours(
        &self,
        from: Option<E164>,
        to: Option<E164>,
        started: Option<DateTime<Utc>>,
        ahead: TimeDelta,
    ) -> bool {
        let late_enough = |in_step: &InStep| started.is_none_or(|started| started >= reach(in_step.at, ahead));
        if let Some(from) = from {
            return self.lines.iter().any(|(line, in_step)| *line == from && late_enough(in_step));
        }
        let is_to_us = to.is_some_and(|to| self.lines.iter().any(|(line, _)| *line == to));
        !is_to_us && self.lines.iter().any(|(_, in_step)| late_enough(in_step))
    }

    /// The ledger knows this one. Returns it, since what it shows, our calls show.
    pub fn is_recorded(&mut self, id: &ConversationId) -> Option<Conversation> {
        self.unrecorded.remove(id)
    }

    /// The rows that are to be asked for by their ids before the look can tell.
    pub fn to_be_asked(&mut self, media: &CallMedia) -> Vec<ConversationId> {
        let unclear: Vec<_> =
            self.unclear(media).filter(|row| !self.asked.contains(&row.id)).map(|row| row.id.clone()).collect();
        let at_most = if self.is_vouched_for() { ASKED_ONCE_ADOPTED } else { ASKED_AT_MOST };
        if self.asked.len() + unclear.len() > at_most {
            return Vec::new();
        }
        self.asked.extend(unclear.iter().cloned());
        unclear
    }

    /// An operator has adopted the ledger: calls that it lacks are to be taken over.
    fn is_vouched_for(&self) -> bool {
        self.lines.iter().all(|(_, in_step)| in_step.takes_over)
    }

    fn unclear(&self, media: &CallMedia) -> impl Iterator<Item = &Conversation> {
        self.unrecorded.values().filter(|row| match media.judge(&row.medium, row.has_ended()) {
            IsCall::No => false,
            IsCall::CannotTell => true,
            IsCall::Yes => row.from.is_none() || row.to.is_none() || row.started.is_none(),
        })
    }

    /// What a complete scan shows that the ledger does not know, or that it cannot tell.
    pub fn unrecorded_calls(&self, media: &CallMedia, ahead: TimeDelta) -> Result<Vec<Sighting>, Flaw> {
        // An operator who has adopted the ledger vouches for what nobody can read, not even by its id; what is not closed
        // may yet be read.
        let is_vouched_for = self.is_vouched_for();
        let is_hopeless =
            |row: &Conversation| is_vouched_for && self.asked.contains(&row.id) && row.status == Status::Closed;
        let mut open = self.shows_nameless_open;
        let mut closed = self.shows_nameless && !self.shows_nameless_open && !is_vouched_for;
        for row in self.unclear(media).filter(|row| !is_hopeless(row)) {
            open |= row.status != Status::Closed;
            closed |= row.status == Status::Closed;
        }
        if closed || open {
            return Err(if closed { Flaw::Unclear } else { Flaw::UnclearWhileOpen });
        }
        // Where that is so and nothing at all tells what calls show, everything is taken for one: nobody is called twice.
        let judge = |row: &Conversation| media.judge(&row.medium, row.has_ended());
        let tells = media.has_seen_a_call() || self.unrecorded.values().any(|row| judge(row) == IsCall::Yes);
        let is_call = |row: &&Conversation| judge(row) == IsCall::Yes || (!tells && judge(row) == IsCall::CannotTell);
        let sighting = |row: &Conversation| {
            Some(Sighting { conversation: row.id.clone(), from: row.from?, to: row.to?, started: row.started? - ahead })
        };
        Ok(self.unrecorded.values().filter(is_call).filter_map(sighting).collect())
    }

    /// The scan under way is over: the next one shows everything anew.
    pub fn forget_rows(&mut self) {
        self.unrecorded.clear();
        self.shows_nameless = false;
        self.shows_nameless_open = false;
        self.asked.clear();
    }

    /// A scan proved nothing. Whether the look is given up: scans for something else, sooner than its own, do not count.
    pub fn failed(&mut self, flaw: Flaw, now: DateTime<Utc>) -> bool {
        self.forget_rows();
        if now < self.not_before {
            return false;
        }
        self.failed_scans += 1;
        let first = if flaw == Flaw::UnclearWhileOpen { FIRST_PAUSE_FOR_A_CALL } else { FIRST_PAUSE };
        self.not_before = now + first * 2_i32.pow(self.failed_scans - 1);
        self.failed_scans >= SCANS
    }

    /// Whether a complete scan that began at `started` and reached back to `back_to` settles it.
    #[must_use]
    pub fn is_settled_by(&self, started: DateTime<Utc>, back_to: DateTime<Utc>, ahead: TimeDelta) -> bool {
        started >= self.not_before && back_to <= self.must_reach(ahead)
    }

    /// What it came to, if of the unrecorded calls these are to numbers of the ledger's entries.
    #[must_use]
    pub fn seen(&self, mut strangers: Vec<Sighting>) -> Seen {
        strangers.sort_by_key(|stranger| stranger.started);
        // Of a number that an operator has adopted, what the ledger lacks is taken over.
        let takes_over = |from: E164| self.lines.iter().any(|(line, in_step)| *line == from && in_step.takes_over);
        let missed: Vec<_> = strangers.iter().filter(|stranger| !takes_over(stranger.from)).collect();
        if let Some(first) = missed.first() {
            return Seen::Behind { calls: missed.len(), since: first.started };
        }
        let of = |from: E164| strangers.iter().filter(|stranger| stranger.from == from).cloned().collect();
        Seen::InStep(self.lines.iter().map(|(from, _)| (*from, of(*from))).collect())
    }
}

/// How far back a number's calls must be seen, by the vendor's clock.
fn reach(in_step_at: DateTime<Utc>, ahead: TimeDelta) -> DateTime<Utc> {
    in_step_at + ahead.min(TimeDelta::zero()) - CLOCK_SLACK
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::annie::Medium;
    use crate::entry::Testimony;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    fn number(text: &str) -> E164 {
        E164::parse(text).expect("a number")
    }

    fn look(takes_over: bool) -> Look {
        Look::new(
            vec![(number("+13125550142"), InStep { at: at("2026-11-24T15:00:00Z"), takes_over, adopted_at: None })],
            S,
        )
    }

    fn conversation(from: Option<&str>, to: Option<&str>, started: Option<&str>) -> Conversation {
        Conversation {
            medium: Medium::read(Some("VOICE")),
            id: ConversationId::new("c-1"),
            from: from.map(number),
            to: to.map(number),
            started: started.map(at),
            ended: None,
            status: Status::Open,
            testimony: Testimony::default(),
        }
    }

    const S: TimeDelta = TimeDelta::seconds(300);
    const OURS: Option<&str> = Some("+13125550142");
    const PATIENT: Option<&str> = Some("+13125550177");
    const LATER: Option<&str> = Some("2026-11-24T15:10:00Z");

    /// What a look at this one row comes to.
    fn told(row: Conversation, media: &CallMedia) -> Result<usize, Flaw> {
        let mut look = look(false);
        look.take(&[row], TimeDelta::zero());
        look.unrecorded_calls(media, TimeDelta::zero()).map(|calls| calls.len())
    }

    #[test]
    fn a_call_of_our_number_since_the_ledger_was_in_step_is_asked_about_and_what_is_unclear_proves_nothing() {
        let unclear = Err(Flaw::UnclearWhileOpen);
        let cases = [
            (conversation(OURS, PATIENT, LATER), Ok(1)),
            (conversation(OURS, PATIENT, Some("2026-11-24T14:58:30Z")), Ok(1)),
            (conversation(OURS, PATIENT, Some("2026-11-24T14:57:00Z")), Ok(0)),
            (conversation(Some("+13125550199"), PATIENT, LATER), Ok(0)),
            (conversation(None, PATIENT, LATER), unclear),
            (conversation(None, OURS, LATER), Ok(0)),
            (conversation(OURS, None, LATER), unclear),
            (conversation(OURS, PATIENT, None), unclear),
            (conversation(OURS, None, Some("2026-11-24T14:57:00Z")), Ok(0)),
            (Conversation { medium: Medium::read(Some("SMS")), ..conversation(OURS, PATIENT, LATER) }, Ok(0)),
            (Conversation { medium: Medium::read(Some("WHATSAPP")), ..conversation(OURS, PATIENT, LATER) }, unclear),
        ];
        for (row, expected) in cases {
            assert_eq!(told(row.clone(), &CallMedia::default()), expected, "{row:?}");
        }
    }

    #[test]
    fn a_conversation_of_another_medium_than_our_calls_is_none() {
        let calls = CallMedia::of(vec![(Some("VOICE".into()), false), (Some("VOICE".into()), true)]);
        for word in [Some("WHATSAPP"), None] {
            let row = Conversation { medium: Medium::read(word), ..conversation(OURS, PATIENT, LATER) };
            assert_eq!(told(row, &calls), Ok(0), "{word:?}");
        }
    }

    #[test]
    fn a_row_without_an_id_that_may_be_ours_proves_nothing() {
        let ours = Nameless { from: OURS.map(number), ..Nameless::default() };
        for (row, expected) in [
            (ours.clone(), Err(Flaw::Unclear)),
            (Nameless { from: Some(number("+13125550199")), ..ours.clone() }, Ok(0)),
            (Nameless { started: Some(at("2026-11-24T14:00:00Z")), ..ours.clone() }, Ok(0)),
            (Nameless::default(), Err(Flaw::Unclear)),
            (Nameless { medium: Medium::read(Some("SMS")), ..ours }, Ok(0)),
        ] {
            let mut look = look(false);
            let page = Page { nameless: vec![row.clone()], ..Page::default() };
            let to_be_explained =
                look.take_nameless(&page, &CallMedia::default(), TimeDelta::zero(), at("2026-11-24T15:30:00Z"));
            assert!(to_be_explained.is_empty(), "{row:?}");
            let calls = look.unrecorded_calls(&CallMedia::default(), TimeDelta::zero()).map(|calls| calls.len());
            assert_eq!(calls, expected, "{row:?}");
        }
    }

    #[test]
    fn a_row_without_an_id_is_explained_by_a_call_that_the_ledger_knows() {
        let row = Nameless {
            from: OURS.map(number),
            to: PATIENT.map(number),
            started: LATER.map(at),
            medium: Medium::read(Some("VOICE")),
        };
        let page = Page { nameless: vec![row], ..Page::default() };
        let mut look = look(false);
        let rows = look.take_nameless(&page, &CallMedia::default(), TimeDelta::zero(), at("2026-11-24T15:30:00Z"));
        assert_eq!(rows.len(), 1);
        look.are_unexplained(&[], at("2026-11-24T15:30:00Z"));
        assert_eq!(look.unrecorded_calls(&CallMedia::default(), TimeDelta::zero()), Ok(vec![]));
        look.are_unexplained(&rows, at("2026-11-24T17:00:00Z"));
        assert_eq!(look.unrecorded_calls(&CallMedia::default(), TimeDelta::zero()), Err(Flaw::Unclear));
    }

    #[test]
    fn an_operator_who_has_adopted_the_ledger_vouches_for_what_nobody_can_read() {
        for (status, expected) in [(Status::Closed, Ok(vec![])), (Status::Closing, Err(Flaw::UnclearWhileOpen))] {
            let mut look = look(true);
            let (media, row) = (CallMedia::default(), Conversation { status, ..conversation(OURS, None, LATER) });
            look.take(std::slice::from_ref(&row), TimeDelta::zero());
            assert!(look.unrecorded_calls(&media, TimeDelta::zero()).is_err(), "nobody has asked for it");
            assert_eq!(look.to_be_asked(&media), std::slice::from_ref(&row.id));
            look.take(&[row], TimeDelta::zero());
            assert_eq!(look.unrecorded_calls(&media, TimeDelta::zero()), expected);
        }
    }

    #[test]
    fn nobody_vouches_for_a_row_without_an_id_that_may_show_it_once_the_call_is_over() {
        for (now, expected) in
            [("2026-11-24T15:30:00Z", Err(Flaw::UnclearWhileOpen)), ("2026-11-24T17:00:00Z", Ok(vec![]))]
        {
            let mut look = look(true);
            let row = Nameless { from: OURS.map(number), started: LATER.map(at), ..Nameless::default() };
            let page = Page { nameless: vec![row], ..Page::default() };
            look.take_nameless(&page, &CallMedia::default(), TimeDelta::zero(), at(now));
            assert_eq!(look.unrecorded_calls(&CallMedia::default(), TimeDelta::zero()), expected);
        }
    }

    #[test]
    fn what_is_unclear_is_asked_for_once_and_may_turn_out_to_be_nothing_of_ours() {
        let (mut look, media) = (look(false), CallMedia::default());
        look.take(&[conversation(None, None, LATER)], TimeDelta::zero());
        assert_eq!(look.to_be_asked(&media), [ConversationId::new("c-1")]);
        assert!(look.to_be_asked(&media).is_empty());
        assert_eq!(look.unrecorded_calls(&media, TimeDelta::zero()), Err(Flaw::UnclearWhileOpen));
        look.take(&[conversation(Some("+13125550199"), OURS, LATER)], TimeDelta::zero());
        assert_eq!(look.unrecorded_calls(&media, TimeDelta::zero()), Ok(vec![]));
    }

    #[test]
    fn what_the_ledger_knows_is_no_unrecorded_call() {
        let mut look = look(false);
        let ids = look.take(&[conversation(OURS, None, None)], TimeDelta::zero());
        assert!(look.is_recorded(&ids[0]).is_some());
        assert_eq!(look.unrecorded_calls(&CallMedia::default(), TimeDelta::zero()), Ok(vec![]));
    }

    #[test]
    fn a_look_is_given_up_after_five_scans_each_later_than_the_one_before() {
        let mut look = look(false);
        let mut now = at("2026-11-24T15:00:00Z");
        let mut pauses = Vec::new();
        look.want(TimeDelta::zero());
        while !look.failed(Flaw::Hole, now) {
            let next = look.next_scan_at().expect("it is wanted");
            assert!(
                !look.failed(Flaw::Hole, next - TimeDelta::seconds(1)),
                "what was read for something else does not count"
            );
            pauses.push((next - now).num_seconds());
            now = next;
        }
        assert_eq!(pauses, [15, 30, 60, 120]);
    }

    #[test]
    fn a_look_that_takes_longer_than_half_an_hour_of_readable_time_takes_too_long() {
        let mut look = look(false);
        assert!(!look.takes_too_long(TimeDelta::hours(9)), "no call waits for it");
        look.want(TimeDelta::hours(9));
        for (minutes, expected) in [(29, false), (30, true)] {
            assert_eq!(look.takes_too_long(TimeDelta::hours(9) + TimeDelta::minutes(minutes)), expected);
        }
    }

    #[test]
    fn a_call_under_way_is_given_a_quarter_of_an_hour_to_end() {
        let mut look = look(false);
        let begun = at("2026-11-24T15:00:00Z");
        let mut now = begun;
        look.want(TimeDelta::zero());
        while !look.failed(Flaw::UnclearWhileOpen, now) {
            now = look.next_scan_at().expect("it is wanted");
        }
        assert_eq!(now - begun, TimeDelta::minutes(15));
    }

    #[test]
    fn a_clock_that_is_measured_a_little_otherwise_meanwhile_does_not_make_the_scan_fall_short() {
        let (look, later) = (look(false), at("2026-11-24T15:10:00Z"));
        for (asked_with, measured) in [(0, -1), (-1, 0), (0, -30), (-5, -6)] {
            let asked = look.back_to(TimeDelta::seconds(asked_with));
            assert!(look.is_settled_by(later, asked, TimeDelta::seconds(measured)), "{asked_with} {measured}");
        }
        assert!(!look.is_settled_by(later, at("2026-11-24T14:59:00Z"), TimeDelta::zero()));
    }

    #[test]
    fn an_unrecorded_call_means_behind_unless_the_ledger_was_adopted() {
        let call = |id: &str, started| Sighting {
            conversation: ConversationId::new(id),
            from: number("+13125550142"),
            to: number("+13125550177"),
            started: at(started),
        };
        let (early, late) = (call("b", "2026-11-24T15:01:00Z"), call("a", "2026-11-24T15:02:00Z"));
        let both = vec![late.clone(), early.clone()];
        let taken_over = |calls| Seen::InStep(vec![(number("+13125550142"), calls)]);
        assert_eq!(look(false).seen(vec![]), taken_over(vec![]));
        assert_eq!(look(false).seen(both.clone()), Seen::Behind { calls: 2, since: early.started });
        assert_eq!(look(true).seen(both), taken_over(vec![early, late]));
    }

    #[test]
    fn of_two_numbers_each_is_looked_at_as_far_back_as_the_ledger_lacks_it() {
        let (first, second) = (number("+13125550142"), number("+13125550143"));
        let in_step = |text, takes_over| InStep { at: at(text), takes_over, adopted_at: None };
        let mut look = Look::new(
            vec![(first, in_step("2026-11-24T15:00:00Z", true)), (second, in_step("2026-11-24T12:00:00Z", false))],
            S,
        );
        let noon = Some("2026-11-24T12:30:00Z");
        let rows = [
            conversation(Some("+13125550142"), PATIENT, noon),
            Conversation { id: ConversationId::new("c-2"), ..conversation(Some("+13125550143"), PATIENT, noon) },
        ];
        assert_eq!(look.take(&rows, TimeDelta::zero()), [ConversationId::new("c-2")]);
        assert!(!look.is_settled_by(at("2026-11-24T15:10:00Z"), at("2026-11-24T14:00:00Z"), TimeDelta::zero()));
        let calls = look.unrecorded_calls(&CallMedia::default(), TimeDelta::zero()).expect("it is clear");
        assert_eq!(calls.iter().map(|call| call.from).collect::<Vec<_>>(), [second]);
        assert!(matches!(look.seen(calls), Seen::Behind { calls: 1, .. }), "only the other number was adopted");
    }

    #[test]
    fn a_ledger_that_was_just_adopted_is_looked_at_once_the_list_must_show_every_call() {
        let adopted = at("2026-11-24T15:20:00Z");
        for (takes_over, expected) in [(true, adopted + S), (false, DateTime::UNIX_EPOCH)] {
            let in_step = InStep { at: at("2026-11-24T15:00:00Z"), takes_over, adopted_at: Some(adopted) };
            let mut look = Look::new(vec![(number("+13125550142"), in_step)], S);
            look.want(TimeDelta::zero());
            assert_eq!(look.next_scan_at(), Some(expected), "{takes_over}");
        }
    }
}
