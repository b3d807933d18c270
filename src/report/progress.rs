//! A run's events as output: a progress bar on a terminal, a periodic line elsewhere, or JSON lines.

use std::collections::BTreeSet;
use std::io::Write;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::engine::stop_reason::locations_text;
use crate::engine::{Event, EventSink};
use crate::entry::{Outcome, Reason, State};
use crate::ids::{EntryId, OrganisationId};
use crate::visible;
use crate::wording::counted;
use crate::zone::Zone;

/// The shortest interval between two progress lines without a terminal, by the run's clock.
const BETWEEN_LINES: TimeDelta = TimeDelta::minutes(15);

/// Shows the progress of a run to people.
pub struct Progress {
    bar: Option<ProgressBar>,
    print: Box<dyn FnMut(&str) + Send>,
    zone: Zone,
    counts: ProgressCounts,
    /// Entries whose call ended in this run and that are to be called again.
    redials: BTreeSet<EntryId>,
    printed_at: Option<DateTime<Utc>>,
    printed: ProgressCounts,
    /// A line has said what a patient's number is.
    is_number_explained: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct ProgressCounts {
    placed: u64,
    open: u64,
    finished: u64,
    reached: u64,
    redials: u64,
    unknown: u64,
}

impl Progress {
    /// A bar on a terminal that counts to `expected` finished entries.
    #[must_use]
    pub fn on_terminal(expected: u64, zone: Zone) -> Self {
        let bar = ProgressBar::with_draw_target(Some(expected), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:10} {pos}/{len} done · {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(250));
        let lines = bar.clone();
        Self::new(Some(bar), Box::new(move |line| lines.println(line)), zone)
    }

    /// Periodic lines without a terminal, passed to `print`.
    #[must_use]
    pub fn in_lines(zone: Zone, print: Box<dyn FnMut(&str) + Send>) -> Self {
        Self::new(None, print, zone)
    }

    fn new(bar: Option<ProgressBar>, mut print: Box<dyn FnMut(&str) + Send>, zone: Zone) -> Self {
        let counts = ProgressCounts::default();
        let print = Box::new(move |line: &str| print(&visible::value(line)));
        let redials = BTreeSet::new();
        Self { bar, print, zone, counts, redials, printed_at: None, printed: counts, is_number_explained: false }
    }

    /// Removes the bar.
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
                counts.reached += u64::from(reached_person(*outcome));
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

    fn counts_line(&self, at: DateTime<Utc>) -> String {
        let ProgressCounts { placed, open, reached, redials, unknown, .. } = self.counts;
        let clock = self.zone.local(at).format("%a %H:%M");
        let mut text = format!("{clock} · {placed} placed, {open} in a call, {reached} reached, {redials} to redial");
        if unknown > 0 {
            text += &format!(", {unknown} maybe called");
        }
        text
    }

    /// Whether a counts line is due and has new counts.
    fn is_line_due(&self, at: DateTime<Utc>) -> bool {
        self.counts != self.printed && self.printed_at.is_none_or(|printed| at >= printed + BETWEEN_LINES)
    }

    /// The line for an event that gets one of its own.
    fn event_line(&mut self, event: &Event) -> Option<String> {
        let clock = |at: DateTime<Utc>| self.zone.date_and_time(at);
        match event {
            // Too short to report.
            Event::Paused { at, until, .. } if *until - *at < TimeDelta::minutes(1) => None,
            Event::Paused { until, reason, organisation, .. } => {
                Some(format!("{}{}; trying again on {}", prefix(organisation.as_ref()), reason.label(), clock(*until)))
            }
            Event::LineRefused { from, locations, says, organisation, .. } => Some(format!(
                "{}the vendor refuses the calls of {from}{}: no further calls for {}",
                prefix(organisation.as_ref()),
                says.as_ref().map_or_else(String::new, |says| format!(" ({says})")),
                locations_text(locations)
            )),
            Event::OutageBegan { outage, organisation, .. } => {
                let prefix = prefix(organisation.as_ref());
                Some(format!("{prefix}{outage}: trying again until it does; {}", outage.way_out()))
            }
            Event::OutageEnded { outage, since, organisation, .. } => Some(format!(
                "{}the vendor answers again; since {}: {outage}",
                prefix(organisation.as_ref()),
                clock(*since)
            )),
            // Among several organisations, one that is idle is not reported: others still place calls.
            Event::Resting { organisation: Some(_), .. } => None,
            Event::Resting { until, .. } => Some(format!("nothing to do until {}", clock(*until))),
            Event::Stopping { why, organisation, .. } => {
                Some(format!("{}no further calls: {why}; waiting for answers under way", prefix(organisation.as_ref())))
            }
            Event::AnswerLost { entry, because, .. } => {
                let text = format!("answer lost ({because}); looking for the call on the vendor's list");
                Some(self.patient_line(*entry, &text))
            }
            Event::Adopted { entry, .. } => Some(self.patient_line(*entry, "the call was placed; following it")),
            Event::TakenOver { entry, .. } => {
                Some(self.patient_line(*entry, "was called, which this ledger did not know; following the call"))
            }
            Event::Absent { entry, state, .. } => {
                let text = format!("{}; now {}", Reason::AnswerLost.label(), state.label());
                Some(self.patient_line(*entry, &text))
            }
            Event::TrackLost { entry, .. } => Some(self.patient_line(*entry, &Reason::TrackLost.label())),
            Event::Refused { entry, reason, .. } => Some(self.patient_line(*entry, &reason.label())),
            Event::Started { following, unresolved, .. } if following + unresolved > 0 => Some(format!(
                "continuing: {} to follow, {} to settle",
                counted(*following as u64, "call under way", "calls under way"),
                counted(*unresolved as u64, "lost answer", "lost answers")
            )),
            Event::Started { .. }
            | Event::Dialling { .. }
            | Event::Accepted { .. }
            | Event::NotPlaced { .. }
            | Event::Ended { .. }
            | Event::SetAside { .. } => None,
        }
    }

    /// The line for an event of one patient. Before the first such line of a run, another one explains the number.
    fn patient_line(&mut self, entry: EntryId, text: &str) -> String {
        if !std::mem::replace(&mut self.is_number_explained, true) {
            (self.print)(&format!("#{entry} is the number in the first column of `callrounds report`"));
        }
        format!("patient #{entry}: {text}")
    }
}

fn reached_person(outcome: Outcome) -> bool {
    outcome.is_contact() && outcome != Outcome::LeftVoicemail
}

impl EventSink for Progress {
    fn on_event(&mut self, event: &Event) {
        self.count(event);
        if let Some(line) = self.event_line(event) {
            (self.print)(&line);
        }
        let line = self.counts_line(event.at());
        match &self.bar {
            Some(bar) => {
                bar.set_position(self.counts.finished);
                bar.set_message(visible::value(&line).into_owned());
            }
            None if self.is_line_due(event.at()) => {
                self.printed_at = Some(event.at());
                self.printed = self.counts;
                (self.print)(&line);
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
    /// A sink that writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out, failed: None }
    }

    /// The error of the first line that could not be written, if any. A reader that closes the pipe does not stop the run.
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

impl<W: Write + Send> EventSink for JsonLines<W> {
    fn on_event(&mut self, event: &Event) {
        if self.failed.is_none() {
            self.failed = self.write(event).err().map(|error| error.kind());
        }
    }
}

/// The start of a line about one organisation of several.
fn prefix(organisation: Option<&OrganisationId>) -> String {
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
        Event::Ended {
            at,
            entry: EntryId(entry),
            attempt: AttemptId(entry),
            conversation,
            outcome,
            doubt: None,
            redial_at,
        }
    }

    fn dialling(at: i64, entry: i64, call: u32) -> Event {
        Event::Dialling { at: minute(at), entry: EntryId(entry), attempt: AttemptId(entry), call }
    }

    fn accepted(at: i64, entry: i64) -> Event {
        let conversation = ConversationId::new("c");
        Event::Accepted { at: minute(at), entry: EntryId(entry), attempt: AttemptId(entry), conversation }
    }

    fn printed(events: &[Event]) -> Vec<String> {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&lines);
        let print = Box::new(move |line: &str| kept.lock().expect("lines").push(line.to_owned()));
        let mut progress = Progress::in_lines(Zone::named("UTC").expect("a zone"), print);
        for event in events {
            progress.on_event(event);
        }
        lines.lock().expect("lines").clone()
    }

    #[test]
    fn an_entry_is_to_be_redialled_until_it_is_dialled_again() {
        let lines = printed(&[
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
                "Thu 00:00 · 1 placed, 1 in a call, 0 reached, 0 to redial",
                "Thu 00:15 · 1 placed, 0 in a call, 0 reached, 1 to redial",
                "Thu 00:40 · 1 placed, 0 in a call, 0 reached, 0 to redial",
                "Thu 01:00 · 2 placed, 0 in a call, 1 reached, 0 to redial",
            ]
        );
    }

    #[test]
    fn a_line_without_new_counts_is_not_printed() {
        let resting = |at| Event::Resting { at: minute(at), until: minute(at + 30), organisation: None };
        let lines = printed(&[resting(0), resting(30), accepted(60, 1), resting(90)]);
        let counts: Vec<_> = lines.iter().filter(|line| line.contains("placed")).collect();
        assert_eq!(counts.len(), 1, "{lines:?}");
    }

    #[test]
    fn a_patient_is_shown_by_number_which_is_explained_once_and_a_state_in_words() {
        let absent = |number| {
            let (entry, attempt) = (EntryId(number), AttemptId(number));
            Event::Absent { at: minute(0), entry, attempt, state: State::Held }
        };
        let text = "the answer was lost, and the vendor's list does not show the call; now held for a person";
        assert_eq!(
            printed(&[absent(3), absent(4)]),
            [
                "#3 is the number in the first column of `callrounds report`".to_owned(),
                format!("patient #3: {text}"),
                format!("patient #4: {text}"),
            ]
        );
    }
}
