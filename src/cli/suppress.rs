//! `suppress`: the suppression list (do not call).

use std::fmt::{Display, Write};
use std::io::ErrorKind;
use std::path::Path;

use chrono::{DateTime, Utc};

use crate::clock::{Clock, WallClock};
use crate::error::{CommandError, ExitStatus};
use crate::intake::field::Field;
use crate::intake::list::{List, ListExpectations, ListRow, RowPer};
use crate::intake::{ListError, ListSource};
use crate::ledger::{LedgerError, LedgerReader, Operator, SuppressionRequest, SuppressionRow};
use crate::phone::E164;
use crate::phone::parse_cell::all_numbers_in;
use crate::visible;
use crate::visible::DisplayPath;
use crate::wording::{counted, plural};
use crate::zone::Zone;

use super::args::{DayOrInstant, GlobalArgs, SuppressAction, SuppressArgs};
use super::output::Output;
use super::settings;
use super::status::zone_of;

/// The number of lines without a phone number that are listed.
const MAX_LISTED_LINES: usize = 10;

/// The zone of the United States and Canada in which a day ends last.
const LAST_ZONE: &str = "Pacific/Honolulu";

pub(super) fn suppress(args: &SuppressArgs, global: &GlobalArgs, output: Output) -> Result<ExitStatus, CommandError> {
    let now = WallClock.now();
    let ledger = settings::find_ledger(global)?;
    if matches!(args.action, SuppressAction::Remove { .. } | SuppressAction::List) && !ledger.exists() {
        return Err(LedgerError::Missing { path: ledger.shown() }.into());
    }
    let mut operator = Operator::open(&ledger, now)?;
    let zones = PracticeZones::of(&ledger)?;
    match &args.action {
        SuppressAction::Add { number, scope, expires, source } => {
            let request = SuppressionRequest { scope: scope.scope(), source, expires: zones.end(*expires, now)? };
            let added = operator.suppress(parse_numbers(number)?, request, now)?;
            if output.json {
                output.document(&serde_json::json!({ "suppressed": added }))?;
            }
            let what = counted(added, "number is", "numbers are");
            output.say(&format!(
                "{what} on the suppression list of {}; a run in progress applies it before its next call",
                ledger.shown()
            ));
        }
        SuppressAction::Remove { number, scope } => {
            let (mut is_removed, mut awaits_review) = (false, false);
            let mut elsewhere = Vec::new();
            let reader = LedgerReader::open(&ledger)?;
            for number in parse_numbers(number)? {
                is_removed |= operator.unsuppress(number, scope.scope())?;
                awaits_review |= operator.awaits_review(number)?;
                let others = reader.suppressions_of(number)?.into_iter().filter(|other| other.scope != scope.scope());
                elsewhere.extend(others.filter(|other| !other.is_pending_review).map(|other| other.scope.name()));
            }
            if output.json {
                output.document(&serde_json::json!({ "removed": is_removed, "pending_review": awaits_review }))?;
            }
            let was = if is_removed { "was removed from" } else { "was not on" };
            let with =
                if elsewhere.is_empty() { String::new() } else { format!(" with `--scope {}`", scope.scope().name()) };
            output.say(&format!("the number {was} the suppression list{with}"));
            for scope in elsewhere {
                output.say(&format!(
                    "it is still on it with `--scope {scope}`; remove it there, too, if it may be called"
                ));
            }
            if awaits_review {
                output.say("it is still not called: a person must read what was said, see `callrounds review`");
            }
        }
        SuppressAction::Import { file, scope, expires, source } => {
            let request = SuppressionRequest { scope: scope.scope(), source, expires: zones.end(*expires, now)? };
            let (mut numbers, lines_without) = read(file, now)?;
            // Inserting in the table's order is much faster: a million numbers take seconds.
            numbers.sort_unstable();
            numbers.dedup();
            let added = operator.suppress(numbers, request, now)?;
            if output.json {
                output
                    .document(&serde_json::json!({ "suppressed": added, "lines_without_a_number": lines_without }))?;
            }
            let what = counted(added, "number is", "numbers are");
            output.say(&format!("{what} on the suppression list of {}", ledger.shown()));
            if !lines_without.is_empty() {
                output.say(&format!("no phone number on {}", lines(&lines_without)));
            }
        }
        SuppressAction::List => list(&operator.suppressions()?, zones.shown(), output)?,
    }
    Ok(ExitStatus::Done)
}

/// The time zones of the practices whose campaigns are on the ledger, the newest campaign's first.
struct PracticeZones(Vec<Zone>);

impl PracticeZones {
    fn of(ledger: &Path) -> Result<Self, CommandError> {
        let runs = LedgerReader::open(ledger)?.newest_runs()?;
        Ok(Self(runs.iter().map(zone_of).collect::<Result<_, _>>()?))
    }

    /// The zone in which instants are shown; without a campaign, UTC.
    fn shown(&self) -> Option<&Zone> {
        self.0.first()
    }

    /// The end of a suppression. A day counts to its end in every practice's zone; on a ledger without a campaign, to
    /// its end in the last of the zones in which anybody is called.
    fn end(&self, end: Option<DayOrInstant>, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, CommandError> {
        let Some(end) = end else { return Ok(None) };
        let last = || Zone::named(LAST_ZONE).map(|zone| end.instant(&zone));
        let latest = self.0.iter().map(|zone| end.instant(zone)).max();
        let latest = match latest {
            Some(latest) => latest,
            None => last().map_err(|problem| CommandError::Internal(format!("{LAST_ZONE}: {problem}")))?,
        };
        if latest <= now {
            return Err(CommandError::Usage("--expires is in the past, so no number would be suppressed".into()));
        }
        Ok(Some(latest))
    }
}

fn parse_numbers(text: &str) -> Result<Vec<E164>, CommandError> {
    let refused = |why: &dyn Display| CommandError::Usage(format!("the number: {why}; give it as +13125550142"));
    let numbers = all_numbers_in(text).map_err(|problem| refused(&problem))?;
    if numbers.is_empty() { Err(refused(&"none found")) } else { Ok(numbers) }
}

/// All phone numbers in any cell of a list of any format, also in the place of its header, and the lines without one.
/// Suppressing a number too many is better than one too few.
fn read(path: &Path, now: DateTime<Utc>) -> Result<(Vec<E164>, Vec<u64>), CommandError> {
    let refused = |problem: ListError| CommandError::Usage(problem.to_string());
    let is_known = |name: &str| Field::from_column(name).is_some();
    let expected = ListExpectations { is_known: &is_known, encoding: None, row_per: RowPer::Patient, now };
    let list = match List::open(&ListSource::File(path.to_owned()), &expected) {
        Err(ListError::Unreadable { kind: ErrorKind::NotFound, .. }) => {
            return Err(CommandError::Usage(format!("there is no file at {}", path.shown())));
        }
        opened => opened.map_err(refused)?,
    };
    let in_cells = |cells: &mut dyn Iterator<Item = &str>| -> Vec<E164> {
        cells.filter_map(|cell| all_numbers_in(cell).ok()).flatten().collect()
    };
    let mut numbers = in_cells(&mut list.header().names().iter().map(String::as_str));
    let mut lines_without = Vec::new();
    let (mut rows, mut row) = (list.rows().map_err(refused)?, ListRow::default());
    while rows.read_into(&mut row).map_err(refused)? {
        let found = in_cells(&mut row.cells.iter());
        if found.is_empty() {
            lines_without.push(row.line);
        }
        numbers.extend(found);
    }
    Ok((numbers, lines_without))
}

fn lines(lines: &[u64]) -> String {
    let named: Vec<_> = lines.iter().take(MAX_LISTED_LINES).map(ToString::to_string).collect();
    let more = lines.len().saturating_sub(MAX_LISTED_LINES);
    let tail =
        if more > 0 { format!(" and {}", counted(more as u64, "more line", "more lines")) } else { String::new() };
    format!("{} {}{tail}", plural(lines.len() as u64, "line", "lines"), named.join(", "))
}

fn list(rows: &[SuppressionRow], zone: Option<&Zone>, output: Output) -> Result<(), CommandError> {
    if output.json {
        let document: Vec<_> = rows
            .iter()
            .map(|row| {
                let SuppressionRow { phone, scope, source, at, expires, is_pending_review } = row;
                serde_json::json!({
                    "phone": phone.expose(), "scope": scope.name(), "source": source, "since": at, "expires": expires,
                    "pending_review": is_pending_review,
                })
            })
            .collect();
        return output.document(&document);
    }
    let text = rows.iter().fold(String::new(), |mut text, row| {
        let local = |at: DateTime<Utc>| zone.map_or_else(|| at.naive_utc(), |zone| zone.local(at));
        let until = row.expires.map_or_else(String::new, |at| format!(" until {}", local(at).format("%Y-%m-%d %H:%M")));
        let since = local(row.at).format("%Y-%m-%d");
        let (scope, source) = (row.scope.name().replace('_', "-"), visible::value(&row.source));
        let _ = writeln!(text, "{}  {scope:<9}  since {since}{until}, {source}", row.phone.expose());
        text
    });
    output.data(if text.is_empty() { "the suppression list is empty\n" } else { &text })
}
