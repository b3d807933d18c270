//! `suppress`: numbers that must not be called.

use std::fmt::Write;
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

use chrono::{DateTime, Utc};

use crate::bounded::ShortLines;
use crate::clock::{Clock, WallClock};
use crate::error::{Exit, Stop};
use crate::ledger::{Ban, LedgerError, Operator, SuppressionRow};
use crate::phone::E164;
use crate::phone::cell::{CellRules, numbers_in};
use crate::visible;
use crate::visible::Shown;

use super::args::{Global, Suppress, SuppressAction};
use super::output::Output;
use super::setting;

/// Lines without a number that are named one by one.
const NAMED: usize = 10;

/// The longest line of a file of numbers, in bytes.
const LONGEST_LINE: usize = 1 << 20;

pub(super) fn suppress(args: &Suppress, global: &Global, output: Output) -> Result<Exit, Stop> {
    let now = WallClock.now();
    let ledger = setting::ledger_around(global)?;
    if matches!(args.action, SuppressAction::Remove { .. } | SuppressAction::List) && !ledger.exists() {
        return Err(LedgerError::Missing { path: ledger.shown() }.into());
    }
    let mut operator = Operator::open(&ledger, now)?;
    match &args.action {
        SuppressAction::Add { number, scope, expires, source } => {
            let ban = Ban { scope: scope.meant(), source, expires: ahead(*expires, now)? };
            let added = operator.suppress(all(number)?, ban, now)?;
            let what = if added == 1 { "the number is".into() } else { format!("{added} numbers are") };
            output.say(&format!(
                "{what} on the suppression list of {}; a run that is under way heeds it from its next call on",
                ledger.shown()
            ));
        }
        SuppressAction::Remove { number, scope } => {
            let mut was = false;
            for number in all(number)? {
                was |= operator.unsuppress(number, scope.meant())?;
            }
            output.say(if was { "the number is off the suppression list" } else { "the number was not on the list" });
        }
        SuppressAction::Import { file, scope, expires, source } => {
            let ban = Ban { scope: scope.meant(), source, expires: ahead(*expires, now)? };
            let (mut numbers, without) = read(file)?;
            // In the order of the table, a million of them take seconds.
            numbers.sort_unstable();
            numbers.dedup();
            let added = operator.suppress(numbers, ban, now)?;
            output.say(&format!("{added} numbers are on the suppression list of {}", ledger.shown()));
            if !without.is_empty() {
                output.say(&format!("no number on {}", lines(&without)));
            }
        }
        SuppressAction::List => list(&operator.suppressions()?, output)?,
    }
    Ok(Exit::Done)
}

fn ahead(expires: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, Stop> {
    if expires.is_some_and(|expires| expires <= now) {
        return Err(Stop::Usage("--expires lies in the past, so nobody would be suppressed".into()));
    }
    Ok(expires)
}

fn rules() -> CellRules<'static> {
    CellRules { fiction_allowed: true, own: &[] }
}

fn all(text: &str) -> Result<Vec<E164>, Stop> {
    let numbers = numbers_in(text, rules()).map_err(|problem| Stop::Usage(format!("the number: {problem}")))?;
    if numbers.is_empty() {
        return Err(Stop::Usage("the number: none found; give it as +13125550142".into()));
    }
    Ok(numbers.into_iter().map(|usable| usable.number).collect())
}

/// All numbers of a CSV file, wherever they stand, and the lines that have none. A header has none and is no fault. Rather
/// one number too many is not called than one too few.
fn read(path: &Path) -> Result<(Vec<E164>, Vec<u64>), Stop> {
    let unreadable = |error: csv::Error| {
        let is_missing = matches!(error.kind(), csv::ErrorKind::Io(error) if error.kind() == ErrorKind::NotFound);
        let path = path.shown();
        let is_too_long = matches!(error.kind(), csv::ErrorKind::Io(error) if error.kind() == ErrorKind::FileTooLarge);
        Stop::Usage(if is_missing {
            format!("there is no file at {path}")
        } else if is_too_long {
            format!("{path} is no list of numbers: one of its lines is longer than 1 MiB")
        } else {
            format!("cannot read {path} as CSV in UTF-8")
        })
    };
    let file = File::open(path).map_err(|error| unreadable(error.into()))?;
    let lines = ShortLines::of(file, LONGEST_LINE);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(lines);
    let (mut numbers, mut without) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        let line = record.position().map_or(0, csv::Position::line);
        let before = numbers.len();
        let found = record.iter().filter_map(|cell| numbers_in(cell, rules()).ok()).flatten();
        numbers.extend(found.map(|usable| usable.number));
        if numbers.len() == before && line > 1 {
            without.push(line);
        }
    }
    Ok((numbers, without))
}

fn lines(lines: &[u64]) -> String {
    let named: Vec<_> = lines.iter().take(NAMED).map(ToString::to_string).collect();
    let more = lines.len().saturating_sub(NAMED);
    let rest = if more > 0 { format!(" and {more} more lines") } else { String::new() };
    format!("{} {}{rest}", if lines.len() == 1 { "line" } else { "lines" }, named.join(", "))
}

fn list(rows: &[SuppressionRow], output: Output) -> Result<(), Stop> {
    if output.json {
        let document: Vec<_> = rows
            .iter()
            .map(|row| {
                let SuppressionRow { phone, scope, source, at, expires } = row;
                serde_json::json!({
                    "phone": phone.expose(), "scope": scope.name(), "source": source, "since": at, "expires": expires,
                })
            })
            .collect();
        return output.document(&document);
    }
    let text = rows.iter().fold(String::new(), |mut text, row| {
        let until = row.expires.map_or_else(String::new, |at| format!(" until {}", at.format("%Y-%m-%d %H:%M")));
        let since = row.at.format("%Y-%m-%d");
        let source = visible::value(&row.source);
        let _ = writeln!(text, "{}  {:<9}  since {since}{until}, {source}", row.phone.expose(), row.scope.name());
        text
    });
    output.data(if text.is_empty() { "nobody is on the suppression list\n" } else { &text })
}
