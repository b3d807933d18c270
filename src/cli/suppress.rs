//! `suppress`: numbers that must not be called.

use std::fmt::Write;
use std::path::Path;

use chrono::{DateTime, Utc};

use crate::clock::{Clock, WallClock};
use crate::error::{Exit, Stop};
use crate::ledger::{Ban, Operator, SuppressionRow};
use crate::phone::E164;
use crate::phone::cell::{CellRules, numbers_in};

use super::args::{Global, Suppress, SuppressAction};
use super::output::Output;
use super::setting;

/// Lines without a number that are named one by one.
const NAMED: usize = 10;

pub(super) fn suppress(args: &Suppress, global: &Global, output: Output) -> Result<Exit, Stop> {
    let now = WallClock.now();
    let mut operator = Operator::open(&setting::ledger_around(global), now)?;
    match &args.action {
        SuppressAction::Add { number, scope, expires, source } => {
            let ban = Ban { scope: scope.meant(), source, expires: ahead(*expires, now)? };
            operator.suppress([one(number)?], ban, now)?;
            output.say("the number is on the suppression list; a run that is under way heeds it from its next call on");
        }
        SuppressAction::Remove { number, scope } => {
            let was = operator.unsuppress(one(number)?, scope.meant())?;
            output.say(if was { "the number is off the suppression list" } else { "the number was not on the list" });
        }
        SuppressAction::Import { file, scope, expires, source } => {
            let ban = Ban { scope: scope.meant(), source, expires: ahead(*expires, now)? };
            let (mut numbers, without) = read(file)?;
            // In the order of the table, a million of them take seconds.
            numbers.sort_unstable();
            numbers.dedup();
            let added = operator.suppress(numbers, ban, now)?;
            output.say(&format!("{added} numbers are on the suppression list"));
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

fn one(text: &str) -> Result<E164, Stop> {
    let numbers = numbers_in(text, rules()).map_err(|problem| Stop::Usage(format!("the number: {problem}")))?;
    let first = numbers.first().map(|usable| usable.number);
    first.ok_or_else(|| Stop::Usage("the number: none found; give it as +13125550142".into()))
}

/// The numbers of a CSV file, the first of each line wherever it stands, and the lines that have none. A header has none
/// and is no fault.
fn read(path: &Path) -> Result<(Vec<E164>, Vec<u64>), Stop> {
    let unreadable = || Stop::Usage(format!("cannot read {} as CSV in UTF-8", path.display()));
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).from_path(path).map_err(|_| unreadable())?;
    let (mut numbers, mut without) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = record.map_err(|_| unreadable())?;
        let line = record.position().map_or(0, csv::Position::line);
        let found = record.iter().find_map(|cell| numbers_in(cell, rules()).ok()?.first().map(|usable| usable.number));
        match found {
            Some(number) => numbers.push(number),
            None if line > 1 => without.push(line),
            None => {}
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
        let _ = writeln!(text, "{}  {:<9}  since {since}{until}, {}", row.phone.expose(), row.scope.name(), row.source);
        text
    });
    output.data(if text.is_empty() { "nobody is on the suppression list\n" } else { &text })
}
