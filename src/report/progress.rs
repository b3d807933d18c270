//! Events as they come: a progress bar on a terminal, a line now and then elsewhere, or JSON lines.

use std::collections::BTreeSet;
use std::io::Write;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::engine::ending::named;
use crate::engine::{Event, Listener};
use crate::entry::{Outcome, Reason, State};
use crate::ids::{EntryId, OrganisationId};
use crate::visible;
use crate::zone::Zone;

/// Elsewhere than on a terminal, a line every so often of the run's time.
const BETWEEN_LINES: TimeDelta = TimeDelta::minutes(15);

/// What the person on duty sees of a run while it goes on.
pub struct Progress {
    bar: Option<ProgressBar>,
    say: Box<dyn FnMut(&str) + Send>,
    zone: Zone,
    counts: Counts,
    /// Entries that this run has seen end without an answer, and that are to be called again.
    redials: BTreeSet<EntryId>,
    said_at: Option<DateTime<Utc>>,
    said: Counts,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Counts {
    placed: u64,
    open: u64,
    finished: u64,
    reached: u64,
    redials: u64,
    unknown: u64,
}

impl Progress {
    /// On a terminal: a bar that counts to `expected` finished entries.
    #[must_use]
    pub fn on_terminal(expected: u64, zone: Zone) -> Self {
        let bar = ProgressBar::with_draw_target(Some(expected), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:10} {pos}/{len} done · {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(250));
        let lines = bar.clone();
        Self::new(Some(bar), Box::new(move |line| lines.println(line)), zone)
    }

    /// Elsewhere: a line now and then, given to `say`.
    #[must_use]
    pub fn in_lines(zone: Zone, say: Box<dyn FnMut(&str) + Send>) -> Self {
        Self::new(None, say, zone)
    }

    fn new(bar: Option<ProgressBar>, say: Box<dyn FnMut(&str) + Send>, zone: Zone) -> Self {
        let counts = Counts::default();
        let mut say = say;
        let say = Box::new(move |line: &str| say(&visible::value(line)));
        Self { bar, say, zone, counts, redials: BTreeSet::new(), said_at: None, said: counts }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn count(&mut self, event: &Event) {
        let counts = &mut self.counts;
        match event {
            Event::Started { following, unresolved, .. } => {
                counts.open = *following as u64;
                counts.unknown = *unresolved as u64;
            }
            Event::Accepted { .. } => {
                counts.placed += 1;
                counts.open += 1;
            }
            Event::Ended { entry, outcome, redial_at, .. } => {
                counts.open = counts.open.saturating_sub(1);
                counts.reached += u64::from(is_contact(*outcome));
                counts.finished += u64::from(redial_at.is_none());
                if redial_at.is_some() {
                    self.redials.insert(*entry);
                }
            }
            Event::Dialling { entry, .. } => {
                self.redials.remove(entry);
            }
            Event::AnswerLost { .. } => counts.unknown += 1,
            Event::Adopted { .. } => {
                counts.unknown = counts.unknown.saturating_sub(1);
                counts.placed += 1;
                counts.open += 1;
            }
            Event::TakenOver { .. } => counts.open += 1,
            Event::Absent { .. } => counts.unknown = counts.unknown.saturating_sub(1),
            Event::TrackLost { .. } => counts.open = counts.open.saturating_sub(1),
            Event::Refused { .. } => counts.finished += 1,
            Event::SetAside { entry, state, .. } if *state != State::Waiting => {
                counts.finished += 1;
                self.redials.remove(entry);
            }
            Event::SetAside { .. }
            | Event::NotPlaced { .. }
            | Event::LineRefused { .. }
            | Event::Paused { .. }
            | Event::OutageBegan { .. }
            | Event::OutageEnded { .. }
            | Event::Resting { .. }
            | Event::Stopping { .. } => {}
        }
        counts.redials = self.redials.len() as u64;
    }

    fn standing(&self, at: DateTime<Utc>) -> String {
        let Counts { placed, open, reached, redials, unknown, .. } = self.counts;
        let clock = self.zone.local(at).format("%a %H:%M");
        let mut text = format!("{clock} · {placed} placed, {open} open, {reached} reached, {redials} to redial");
        if unknown > 0 {
            text += &format!(", {unknown} answers lost");
        }
        text
    }

    /// Whether it is time for another line, and there is something new to put on it.
    fn is_news(&self, at: DateTime<Utc>) -> bool {
        self.counts != self.said && self.said_at.is_none_or(|said| at >= said + BETWEEN_LINES)
    }

    /// What is worth a line of its own.
    fn remark(&self, event: &Event) -> Option<String> {
        let clock = |at: DateTime<Utc>| self.zone.local(at).format("%a %Y-%m-%d %H:%M").to_string();
        match event {
            // As long as a breath, and no news.
            Event::Paused { at, until, .. } if *until - *at < TimeDelta::minutes(1) => None,
            Event::Paused { until, reason, organisation, .. } => {
                Some(format!("{}{}; trying again on {}", whose(organisation.as_ref()), reason.says(), clock(*until)))
            }
            Event::LineRefused { from, locations, says, organisation, .. } => Some(format!(
                "{}the vendor refuses the calls of {from}{}: no further calls for {}",
                whose(organisation.as_ref()),
                says.as_ref().map_or_else(String::new, |says| format!(" ({says})")),
                named(locations)
            )),
            Event::OutageBegan { outage, organisation, .. } => {
                let whose = whose(organisation.as_ref());
                Some(format!("{whose}{outage}: trying again until it does; {}", outage.way_out()))
            }
            Event::OutageEnded { outage, since, organisation, .. } => Some(format!(
                "{}the vendor answers again; since {}: {outage}",
                whose(organisation.as_ref()),
                clock(*since)
            )),
            // Where there are several organisations, one that rests is no news: the others go on.
            Event::Resting { organisation: Some(_), .. } => None,
            Event::Resting { until, .. } => Some(format!("nothing to do until {}", clock(*until))),
            Event::Stopping { why, organisation, .. } => {
                Some(format!("{}no further calls: {why}; waiting for answers under way", whose(organisation.as_ref())))
            }
            Event::AnswerLost { entry, because, .. } => {
                Some(format!("entry {entry}: answer lost ({because}); looking for the call on the vendor's list"))
            }
            Event::Adopted { entry, .. } => Some(format!("entry {entry}: the call was placed; following it")),
            Event::TakenOver { entry, .. } => {
                Some(format!("entry {entry}: was called, which this ledger did not know; following the call"))
            }
            Event::Absent { entry, state, .. } => {
                Some(format!("entry {entry}: {}; now {state}", Reason::AnswerLost.says()))
            }
            Event::TrackLost { entry, .. } => Some(format!("entry {entry}: {}", Reason::TrackLost.says())),
            Event::Refused { entry, reason, .. } => Some(format!("entry {entry}: {}", reason.says())),
            Event::Started { following, unresolved, .. } if following + unresolved > 0 => Some(format!(
                "going on where it stopped: {following} under way to follow, {unresolved} lost answers to settle"
            )),
            Event::Started { .. }
            | Event::Dialling { .. }
            | Event::Accepted { .. }
            | Event::NotPlaced { .. }
            | Event::Ended { .. }
            | Event::SetAside { .. } => None,
        }
    }
}

fn is_contact(outcome: Outcome) -> bool {
    outcome.is_contact() && outcome != Outcome::LeftVoicemail
}

impl Listener for Progress {
    fn hear(&mut self, event: &Event) {
        self.count(event);
        if let Some(remark) = self.remark(event) {
            (self.say)(&remark);
        }
        let standing = self.standing(event.at());
        match &self.bar {
            Some(bar) => {
                bar.set_position(self.counts.finished);
                bar.set_message(visible::value(&standing).into_owned());
            }
            None if self.is_news(event.at()) => {
                self.said_at = Some(event.at());
                self.said = self.counts;
                (self.say)(&standing);
            }
            None => {}
        }
    }
}

/// Writes each event as a line of JSON.
pub struct JsonLines<W> {
    out: W,
    failed: Option<std::io::ErrorKind>,
}

impl<W: Write> JsonLines<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out, failed: None }
    }

    /// Why a line could not be written, if one could not: a reader that went away does not stop the run.
    pub fn failed(&self) -> Option<std::io::ErrorKind> {
        self.failed
    }

    fn write(&mut self, event: &Event) -> std::io::Result<()> {
        let line = serde_json::to_string(event)?;
        self.out.write_all(visible::json(&line).as_bytes())?;
        self.out.write_all(b"\n")?;
        self.out.flush()
    }
}

impl<W: Write + Send> Listener for JsonLines<W> {
    fn hear(&mut self, event: &Event) {
        if self.failed.is_none() {
            self.failed = self.write(event).err().map(|error| error.kind());
        }
    }
}

/// The beginning of a line about one organisation of several.
fn whose(organisation: Option<&OrganisationId>) -> String {
    organisation.map_or_else(String::new, |organisation| format!("{organisation}: "))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::ids::{AttemptId, ConversationId};

    fn minute(minute: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
    }

    fn ended(at: i64, entry: i64, outcome: Outcome, redial_at: Option<i64>) -> Event {
        let conversation = ConversationId::new("c");
        let (at, redial_at) = (minute(at), redial_at.map(minute));
        Event::Ended { at, entry: EntryId(entry), attempt: AttemptId(entry), conversation, outcome, redial_at }
    }

    fn dialling(at: i64, entry: i64, call: u32) -> Event {
        Event::Dialling { at: minute(at), entry: EntryId(entry), attempt: AttemptId(entry), call }
    }

    fn accepted(at: i64, entry: i64) -> Event {
        let conversation = ConversationId::new("c");
        Event::Accepted { at: minute(at), entry: EntryId(entry), attempt: AttemptId(entry), conversation }
    }

    fn said(events: &[Event]) -> Vec<String> {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&lines);
        let say = Box::new(move |line: &str| kept.lock().expect("lines").push(line.to_owned()));
        let mut progress = Progress::in_lines(Zone::named("UTC").expect("a zone"), say);
        for event in events {
            progress.hear(event);
        }
        lines.lock().expect("lines").clone()
    }

    #[test]
    fn an_entry_is_to_be_redialled_until_it_is_dialled_again() {
        let lines = said(&[
            dialling(0, 1, 1),
            accepted(0, 1),
            ended(15, 1, Outcome::NoAnswer, Some(40)),
            dialling(40, 1, 2),
            accepted(40, 1),
            ended(60, 1, Outcome::Booked, None),
        ]);
        assert_eq!(
            lines,
            [
                "Thu 00:00 · 1 placed, 1 open, 0 reached, 0 to redial",
                "Thu 00:15 · 1 placed, 0 open, 0 reached, 1 to redial",
                "Thu 00:40 · 1 placed, 0 open, 0 reached, 0 to redial",
                "Thu 01:00 · 2 placed, 0 open, 1 reached, 0 to redial",
            ]
        );
    }

    #[test]
    fn a_line_that_says_nothing_new_is_not_said() {
        let resting = |at| Event::Resting { at: minute(at), until: minute(at + 30), organisation: None };
        let lines = said(&[resting(0), resting(30), accepted(60, 1), resting(90)]);
        let standing: Vec<_> = lines.iter().filter(|line| line.contains("placed")).collect();
        assert_eq!(standing.len(), 1, "{lines:?}");
    }
}
